-- title: Everything about one name
-- description: All events in which a name appears: a user, role, key, address, instance, bucket or
--   any id, as the one who acted, as the place it came from, or as what was touched. When all one
--   has is a string.
-- hit: One event; `where_found` says how the name is in it.
-- caveat: It is a search in text: `web` finds `webserver` too, so give a whole id or ARN. Every row
--   of the cache is read: narrow it with `since` and `until`. What AWS hides or leaves out of the
--   record cannot be found.
-- service: AWS CloudTrail
-- param: name varchar -- the string to look for, in its case
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

WITH found AS (
  SELECT CASE WHEN useridentity.accesskeyid = :name THEN 'access key'
              WHEN sourceipaddress = :name THEN 'source address'
              WHEN strpos(concat(coalesce(principal_key, ''), ' ',
                                 coalesce(useridentity.arn, ''), ' ',
                                 coalesce(useridentity.principalid, '')), :name) > 0
                THEN 'principal'
              WHEN issued_key = :name THEN 'issued key'
              WHEN any_match(resources, r -> strpos(r.arn, :name) > 0) THEN 'resource'
              WHEN strpos(requestparameters, :name) > 0 THEN 'request'
              WHEN strpos(responseelements, :name) > 0 THEN 'response'
              WHEN strpos(concat(coalesce(errormessage, ''), ' ',
                                 coalesce(additionaleventdata, ''), ' ',
                                 coalesce(serviceeventdetails, ''), ' ',
                                 coalesce(vpcendpointid, ''), ' ',
                                 coalesce(useragent, '')), :name) > 0
                THEN 'other fields'
         END AS where_found,
         eventtime,
         principal_key,
         session_name,
         eventsource,
         eventname,
         outcome,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         requestparameters,
         eventid
  FROM   cloudtrail_logs
  WHERE  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
)
SELECT eventtime,
       where_found,
       principal_key,
       session_name,
       eventsource,
       eventname,
       outcome,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       requestparameters,
       eventid
FROM   found
WHERE  where_found IS NOT NULL
ORDER  BY eventtime, eventid

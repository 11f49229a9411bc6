-- title: What an access key did
-- description: Every call made with one access key, in order. Give the key that leaked.
-- hit: One call made with the key, or refused to it. A first address, client or hour that differs
--   from those before is where the thief begins.
-- caveat: Sessions that the key obtained have keys of their own: follow them with
--   `trace_access_key`. Data events (objects, functions, tables) are there only where the trail
--   records them; calls with a wrong signature are in no log.
-- attack: TA0001:T1078.004
-- service: IAM
-- service: AWS CloudTrail
-- param: key varchar -- the access key id, such as AKIAIOSFODNN7EXAMPLE
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/id-credentials-access-keys-update.html

SELECT eventtime,
       principal_key,
       eventsource,
       eventname,
       outcome,
       errorcode,
       sourceipaddress,
       useragent,
       awsregion,
       recipientaccountid,
       requestparameters,
       eventid
FROM   cloudtrail_logs
WHERE  useridentity.accesskeyid = :key
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

-- title: Objects copied onto themselves
-- description: CopyObject calls whose source is their target, by principal, bucket and hour.
--   That is how objects are encrypted anew or have their storage class or metadata changed without
--   leaving S3.
-- hit: So many objects were rewritten in place; `encryption` says with what.
-- caveat: Data events: absent unless the trail records them for that bucket. Hours begin at the
--   full hour. Where versioning is on, the earlier versions remain.
-- severity: medium
-- attack: TA0040:T1486
-- attack: TA0040:T1485
-- service: Amazon S3
-- param: objects bigint = 10 -- fewest objects in an hour
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
-- false_positive: Jobs that change storage class, encryption or metadata of existing objects.

SELECT min(eventtime) AS eventtime,
       principal_key AS actor,
       'CopyObject' AS action,
       json_extract_scalar(requestparameters, '$.bucketName') AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       min_by(eventid, concat(eventtime, eventid)) AS eventid,
       count(DISTINCT json_extract_scalar(requestparameters, '$.key')) AS objects,
       array_join(array_agg(DISTINCT json_extract_scalar(additionaleventdata, '$.SSEApplied')
                            ORDER BY json_extract_scalar(additionaleventdata,
                                                         '$.SSEApplied')), ', ') AS encryption,
       max(eventtime) AS last_seen
FROM   cloudtrail_logs
WHERE  eventsource = 's3.amazonaws.com'
  AND  eventname = 'CopyObject'
  AND  outcome = 'ok'
  AND  regexp_replace(url_decode(split_part(regexp_extract(requestparameters,
         '"x-amz-copy-source"\s*:\s*\[?\s*"([^"]+)"', 1), '?', 1)), '^/', '')
       = concat(json_extract_scalar(requestparameters, '$.bucketName'), '/',
                json_extract_scalar(requestparameters, '$.key'))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY principal_key, json_extract_scalar(requestparameters, '$.bucketName'), sourceipaddress,
          recipientaccountid, awsregion, date_trunc('hour', event_ts)
HAVING count(DISTINCT json_extract_scalar(requestparameters, '$.key')) >= :objects
ORDER  BY eventtime, eventid

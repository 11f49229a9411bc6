-- title: Other accounts in our buckets
-- description: Principals of other accounts that read, wrote, listed or deleted in buckets of
--   ours, by account, bucket and call.
-- hit: The account `actor_account` reached the bucket, or tried to. An account that nobody knows
--   is the finding.
-- caveat: Data events: absent unless the trail records them for that bucket. Of a foreign
--   principal only the account and id are recorded, not its name. Anonymous callers and AWS
--   services are left out.
-- attack: TA0009:T1530
-- attack: TA0010:T1537
-- service: Amazon S3
-- param: known array(varchar) = '' -- accounts that belong to us
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html

SELECT actor_account,
       json_extract_scalar(requestparameters, '$.bucketName') AS bucket,
       eventname,
       outcome,
       count(*) AS calls,
       count(DISTINCT principal_key) AS principals,
       count(DISTINCT json_extract_scalar(requestparameters, '$.key')) AS objects,
       array_join(array_agg(DISTINCT sourceipaddress ORDER BY sourceipaddress), ', ') AS addresses,
       min(eventtime) AS first_seen,
       max(eventtime) AS last_seen
FROM   cloudtrail_logs
WHERE  eventsource = 's3.amazonaws.com'
  AND  eventcategory = 'Data'
  AND  is_cross_account
  AND  lower(useridentity.accountid) NOT IN ('anonymous', 'anonymous_principal')
  AND  useridentity.invokedby IS NULL
  AND  NOT contains(:known, actor_account)
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY actor_account, json_extract_scalar(requestparameters, '$.bucketName'), eventname, outcome
ORDER  BY calls DESC, actor_account, bucket, eventname, outcome

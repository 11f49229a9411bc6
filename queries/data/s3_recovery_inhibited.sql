-- title: Recovery of S3 data inhibited
-- description: Versioning suspended, MFA delete off, lifecycle rules that expire everything
--   soon, object lock or replication taken away, buckets deleted: what makes a deletion final.
-- hit: From then on deleted or overwritten objects of that bucket are harder to get back, or are
--   deleted by S3 itself; or somebody tried.
-- caveat: Short expiry of one prefix is everyday work: look at `asked_for`. Lifecycle rules
--   delete without any call. No row does not mean that versioning was on.
-- severity: medium
-- attack: TA0040:T1490
-- attack: TA0040:T1485.001
-- service: Amazon S3
-- param: days bigint = 7 -- expiry after so many days or fewer is soon
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html
-- false_positive: Buckets for temporary data; stacks torn down.

WITH expiries AS (
  SELECT recipientaccountid, eventid, min(CAST(e.after AS bigint)) AS days
  FROM   cloudtrail_logs
  CROSS  JOIN UNNEST(regexp_extract_all(requestparameters,
           'xpiration"\s*:\s*\{[^}]*"(?:Days|NoncurrentDays)"\s*:\s*"?(\d+)', 1)) AS e(after)
  WHERE  eventsource = 's3.amazonaws.com'
    AND  eventname IN ('PutBucketLifecycle', 'PutBucketLifecycleConfiguration')
  GROUP  BY recipientaccountid, eventid
),
calls AS (
  SELECT c.eventtime, c.principal_key, c.eventname, c.requestparameters, c.sourceipaddress,
         c.recipientaccountid, c.awsregion, c.eventid, c.outcome, c.errorcode,
         CASE c.eventname
              WHEN 'DeleteBucket' THEN 'bucket deleted'
              WHEN 'DeleteBucketReplication' THEN 'replication removed'
              WHEN 'PutBucketVersioning' THEN
                CASE WHEN regexp_like(c.requestparameters, '"Status"\s*:\s*"Suspended"')
                     THEN 'versioning suspended'
                     WHEN regexp_like(c.requestparameters, '"MfaDelete"\s*:\s*"Disabled"')
                     THEN 'MFA delete off' END
              WHEN 'PutBucketObjectLockConfiguration' THEN
                CASE WHEN strpos(c.requestparameters, '"DefaultRetention"') = 0
                     THEN 'object lock without retention' END
              WHEN 'PutObjectLockConfiguration' THEN
                CASE WHEN strpos(c.requestparameters, '"DefaultRetention"') = 0
                     THEN 'object lock without retention' END
              ELSE CASE WHEN e.days <= :days THEN 'objects expire soon' END
         END AS change
  FROM   cloudtrail_logs c
  LEFT   JOIN expiries e ON e.eventid = c.eventid AND e.recipientaccountid = c.recipientaccountid
  WHERE  c.eventsource = 's3.amazonaws.com'
    AND  c.eventname IN ('DeleteBucket', 'DeleteBucketReplication', 'PutBucketVersioning',
                         'PutBucketObjectLockConfiguration', 'PutObjectLockConfiguration',
                         'PutBucketLifecycle', 'PutBucketLifecycleConfiguration')
    AND  (:since = '' OR c.eventtime >= :since)
    AND  (:until = '' OR c.eventtime <= :until)
)
SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       json_extract_scalar(requestparameters, '$.bucketName') AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       change,
       requestparameters AS asked_for
FROM   calls
WHERE  change IS NOT NULL
ORDER  BY eventtime, eventid

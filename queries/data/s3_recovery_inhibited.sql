-- title: Recovery of S3 data inhibited
-- description: Versioning suspended, MFA delete off, lifecycle rules that expire everything soon,
--   object lock or replication taken away, buckets deleted: what makes a deletion final.
-- hit: From then on deleted or overwritten objects of that bucket are harder to get back, or are
--   deleted by S3 itself; or somebody tried.
-- caveat: Short expiry of one prefix is everyday work: look at `asked_for`. Lifecycle rules delete
--   without any call. No row does not mean that versioning was on.
-- severity: medium
-- attack: TA0040:T1490
-- attack: TA0040:T1485.001
-- service: Amazon S3
-- param: days bigint = 7 -- expiry after so many days or fewer is soon
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html
-- false_positive: Buckets for temporary data; stacks torn down.

WITH calls AS (
  SELECT eventtime, principal_key, eventname, requestparameters, sourceipaddress, recipientaccountid,
         awsregion, eventid, outcome, errorcode,
         CASE eventname
              WHEN 'DeleteBucket' THEN 'bucket deleted'
              WHEN 'DeleteBucketReplication' THEN 'replication removed'
              WHEN 'DeleteObjectLockConfiguration' THEN 'object lock removed'
              WHEN 'PutBucketVersioning' THEN
                CASE WHEN json_extract_scalar(requestparameters, '$.VersioningConfiguration.Status') = 'Suspended'
                     THEN 'versioning suspended'
                     WHEN json_extract_scalar(requestparameters, '$.VersioningConfiguration.MfaDelete') = 'Disabled'
                     THEN 'MFA delete off' END
              WHEN 'PutObjectLockConfiguration' THEN
                CASE WHEN strpos(requestparameters, '"DefaultRetention"') = 0 THEN 'object lock without retention' END
              ELSE
                CASE WHEN any_match(regexp_extract_all(requestparameters,
                            'xpiration"\s*:\s*\{[^}]*"(?:Days|NoncurrentDays)"\s*:\s*"?(\d+)', 1),
                            d -> CAST(d AS bigint) <= :days)
                     THEN 'objects expire soon' END
         END AS change
  FROM   cloudtrail_logs
  WHERE  eventsource = 's3.amazonaws.com'
    AND  eventname IN ('DeleteBucket', 'DeleteBucketReplication', 'DeleteObjectLockConfiguration',
                       'PutBucketVersioning', 'PutObjectLockConfiguration', 'PutBucketLifecycle',
                       'PutBucketLifecycleConfiguration')
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
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

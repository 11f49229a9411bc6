-- title: Bucket of a trail tampered with
-- description: Calls that delete, expire, open or redirect the bucket into which a trail
--   delivers, or that delete or overwrite its log files. Which buckets those are is taken from
--   CreateTrail, UpdateTrail and from CloudTrail's own visits to them.
-- hit: Somebody changed where the evidence lies, or removed some of it. `asked_for` has the
--   request.
-- caveat: Deleted and overwritten objects need data events of that bucket, which are absent in
--   most trails; DeleteObjects does not name its keys. A bucket in another account is recorded
--   there. Run `trailhound verify` to learn what is missing.
-- severity: high
-- attack: TA0005:T1562.008
-- attack: TA0040:T1485.001
-- service: AWS CloudTrail
-- service: Amazon S3
-- param: buckets array(varchar) = '' -- further buckets that hold logs
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
-- false_positive: Lifecycle rules that a retention policy asks for; the bucket's policy changed
--   for a new account.

WITH trail_buckets AS (
  SELECT DISTINCT coalesce(json_extract_scalar(requestparameters, '$.s3BucketName'),
                           json_extract_scalar(requestparameters, '$.bucketName')) AS bucket
  FROM   cloudtrail_logs
  WHERE  (eventsource = 'cloudtrail.amazonaws.com' AND eventname IN ('CreateTrail', 'UpdateTrail'))
     OR  (eventsource = 's3.amazonaws.com' AND eventname IN ('GetBucketAcl', 'PutObject')
          AND sourceipaddress = 'cloudtrail.amazonaws.com')
)
SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       concat(json_extract_scalar(requestparameters, '$.bucketName'),
                coalesce(concat('/',
                                json_extract_scalar(requestparameters, '$.key')), '')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       requestparameters AS asked_for,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 's3.amazonaws.com'
  AND  eventname IN ('DeleteBucket', 'DeleteBucketPolicy', 'PutBucketPolicy', 'PutBucketAcl',
                     'PutBucketLifecycle', 'PutBucketLifecycleConfiguration', 'PutBucketVersioning',
                     'PutBucketEncryption', 'PutBucketReplication',
                     'PutBucketObjectLockConfiguration', 'DeleteObject', 'DeleteObjects',
                     'PutObject', 'CopyObject')
  AND  sourceipaddress <> 'cloudtrail.amazonaws.com'
  AND  (contains(:buckets, json_extract_scalar(requestparameters, '$.bucketName'))
        OR json_extract_scalar(requestparameters, '$.bucketName')
             IN (SELECT bucket FROM trail_buckets WHERE bucket IS NOT NULL)
        OR regexp_like(json_extract_scalar(requestparameters, '$.key'), 'AWSLogs/.*/CloudTrail'))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

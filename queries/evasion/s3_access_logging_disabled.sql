-- title: S3 access logging switched off
-- description: PutBucketLogging calls without a target: server access logging of the bucket
--   ends. It is often the only record of reads where data events are off.
-- hit: Reads and writes in that bucket are no longer recorded in access logs, or somebody tried
--   to bring that about.
-- caveat: A target that is changed to another bucket is not a hit. No row does not mean that
--   logging was on.
-- severity: medium
-- attack: TA0005:T1562.008
-- service: Amazon S3
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLogging.html
-- false_positive: Logging moved to data events on purpose; infrastructure as code that states
--   the default.

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
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 's3.amazonaws.com'
  AND  eventname = 'PutBucketLogging'
  AND  json_extract(requestparameters, '$.BucketLoggingStatus.LoggingEnabled') IS NULL
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

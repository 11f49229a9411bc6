-- title: Evidence that was deleted or overwritten
-- description: Every log file of a bucket that someone deleted or overwrote, as an ingest with
--   --versions found it, and who did it where the trail records data events of that bucket.
--   DeleteObjects does not say which keys it deletes: its calls stand beside each file that was
--   removed within the minute, as `perhaps`.
-- hit: A log file that CloudTrail had delivered was taken away or replaced at `removed_at`; where
--   `seen` is yes, the call that did it stands beside it.
-- caveat: Not for Athena: it reads `log_files`, which an ingest with --versions fills. Lifecycle rules
--   remove files without a call. No row does not mean that nothing was removed: a bucket without
--   versioning keeps no trace, and without data events nobody is named.
-- attack: TA0005:T1070
-- attack: TA0040:T1485
-- service: AWS CloudTrail
-- service: Amazon S3
-- param: since varchar = '' -- earliest time of removal, inclusive; all where empty
-- param: until varchar = '' -- latest time of removal, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html

WITH removed AS (
  SELECT uri,
         removed,
         removed_at,
         records_read,
         first_event_at,
         last_event_at,
         regexp_extract(substr(uri, 6), '^([^/]+)/', 1) AS bucket,
         regexp_extract(substr(uri, 6), '^[^/]+/(.*)[?]versionId=[^?]*$', 1) AS key
  FROM   log_files
  WHERE  removed IS NOT NULL
    AND  (:since = '' OR removed_at >= from_iso8601_timestamp(:since))
    AND  (:until = '' OR removed_at <= from_iso8601_timestamp(:until))
),
calls AS (
  SELECT event_ts,
         eventname,
         principal_key,
         sourceipaddress,
         useragent,
         eventid,
         json_extract_scalar(requestparameters, '$.bucketName') AS bucket,
         json_extract_scalar(requestparameters, '$.key') AS key
  FROM   cloudtrail_logs
  WHERE  eventsource = 's3.amazonaws.com'
    AND  errorcode IS NULL
    AND  eventname IN ('DeleteObject', 'DeleteObjects', 'PutObject', 'CopyObject',
                       'CompleteMultipartUpload')
)
SELECT removed.removed_at,
       removed.removed,
       removed.uri,
       removed.records_read,
       removed.first_event_at,
       removed.last_event_at,
       CASE WHEN calls.eventid IS NULL THEN NULL
            WHEN calls.eventname = 'DeleteObjects' THEN 'perhaps'
            ELSE 'yes'
       END AS seen,
       calls.eventname,
       calls.principal_key,
       calls.sourceipaddress,
       calls.useragent,
       calls.eventid
FROM   removed
LEFT   JOIN calls
  ON   calls.bucket = removed.bucket
 AND   (calls.key = removed.key
        OR (calls.eventname = 'DeleteObjects' AND removed.removed = 'deleted'))
 AND   calls.event_ts BETWEEN removed.removed_at - INTERVAL '1' MINUTE
                          AND removed.removed_at + INTERVAL '1' MINUTE
ORDER  BY removed.removed_at, removed.uri, calls.event_ts

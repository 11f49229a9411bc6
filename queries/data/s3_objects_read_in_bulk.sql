-- title: Bursts of object reads
-- description: Hours in which one principal read many objects or many bytes of a bucket, beside
--   what it usually reads there in an hour.
-- hit: Much was read in that hour: a download of a bucket, or a job that does its work;
--   `usual_reads` is the mean of the earlier hours.
-- caveat: Data events: absent unless the trail records them for that bucket. Hours begin at the
--   full hour, so a burst may be cut in two. NULL for the usual means that this principal had
--   never read from the bucket in these logs.
-- severity: medium
-- attack: TA0009:T1530
-- attack: TA0010:T1567.002
-- service: Amazon S3
-- param: objects bigint = 100 -- so many objects in an hour are a burst
-- param: bytes bigint = 1073741824 -- or so many bytes
-- param: factor double = 3.0 -- and so many times the usual
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html
-- false_positive: Backups, analytics jobs and data pipelines.

WITH hours AS (
  SELECT principal_key,
         recipientaccountid,
         awsregion,
         json_extract_scalar(requestparameters, '$.bucketName') AS bucket,
         date_trunc('hour', event_ts) AS hour,
         min(eventtime) AS eventtime,
         max(eventtime) AS last_seen,
         min_by(eventid, concat(eventtime, eventid)) AS eventid,
         count(*) AS reads,
         count(DISTINCT json_extract_scalar(requestparameters, '$.key')) AS objects,
         CAST(coalesce(sum(CAST(json_extract_scalar(additionaleventdata,
                                                    '$.bytesTransferredOut') AS double)),
                                                    0) AS bigint) AS bytes,
         count(DISTINCT regexp_extract(json_extract_scalar(requestparameters, '$.key'),
                                       '^(.*/)', 1)) AS prefixes,
         array_join(array_agg(DISTINCT sourceipaddress ORDER BY sourceipaddress), ', ') AS addresses
  FROM   cloudtrail_logs
  WHERE  eventsource = 's3.amazonaws.com'
    AND  eventname IN ('GetObject', 'SelectObjectContent')
    AND  outcome = 'ok'
    AND  (:until = '' OR eventtime <= :until)
  GROUP  BY principal_key, recipientaccountid, awsregion,
            json_extract_scalar(requestparameters, '$.bucketName'), date_trunc('hour', event_ts)
),
compared AS (
  SELECT *,
         avg(CAST(reads AS double)) OVER (PARTITION BY principal_key, recipientaccountid, awsregion,
                                          bucket
                           ORDER BY hour ROWS BETWEEN UNBOUNDED PRECEDING
                                   AND 1 PRECEDING) AS usual_reads,
         avg(CAST(bytes AS double)) OVER (PARTITION BY principal_key, recipientaccountid, awsregion,
                                          bucket
                           ORDER BY hour ROWS BETWEEN UNBOUNDED PRECEDING
                                   AND 1 PRECEDING) AS usual_bytes
  FROM   hours
)
SELECT eventtime,
       principal_key AS actor,
       'GetObject' AS action,
       bucket AS resource,
       addresses AS sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       reads,
       objects,
       bytes,
       prefixes,
       usual_reads,
       usual_bytes,
       last_seen
FROM   compared
WHERE  ((objects >= :objects AND reads >= :factor * coalesce(usual_reads, 0))
        OR (bytes >= :bytes AND bytes >= :factor * coalesce(usual_bytes, 0)))
  AND  (:since = '' OR eventtime >= :since)
ORDER  BY bytes DESC, eventtime, eventid

-- title: Objects read from S3
-- description: What was taken: for each object its reads, bytes, readers' addresses and times,
--   for a principal, a key, an address or a bucket, or all of them.
-- hit: An object that was read; `bytes` is what left S3.
-- caveat: Data events: absent unless the trail records them for that bucket, so an empty answer
--   says nothing of buckets without them. Reads through CloudFront, Athena or replication carry
--   that service's identity.
-- attack: TA0009:T1530
-- service: Amazon S3
-- param: principal varchar = '%' -- principal_key, as in LIKE
-- param: keys array(varchar) = '' -- access key ids; all where empty
-- param: addresses array(varchar) = '' -- source addresses; all where empty
-- param: bucket varchar = '%' -- the bucket, as in LIKE
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html

SELECT json_extract_scalar(requestparameters, '$.bucketName') AS bucket,
       json_extract_scalar(requestparameters, '$.key') AS object_key,
       count(*) FILTER (WHERE outcome = 'ok') AS reads,
       count(*) FILTER (WHERE outcome <> 'ok') AS failed,
       CAST(sum(CAST(json_extract_scalar(additionaleventdata, '$.bytesTransferredOut') AS double))
            FILTER (WHERE outcome = 'ok') AS bigint) AS bytes,
       count(DISTINCT principal_key) AS principals,
       array_join(array_agg(DISTINCT sourceipaddress ORDER BY sourceipaddress), ', ') AS addresses,
       min(eventtime) AS first_seen,
       max(eventtime) AS last_seen
FROM   cloudtrail_logs
WHERE  eventsource = 's3.amazonaws.com'
  AND  eventname IN ('GetObject', 'SelectObjectContent', 'GetObjectTorrent')
  AND  coalesce(principal_key, '') LIKE :principal
  AND  (cardinality(:keys) = 0 OR contains(:keys, useridentity.accesskeyid))
  AND  (cardinality(:addresses) = 0 OR contains(:addresses, sourceipaddress))
  AND  json_extract_scalar(requestparameters, '$.bucketName') LIKE :bucket
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY json_extract_scalar(requestparameters, '$.bucketName'),
          json_extract_scalar(requestparameters, '$.key')
ORDER  BY bytes DESC NULLS LAST, bucket, object_key

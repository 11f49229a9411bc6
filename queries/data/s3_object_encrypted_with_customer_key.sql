-- title: Objects encrypted with a key that AWS does not hold
-- description: Objects written or copied with a customer-provided key (SSE-C), by principal and
--   bucket. Ransomware encrypts objects in place that way: the key is never stored, and nothing
--   can be read without it.
-- hit: Those objects can be read only with the caller's key; `in_place` of them were copies onto
--   themselves.
-- caveat: Data events: absent unless the trail records them for that bucket, so an empty answer
--   says nothing of buckets without them. Versioning may have kept what was there before.
-- severity: high
-- attack: TA0040:T1486
-- service: Amazon S3
-- param: objects bigint = 1 -- fewest objects
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
-- false_positive: Applications that use SSE-C by design; they do so all the time.

WITH calls AS (
  SELECT eventtime, principal_key, eventname, sourceipaddress, recipientaccountid, awsregion,
         eventid, outcome,
         json_extract_scalar(requestparameters, '$.bucketName') AS bucket,
         json_extract_scalar(requestparameters, '$.key') AS object_key,
         regexp_replace(url_decode(split_part(regexp_extract(requestparameters,
           '"x-amz-copy-source"\s*:\s*\[?\s*"([^"]+)"', 1), '?', 1)), '^/', '') AS copied_from
  FROM   cloudtrail_logs
  WHERE  eventsource = 's3.amazonaws.com'
    AND  eventname IN ('PutObject', 'CopyObject', 'CreateMultipartUpload', 'UploadPart',
                       'UploadPartCopy')
    AND  (json_extract_scalar(additionaleventdata, '$.SSEApplied') = 'SSE_C'
          OR strpos(requestparameters, '"x-amz-server-side-encryption-customer-algorithm"') > 0
          OR strpos(responseelements, '"x-amz-server-side-encryption-customer-algorithm"') > 0)
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
)
SELECT min(eventtime) AS eventtime,
       principal_key AS actor,
       eventname AS action,
       bucket AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       min_by(eventid, concat(eventtime, eventid)) AS eventid,
       outcome,
       count(DISTINCT object_key) AS objects,
       count_if(copied_from = concat(bucket, '/', object_key)) AS in_place,
       min_by(object_key, concat(eventtime, eventid)) AS first_key,
       max(eventtime) AS last_seen
FROM   calls
GROUP  BY principal_key, eventname, bucket, sourceipaddress, recipientaccountid, awsregion, outcome
HAVING count(DISTINCT object_key) >= :objects
ORDER  BY eventtime, eventid

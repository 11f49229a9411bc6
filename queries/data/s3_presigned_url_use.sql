-- title: Use of presigned URLs
-- description: Requests to S3 that carried their signature in the address: which key signed, for
--   what object, when, how long it was good for, how often and from how many addresses it was
--   used.
-- hit: A presigned URL and its uses; more than one address means that it was passed on, `failed`
--   that it was tried after its end or altered.
-- caveat: Data events: absent unless the trail records them for that bucket. The signing key is
--   the caller here: its own activity tells who made the URL. Making one is no call and leaves no
--   record.
-- attack: TA0005:T1550.001
-- attack: TA0009:T1530
-- service: Amazon S3
-- param: keys array(varchar) = '' -- access key ids that signed; all where empty
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html

SELECT useridentity.accesskeyid AS signing_key,
       principal_key,
       json_extract_scalar(requestparameters, '$.bucketName') AS bucket,
       json_extract_scalar(requestparameters, '$.key') AS object_key,
       json_extract_scalar(requestparameters, '$["X-Amz-Date"]') AS signed_at,
       json_extract_scalar(requestparameters, '$["X-Amz-Expires"]') AS valid_seconds,
       array_join(array_agg(DISTINCT eventname ORDER BY eventname), ', ') AS apis,
       count(*) FILTER (WHERE outcome = 'ok') AS uses,
       count(*) FILTER (WHERE outcome <> 'ok') AS failed,
       count(DISTINCT sourceipaddress) AS addresses,
       array_join(slice(array_agg(DISTINCT sourceipaddress ORDER BY sourceipaddress),
                        1, 10), ', ') AS first_addresses,
       min(eventtime) AS first_seen,
       max(eventtime) AS last_seen
FROM   cloudtrail_logs
WHERE  eventsource = 's3.amazonaws.com'
  AND  eventname IN ('GetObject', 'PutObject', 'HeadObject', 'DeleteObject', 'ListObjects',
                     'ListObjectsV2', 'UploadPart', 'CreateMultipartUpload',
                     'CompleteMultipartUpload')
  AND  json_extract_scalar(additionaleventdata, '$.AuthenticationMethod') = 'QueryString'
  AND  (cardinality(:keys) = 0 OR contains(:keys, useridentity.accesskeyid))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY useridentity.accesskeyid, principal_key,
          json_extract_scalar(requestparameters, '$.bucketName'),
          json_extract_scalar(requestparameters, '$.key'),
          json_extract_scalar(requestparameters, '$["X-Amz-Date"]'),
          json_extract_scalar(requestparameters, '$["X-Amz-Expires"]')
ORDER  BY addresses DESC, uses DESC, signing_key, bucket, object_key, signed_at

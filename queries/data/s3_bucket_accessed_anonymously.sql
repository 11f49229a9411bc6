-- title: Anonymous access to S3
-- description: Objects and buckets that were asked for without credentials, by address and
--   bucket.
-- hit: Somebody without an AWS identity got, listed or wrote objects; where outcome is ok, the
--   bucket or object is public for that call.
-- caveat: Data events: absent unless the trail records them for that bucket. Most refused
--   anonymous calls are not recorded at all. Presigned URLs are not anonymous.
-- severity: medium
-- attack: TA0009:T1530
-- service: Amazon S3
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html
-- false_positive: Buckets that serve a website or public data.

SELECT min(eventtime) AS eventtime,
       'anonymous' AS actor,
       eventname AS action,
       json_extract_scalar(requestparameters, '$.bucketName') AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       min_by(eventid, concat(eventtime, eventid)) AS eventid,
       outcome,
       count(*) AS calls,
       count(DISTINCT json_extract_scalar(requestparameters, '$.key')) AS objects,
       CAST(sum(CAST(json_extract_scalar(additionaleventdata,
                                         '$.bytesTransferredOut') AS double)) AS bigint) AS bytes,
       max(eventtime) AS last_seen
FROM   cloudtrail_logs
WHERE  eventsource = 's3.amazonaws.com'
  AND  eventname IN ('GetObject', 'HeadObject', 'PutObject', 'DeleteObject', 'DeleteObjects',
                     'CopyObject', 'ListObjects', 'ListObjectsV2', 'ListObjectVersions',
                     'GetObjectAcl', 'PutObjectAcl', 'CreateMultipartUpload', 'UploadPart',
                     'HeadBucket', 'GetBucketAcl', 'GetBucketPolicy', 'GetBucketLocation')
  AND  lower(useridentity.accountid) IN ('anonymous', 'anonymous_principal')
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY eventname, json_extract_scalar(requestparameters, '$.bucketName'), sourceipaddress,
          recipientaccountid, awsregion, outcome
ORDER  BY eventtime, eventid

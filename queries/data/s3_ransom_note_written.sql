-- title: Ransom note written to a bucket
-- description: Objects written whose name looks like a ransom note: how to decrypt, restore or
--   recover files, ransom, a shouted read-me.
-- hit: The name looks like one; fetch the object to see. Deletions or encryption by the same key
--   will stand shortly before.
-- caveat: Data events: absent unless the trail records them for that bucket. Names are a guess:
--   a note may be called anything.
-- severity: high
-- attack: TA0040:T1486
-- service: Amazon S3
-- param: pattern varchar = '(?i)(ransom|decrypt|how[ _-]*to[ _-]*(restore|recover|decrypt|get)|(restore|recover)[ _-]*(your|my|all)?[ _-]*(files|data)|(your|all)[ _-]*(files|data)|read[ _-]*me[ _-]*(now|first|!)|!+[ _-]*read|warning)[^/]*\.(txt|html?|md|rtf)$' -- the end of a key that is a note
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html
-- false_positive: Documentation of backup and encryption software.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       concat(json_extract_scalar(requestparameters, '$.bucketName'), '/',
                json_extract_scalar(requestparameters, '$.key')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       useridentity.accesskeyid AS accesskeyid,
       CAST(CAST(json_extract_scalar(additionaleventdata,
                                     '$.bytesTransferredIn') AS double) AS bigint) AS bytes,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 's3.amazonaws.com'
  AND  eventname IN ('PutObject', 'CopyObject', 'CompleteMultipartUpload')
  AND  regexp_like(json_extract_scalar(requestparameters, '$.key'), :pattern)
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

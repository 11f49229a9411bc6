-- title: Objects encrypted with another account's KMS key
-- description: Objects written, or buckets told to encrypt, with an AWS KMS key that lies in
--   another account. Who owns the key can lock the data.
-- hit: The data depends on a key of `key_account`; where that account is none of ours, it is
--   held hostage, or being carried off.
-- caveat: Objects need data events, which are absent in most trails; PutBucketEncryption is
--   always recorded. A key given by alias or bare id is of the own account.
-- severity: high
-- attack: TA0040:T1486
-- service: Amazon S3
-- service: AWS KMS
-- param: known array(varchar) = '' -- accounts that belong to us
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
-- false_positive: A central account that holds the organization's keys: give it in `known`.

WITH calls AS (
  SELECT eventtime, principal_key, eventname, sourceipaddress, recipientaccountid, awsregion,
         eventid, outcome,
         json_extract_scalar(requestparameters, '$.bucketName') AS bucket,
         json_extract_scalar(requestparameters, '$.key') AS object_key,
         regexp_extract(requestparameters,
                        'arn:aws[a-z-]*:kms:[^:"]*:\d{12}:(?:key|alias)/[^"]+') AS kms_key,
         regexp_extract(requestparameters, 'arn:aws[a-z-]*:kms:[^:"]*:(\d{12}):', 1) AS key_account
  FROM   cloudtrail_logs
  WHERE  eventsource = 's3.amazonaws.com'
    AND  eventname IN ('PutObject', 'CopyObject', 'CreateMultipartUpload', 'PutBucketEncryption',
                       'CreateSession')
    AND  strpos(requestparameters, ':kms:') > 0
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
       key_account,
       kms_key,
       count(*) AS calls,
       count(DISTINCT object_key) AS objects,
       max(eventtime) AS last_seen
FROM   calls
WHERE  key_account <> recipientaccountid
  AND  NOT contains(:known, key_account)
GROUP  BY principal_key, eventname, bucket, sourceipaddress, recipientaccountid, awsregion, outcome,
          key_account, kms_key
ORDER  BY eventtime, eventid

-- title: S3 public access block removed
-- description: The public access block of a bucket or of a whole account deleted, or set with
--   one of its four flags off. It is the step before a bucket is made public.
-- hit: Public policies or ACLs work again there, or somebody tried to bring that about;
--   `missing` has the flags that are off.
-- caveat: Nothing is public by this alone. No row does not mean that a block was in place: old
--   buckets have none.
-- severity: medium
-- attack: TA0009:T1530
-- attack: TA0005:T1562
-- service: Amazon S3
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html
-- false_positive: Buckets that serve a website or public data.

WITH calls AS (
  SELECT eventtime, principal_key, eventname, requestparameters, sourceipaddress,
         recipientaccountid, awsregion, eventid, outcome, errorcode, useragent,
         json_extract(requestparameters, '$.PublicAccessBlockConfiguration') AS flags
  FROM   cloudtrail_logs
  WHERE  eventsource IN ('s3.amazonaws.com', 's3-control.amazonaws.com')
    AND  eventname IN ('DeleteBucketPublicAccessBlock', 'DeleteAccountPublicAccessBlock',
                       'PutBucketPublicAccessBlock', 'PutAccountPublicAccessBlock')
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
judged AS (
  SELECT *,
         CASE WHEN eventname LIKE 'Delete%' THEN 'all'
              ELSE array_join(filter(ARRAY['BlockPublicAcls', 'IgnorePublicAcls',
                                           'BlockPublicPolicy',
                                           'RestrictPublicBuckets'],
                                     f -> NOT regexp_like(coalesce(json_format(flags), ''),
                                                          concat('"', f, '"\s*:\s*"?true'))), ', ')
         END AS missing
  FROM   calls
)
SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.bucketName'),
                concat('account ', json_extract_scalar(requestparameters, '$.accountId')),
                concat('account ', recipientaccountid)) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       missing,
       useragent
FROM   judged
WHERE  missing <> ''
ORDER  BY eventtime, eventid

-- title: S3 bucket made public
-- description: Bucket policies that allow everybody, and ACLs that let everybody or any AWS
--   account in.
-- hit: The bucket is potentially public from then on, or somebody tried to make it so; `how` and
--   `opened_to` say how and for whom.
-- caveat: This is read from the text of the policy, not proved: a condition may still restrict
--   it, and public access blocks of the bucket or the account may overrule it. No row does not
--   mean that no bucket was public before.
-- severity: high
-- attack: TA0009:T1530
-- service: Amazon S3
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
-- false_positive: Buckets that serve a website or public data.

WITH calls AS (
  SELECT eventtime, principal_key, eventname, requestparameters, sourceipaddress,
         recipientaccountid, awsregion, eventid, outcome, errorcode,
         coalesce(TRY(CAST(json_extract(requestparameters,
                                        '$.bucketPolicy.Statement') AS array(json))),
                  ARRAY[json_extract(requestparameters, '$.bucketPolicy.Statement')]) AS statements,
         regexp_extract(requestparameters,
           '"x-amz-acl"\s*:\s*\[?\s*"(public-read-write|public-read|authenticated-read)"',
           1) AS canned,
         regexp_extract(requestparameters,
                        'groups/global/(AllUsers|AuthenticatedUsers)', 1) AS grantees
  FROM   cloudtrail_logs
  WHERE  eventsource = 's3.amazonaws.com'
    AND  eventname IN ('PutBucketPolicy', 'PutBucketAcl', 'CreateBucket')
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
opened AS (
  SELECT c.*,
         concat('policy: ',
                coalesce(json_format(json_extract(s.statement, '$.Action')),
                         'all but NotAction')) AS how,
         'everybody' AS opened_to,
         json_format(json_extract(s.statement, '$.Condition')) AS only_if
  FROM   calls c
  CROSS  JOIN UNNEST(c.statements) AS s(statement)
  WHERE  json_extract_scalar(s.statement, '$.Effect') = 'Allow'
    AND  strpos(json_format(json_extract(s.statement, '$.Principal')), '"*"') > 0
  UNION  ALL
  SELECT c.*,
         concat('acl: ', coalesce(c.canned, c.grantees)),
         CASE WHEN c.canned = 'authenticated-read' OR c.grantees = 'AuthenticatedUsers'
              THEN 'any AWS account' ELSE 'everybody' END,
         NULL
  FROM   calls c
  WHERE  c.canned IS NOT NULL OR c.grantees IS NOT NULL
)
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
       how,
       opened_to,
       only_if
FROM   opened
ORDER  BY eventtime, eventid, how

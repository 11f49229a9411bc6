-- title: Who used a KMS key, and for what
-- description: Use of keys by principal, operation, service in between and encryption context:
--   what a key protects, and who read it.
-- hit: `calls` such uses of the key; the context names the object, secret, volume or parameter.
-- caveat: Services keep data keys for a while, so one Decrypt may stand for many reads. A call
--   that names the key by alias, and was refused, may lack the key's ARN.
-- attack: TA0006:T1552
-- service: AWS KMS
-- param: key_id varchar = '%' -- id, alias or ARN of the key, as in LIKE
-- param: principal varchar = '%' -- principal_key, as in LIKE
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/kms/latest/developerguide/ct-decrypt.html

WITH uses AS (
  SELECT eventtime, principal_key, eventname, sourceipaddress, outcome,
         useridentity.invokedby AS invoked_by,
         coalesce(element_at(resources, 1).arn,
                  json_extract_scalar(requestparameters, '$.keyId')) AS kms_key,
         json_format(json_extract(requestparameters, '$.encryptionContext')) AS context
  FROM   cloudtrail_logs
  WHERE  eventsource = 'kms.amazonaws.com'
    AND  eventname IN ('Decrypt', 'Encrypt', 'ReEncrypt', 'GenerateDataKey',
                       'GenerateDataKeyWithoutPlaintext', 'GenerateDataKeyPair',
                       'GenerateDataKeyPairWithoutPlaintext', 'Sign', 'Verify', 'GenerateMac',
                       'VerifyMac', 'DeriveSharedSecret', 'GetPublicKey')
    AND  coalesce(principal_key, '') LIKE :principal
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
)
SELECT kms_key,
       principal_key,
       eventname,
       invoked_by,
       context,
       count(*) AS calls,
       count(*) FILTER (WHERE outcome <> 'ok') AS failed,
       count(DISTINCT sourceipaddress) AS addresses,
       min(eventtime) AS first_seen,
       max(eventtime) AS last_seen
FROM   uses
WHERE  coalesce(kms_key, '') LIKE :key_id
GROUP  BY kms_key, principal_key, eventname, invoked_by, context
ORDER  BY calls DESC, kms_key, principal_key, eventname, invoked_by, context

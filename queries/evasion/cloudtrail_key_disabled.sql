-- title: Key of a trail disabled or deleted
-- description: AWS KMS keys that encrypt a trail's log files, told from CloudTrail's own use of
--   them, and calls that disable, delete or lock them away. Without its key a log file cannot be
--   read, and CloudTrail can write none.
-- hit: Log files become unreadable, or delivery stops, unless the call is undone.
-- caveat: The key is known as a trail's only where the logs hold a GenerateDataKey by
--   CloudTrail, or the CreateTrail or UpdateTrail that named it. No row does not mean that the
--   keys are whole: keys of another account log there.
-- severity: high
-- attack: TA0005:T1562.008
-- attack: TA0040:T1485
-- service: AWS KMS
-- service: AWS CloudTrail
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/encrypting-cloudtrail-log-files-with-aws-kms.html
-- false_positive: A key replaced by another, disabled after the trail was moved to the new one.

WITH trail_keys AS (
  SELECT DISTINCT element_at(split(coalesce(json_extract_scalar(requestparameters, '$.kmsKeyId'),
                                            json_extract_scalar(requestparameters, '$.keyId')),
                                            '/'), -1) AS key_id
  FROM   cloudtrail_logs
  WHERE  (eventsource = 'cloudtrail.amazonaws.com' AND eventname IN ('CreateTrail', 'UpdateTrail'))
     OR  (eventsource = 'kms.amazonaws.com' AND eventname IN ('GenerateDataKey')
          AND strpos(requestparameters, '"aws:cloudtrail:arn"') > 0)
)
SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       json_extract_scalar(requestparameters, '$.keyId') AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       json_extract_scalar(requestparameters, '$.pendingWindowInDays') AS pending_days,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 'kms.amazonaws.com'
  AND  eventname IN ('DisableKey', 'ScheduleKeyDeletion', 'DeleteImportedKeyMaterial',
                     'PutKeyPolicy', 'DisconnectCustomKeyStore')
  AND  element_at(split(json_extract_scalar(requestparameters, '$.keyId'), '/'), -1)
         IN (SELECT key_id FROM trail_keys WHERE key_id IS NOT NULL)
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

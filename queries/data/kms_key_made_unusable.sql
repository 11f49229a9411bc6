-- title: KMS key made unusable
-- description: Keys disabled or scheduled for deletion, imported key material deleted or let
--   expire, and custom key stores cut off. What they encrypted cannot be read any more.
-- hit: Data under that key is locked, or will be after `pending_days` days; or somebody tried to
--   bring that about.
-- caveat: CancelKeyDeletion and EnableKey undo it; deleted imported material comes back only
--   with the same material. Rows do not tell what the key protects: ask `kms_key_use`.
-- severity: high
-- attack: TA0040:T1485
-- attack: TA0040:T1486
-- service: AWS KMS
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html
-- false_positive: Keys that are retired; stacks torn down by infrastructure as code.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.keyId'),
                json_extract_scalar(requestparameters, '$.customKeyStoreId')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       json_extract_scalar(requestparameters, '$.pendingWindowInDays') AS pending_days,
       json_extract_scalar(requestparameters, '$.validTo') AS material_valid_to,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 'kms.amazonaws.com'
  AND  (eventname IN ('DisableKey', 'ScheduleKeyDeletion', 'DeleteImportedKeyMaterial',
                      'DisconnectCustomKeyStore', 'DeleteCustomKeyStore')
        OR (eventname = 'ImportKeyMaterial'
            AND json_extract_scalar(requestparameters, '$.expirationModel')
                  = 'KEY_MATERIAL_EXPIRES'))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

-- title: Life of a KMS key
-- description: All that changed keys of AWS KMS, in order: made, enabled, disabled, policies,
--   grants, aliases, rotation, imported material, custom key stores, deletion, with the service's
--   own events.
-- hit: What happened to the key, by whom; a rotation by KMS itself has no principal.
-- caveat: AWS managed keys rotate by themselves. A call that names the key by alias is shown
--   under the alias, not the key. Use of keys is in `kms_key_use`.
-- attack: TA0040:T1485
-- service: AWS KMS
-- param: key_id varchar = '%' -- id, alias or ARN of the key, as in LIKE
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/kms/latest/developerguide/logging-using-cloudtrail.html

WITH changes AS (
  SELECT eventtime, principal_key, eventname, requestparameters, sourceipaddress,
         recipientaccountid, awsregion, eventid, outcome, errorcode, useragent,
         coalesce(element_at(resources, 1).arn,
                  json_extract_scalar(responseelements, '$.keyMetadata.arn'),
                  json_extract_scalar(responseelements, '$.keyId'),
                  json_extract_scalar(serviceeventdetails, '$.keyId'),
                  json_extract_scalar(requestparameters, '$.keyId'),
                  json_extract_scalar(requestparameters, '$.targetKeyId'),
                  json_extract_scalar(requestparameters, '$.aliasName'),
                  json_extract_scalar(requestparameters, '$.customKeyStoreId')) AS kms_key,
         coalesce(json_extract_scalar(requestparameters, '$.granteePrincipal'),
                  json_extract_scalar(serviceeventdetails, '$.rotationType'),
                  json_extract_scalar(requestparameters, '$.pendingWindowInDays'),
                  json_extract_scalar(requestparameters, '$.aliasName'),
                  json_extract_scalar(requestparameters, '$.keyUsage')) AS details
  FROM   cloudtrail_logs
  WHERE  eventsource = 'kms.amazonaws.com'
    AND  eventname IN ('CreateKey', 'ReplicateKey', 'UpdatePrimaryRegion', 'EnableKey',
                       'DisableKey', 'PutKeyPolicy', 'CreateGrant', 'RevokeGrant', 'RetireGrant',
                       'CreateAlias', 'UpdateAlias', 'DeleteAlias', 'UpdateKeyDescription',
                       'EnableKeyRotation', 'DisableKeyRotation', 'RotateKeyOnDemand', 'RotateKey',
                       'ImportKeyMaterial', 'DeleteImportedKeyMaterial', 'DeleteExpiredKeyMaterial',
                       'ScheduleKeyDeletion', 'CancelKeyDeletion', 'DeleteKey',
                       'CreateCustomKeyStore', 'UpdateCustomKeyStore', 'ConnectCustomKeyStore',
                       'DisconnectCustomKeyStore', 'DeleteCustomKeyStore')
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
)
SELECT eventtime,
       kms_key,
       eventname,
       principal_key,
       outcome,
       errorcode,
       details,
       requestparameters AS asked_for,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       useragent,
       eventid
FROM   changes
WHERE  coalesce(kms_key, '') LIKE :key_id
ORDER  BY eventtime, eventid

-- title: Life of a secret and its rotation
-- description: All that changed secrets, in order: made, updated, rotated, failed or abandoned
--   rotations, policies, replicas, deletions and restorations, with the service's own events.
-- hit: What happened to the secret; RotationFailed and RotationAbandoned mean that the old value
--   still holds.
-- caveat: Values are never in the log. Rotation by a Lambda function shows as that function's
--   calls. Logs from before 2024-02 spell an ARN as `aRN`; both are read.
-- service: AWS Secrets Manager
-- param: secret varchar = '%' -- name or ARN of the secret, as in LIKE
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieve-ct-entries.html

WITH changes AS (
  SELECT eventtime, principal_key, eventname, sourceipaddress, recipientaccountid, awsregion,
         eventid, outcome, errorcode, useragent,
         coalesce(json_extract_scalar(responseelements, '$.arn'),
                  json_extract_scalar(responseelements, '$.aRN'),
                  json_extract_scalar(requestparameters, '$.secretId'),
                  json_extract_scalar(requestparameters, '$.name'),
                  json_extract_scalar(additionaleventdata, '$.SecretId'),
                  json_extract_scalar(additionaleventdata, '$.ARN')) AS secret,
         coalesce(json_extract_scalar(requestparameters, '$.rotationLambdaARN'),
                  json_extract_scalar(requestparameters, '$.kmsKeyId'),
                  json_format(json_extract(requestparameters, '$.addReplicaRegions')),
                  json_extract_scalar(requestparameters, '$.recoveryWindowInDays')) AS details
  FROM   cloudtrail_logs
  WHERE  eventsource = 'secretsmanager.amazonaws.com'
    AND  eventname IN ('CreateSecret', 'UpdateSecret', 'PutSecretValue', 'UpdateSecretVersionStage',
                       'RotateSecret', 'CancelRotateSecret', 'RotationStarted', 'RotationSucceeded',
                       'RotationFailed', 'RotationAbandoned', 'TestRotationStarted',
                       'TestRotationSucceeded', 'TestRotationFailed', 'DeleteSecret',
                       'RestoreSecret', 'CancelSecretVersionDelete', 'StartSecretVersionDelete',
                       'EndSecretVersionDelete', 'SecretVersionDeletion',
                       'ReplicateSecretToRegions', 'RemoveRegionsFromReplication',
                       'PutResourcePolicy', 'DeleteResourcePolicy')
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
)
SELECT eventtime,
       secret,
       eventname,
       principal_key,
       outcome,
       errorcode,
       details,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       useragent,
       eventid
FROM   changes
WHERE  coalesce(secret, '') LIKE :secret
ORDER  BY eventtime, eventid

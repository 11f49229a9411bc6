-- title: Access to models opened
-- description: Calls by which an account gets the use of foundation models: use case submitted,
--   agreement accepted, entitlement put, provisioned capacity bought, models imported.
-- hit: Models can be used that could not be used before, or somebody tried to bring that about.
-- caveat: Models that are on by default need none of these. No row does not mean that no model
--   was used.
-- severity: medium
-- attack: TA0040:T1496.004
-- service: Amazon Bedrock
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html
-- false_positive: Teams that take a model into use.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.modelId'),
                json_extract_scalar(requestparameters, '$.importedModelName'),
                json_extract_scalar(requestparameters, '$.customModelName'),
                json_extract_scalar(requestparameters, '$.provisionedModelName')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       json_extract_scalar(responseelements, '$.status') AS status,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 'bedrock.amazonaws.com'
  AND  eventname IN ('PutUseCaseForModelAccess', 'PutFoundationModelEntitlement',
                     'CreateFoundationModelAgreement', 'CreateProvisionedModelThroughput',
                     'CreateModelImportJob', 'CreateModelCustomizationJob',
                     'CreateModelInvocationJob', 'CreateInferenceProfile')
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

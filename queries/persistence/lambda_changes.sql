-- title: Changes to Lambda functions
-- description: Everything that changed what functions run, with which role and layers, and who
--   may call them, in order. Code that is invoked by events runs again long after the credentials
--   that put it there are gone.
-- hit: One change of one function. Same caller, other address or hour than usual: look at what
--   the function may do (`role`).
-- caveat: CloudTrail does not record the code, nor the values of environment variables.
--   `previous` counts earlier changes of this function by this caller, in the logs at hand.
-- attack: TA0003:T1525
-- attack: TA0002:T1648
-- service: AWS Lambda
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: function varchar = '%' -- the function's or layer's name, as in LIKE
-- reference: https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html

WITH changes AS (
  SELECT eventtime,
         principal_key,
         event_name_base,
         regexp_replace(coalesce(json_extract_scalar(responseelements, '$.functionArn'),
                                 json_extract_scalar(requestparameters, '$.functionName'),
                                 json_extract_scalar(requestparameters, '$.layerName')),
                        '^arn:[^:]+:lambda:[^:]*:[^:]*:(?:function|layer):', '') AS name,
         outcome,
         errorcode,
         coalesce(json_extract_scalar(responseelements, '$.role'),
                  json_extract_scalar(requestparameters, '$.role')) AS role,
         json_format(json_extract(requestparameters, '$.layers')) AS layers,
         coalesce(json_extract_scalar(requestparameters, '$.code.s3Bucket'),
                  json_extract_scalar(requestparameters, '$.s3Bucket'),
                  json_extract_scalar(requestparameters, '$.code.imageUri'),
                  json_extract_scalar(requestparameters, '$.imageUri')) AS code_from,
         json_extract_scalar(responseelements, '$.codeSha256') AS code_sha256,
         sourceipaddress,
         useragent,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  eventsource = 'lambda.amazonaws.com'
    AND  (eventname LIKE 'CreateFunction20%'
          OR eventname LIKE 'UpdateFunctionCode%'
          OR eventname LIKE 'UpdateFunctionConfiguration%'
          OR eventname LIKE 'PublishVersion%'
          OR eventname LIKE 'PublishLayerVersion%'
          OR eventname LIKE 'AddPermission%'
          OR eventname LIKE 'RemovePermission%'
          OR eventname LIKE 'DeleteFunction20%'
          OR eventname LIKE 'UpdateAlias%'
          OR eventname LIKE '%FunctionUrlConfig')
    AND  coalesce(readonly, 'false') <> 'true'
)
SELECT eventtime,
       principal_key,
       event_name_base AS action,
       name,
       split_part(name, ':', 1) AS function_name,
       outcome,
       errorcode,
       role,
       layers,
       code_from,
       code_sha256,
       count(*) OVER (PARTITION BY recipientaccountid, awsregion, split_part(name, ':', 1),
                                   principal_key
                      ORDER BY eventtime, eventid
                      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) - 1 AS previous,
       sourceipaddress,
       useragent,
       recipientaccountid,
       awsregion,
       eventid
FROM   changes
WHERE  coalesce(name, '') LIKE :function
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

-- title: Layer of another account put into a function
-- description: A layer is code that runs with the function, before its own. One from an account
--   that is not ours brings somebody else's code under the function's role without touching its
--   code.
-- hit: `layer` belongs to `layer_account` and now runs in `resource`.
-- caveat: Layers of AWS and of vendors come from their accounts: list them in `known`. A layer
--   already in the function is named again by every change of its configuration.
-- severity: medium
-- attack: TA0004:T1548.005
-- attack: TA0003:T1525
-- service: AWS Lambda
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: known array(varchar) = '' -- accounts whose layers are trusted
-- reference: https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html
-- false_positive: Extensions of AWS (Lambda Insights, Parameters and Secrets) and of monitoring
--   vendors.

WITH changes AS (
  SELECT eventtime,
         principal_key,
         event_name_base,
         json_extract_scalar(requestparameters, '$.functionName') AS function_name,
         json_extract_scalar(responseelements, '$.role') AS role,
         try(CAST(json_extract(requestparameters, '$.layers') AS array(varchar))) AS layers,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  eventsource = 'lambda.amazonaws.com'
    AND  (eventname LIKE 'UpdateFunctionConfiguration%' OR eventname LIKE 'CreateFunction20%')
    AND  errorcode IS NULL
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
added AS (
  SELECT changes.*,
         layer,
         split_part(layer, ':', 5) AS layer_account
  FROM   changes
  CROSS  JOIN UNNEST(layers) AS t(layer)
)
SELECT eventtime,
       principal_key AS actor,
       event_name_base AS action,
       function_name AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       layer,
       layer_account,
       role
FROM   added
WHERE  layer_account <> recipientaccountid
  AND  NOT contains(:known, layer_account)
ORDER  BY eventtime, eventid, layer

-- title: Lambda function or layer opened to outsiders
-- description: A function's policy that lets everyone or another account call or change it, a
--   function URL without authentication, or a layer shared with everyone. The function then
--   answers to the intruder with its role's rights.
-- hit: `opened_to` may now use `resource`: `*` is everyone, twelve digits an account, an ARN one
--   principal in it.
-- caveat: Grants to AWS services are left out, also those without a source condition. A URL
--   without authentication still needs a permission for `*`, which is a row of its own.
-- severity: high
-- attack: TA0003:T1098.003
-- attack: TA0003:T1546
-- service: AWS Lambda
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: known array(varchar) = '' -- accounts that may be let in
-- reference: https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
-- reference: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
-- false_positive: Public webhooks behind function URLs; layers that are published for others.

WITH opened AS (
  SELECT eventtime,
         principal_key,
         event_name_base,
         coalesce(json_extract_scalar(requestparameters, '$.functionName'),
                  json_extract_scalar(requestparameters, '$.layerName')) AS name,
         CASE WHEN json_extract_scalar(requestparameters, '$.authType') = 'NONE' THEN '*'
              ELSE json_extract_scalar(requestparameters, '$.principal')
         END AS opened_to,
         json_extract_scalar(requestparameters, '$.action') AS may,
         coalesce(json_extract_scalar(requestparameters, '$.principalOrgID'),
                  json_extract_scalar(requestparameters, '$.organizationId')) AS organization,
         outcome,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  eventsource = 'lambda.amazonaws.com'
    AND  (eventname LIKE 'AddPermission20%'
          OR eventname LIKE 'AddLayerVersionPermission%'
          OR eventname LIKE 'CreateFunctionUrlConfig%'
          OR eventname LIKE 'UpdateFunctionUrlConfig%')
    AND  outcome IN ('ok', 'denied')
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
)
SELECT eventtime,
       principal_key AS actor,
       event_name_base AS action,
       name AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       opened_to,
       may,
       organization,
       outcome
FROM   opened
WHERE  opened_to = '*'
   OR  (regexp_extract(opened_to, '[0-9]{12}') <> recipientaccountid
        AND NOT contains(:known, regexp_extract(opened_to, '[0-9]{12}')))
ORDER  BY eventtime, eventid

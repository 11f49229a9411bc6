-- title: Resource policy opened to outsiders (queues, topics, secrets, …)
-- description: Resource policies other than buckets', keys' and functions' that let everyone or
--   another account in: SQS, SNS, Secrets Manager, ECR, EFS, EventBridge, OpenSearch, backup
--   vaults, VPC endpoints. Access by such a policy needs no credential here.
-- hit: `opened_to` may do `actions` on `resource`; `condition` may narrow it.
-- caveat: Policies are read as text. VPC endpoints' default policy allows everyone and only caps
--   what passes through. Buckets, keys and functions have queries of their own.
-- severity: high
-- attack: TA0003:T1098.003
-- attack: TA0010:T1537
-- service: Amazon SQS
-- service: Amazon SNS
-- service: AWS Secrets Manager
-- service: Amazon ECR
-- service: Amazon EFS
-- service: Amazon EventBridge
-- service: AWS Backup
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: known array(varchar) = '' -- accounts that may be let in
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_identity-vs-resource.html
-- false_positive: Shared repositories and topics: name the partners' accounts in `known`.

WITH ours AS (
  SELECT DISTINCT recipientaccountid AS account_id
  FROM   cloudtrail_logs
),
changes AS (
  SELECT eventtime,
         principal_key,
         eventname,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid,
         coalesce(json_extract_scalar(requestparameters, '$.queueUrl'),
                  json_extract_scalar(responseelements, '$.queueUrl'),
                  json_extract_scalar(requestparameters, '$.topicArn'),
                  json_extract_scalar(requestparameters, '$.secretId'),
                  json_extract_scalar(requestparameters, '$.repositoryName'),
                  json_extract_scalar(requestparameters, '$.fileSystemId'),
                  json_extract_scalar(requestparameters, '$.eventBusName'),
                  json_extract_scalar(requestparameters, '$.backupVaultName'),
                  json_extract_scalar(requestparameters, '$.domainName'),
                  json_extract_scalar(requestparameters, '$.resourceArn'),
                  json_extract_scalar(requestparameters, '$.queueName'),
                  json_extract_scalar(requestparameters, '$.name')) AS holder,
         coalesce(json_extract_scalar(requestparameters, '$.attributes.Policy'),
                  CASE WHEN json_extract_scalar(requestparameters, '$.attributeName') = 'Policy'
                       THEN json_extract_scalar(requestparameters, '$.attributeValue')
                  END,
                  json_extract_scalar(requestparameters, '$.resourcePolicy'),
                  json_extract_scalar(requestparameters, '$.policyText'),
                  json_extract_scalar(requestparameters, '$.accessPolicies'),
                  json_extract_scalar(requestparameters, '$.policy')) AS document
  FROM   cloudtrail_logs
  WHERE  eventsource IN ('sqs.amazonaws.com', 'sns.amazonaws.com', 'secretsmanager.amazonaws.com',
                         'ecr.amazonaws.com', 'elasticfilesystem.amazonaws.com',
                         'events.amazonaws.com', 'backup.amazonaws.com', 'es.amazonaws.com',
                         'dynamodb.amazonaws.com', 'glue.amazonaws.com',
                         'codeartifact.amazonaws.com')
    AND  errorcode IS NULL
    AND  coalesce(readonly, 'false') <> 'true'
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
bodies AS (
  SELECT eventid,
         json_format(json_extract(document, '$.Statement')) AS body
  FROM   changes
  WHERE  document IS NOT NULL
),
statements AS (
  SELECT eventid,
         json_format(json_extract(statement, '$.Condition')) AS condition,
         json_format(json_extract(statement, '$.Action')) AS actions,
         CASE WHEN json_format(json_extract(statement, '$.Principal')) = '"*"' THEN '"*"'
              ELSE json_format(json_extract(statement, '$.Principal.AWS'))
         END AS accounts
  FROM   bodies
  CROSS  JOIN UNNEST(CAST(json_parse(CASE WHEN substr(body, 1, 1) = '[' THEN body
                                          ELSE '[' || body || ']'
                                     END) AS array(json))) AS t(statement)
  WHERE  json_extract_scalar(statement, '$.Effect') = 'Allow'
),
opened AS (
  SELECT eventid,
         condition,
         actions,
         opened_to,
         regexp_extract(opened_to, '[0-9]{12}') AS account_id
  FROM   statements
  CROSS  JOIN UNNEST(try(CAST(json_parse(CASE WHEN substr(accounts, 1, 1) = '[' THEN accounts
                                              ELSE '[' || accounts || ']'
                                         END) AS array(varchar)))) AS t(opened_to)
)
SELECT changes.eventtime,
       changes.principal_key AS actor,
       changes.eventname AS action,
       changes.holder AS resource,
       changes.sourceipaddress,
       changes.recipientaccountid,
       changes.awsregion,
       changes.eventid,
       opened.opened_to,
       opened.actions,
       opened.condition
FROM   changes
JOIN   opened
  ON   opened.eventid = changes.eventid
LEFT   JOIN ours
  ON   ours.account_id = opened.account_id
WHERE  (opened.opened_to = '*'
        AND (opened.condition IS NULL
             OR NOT regexp_like(lower(opened.condition),
                  'aws:(source(arn|account|owner|vpc|vpce|ip)|principalorgid|principalaccount)')))
   OR  (opened.account_id <> changes.recipientaccountid
        AND ours.account_id IS NULL
        AND NOT contains(:known, opened.account_id))
ORDER  BY changes.eventtime, changes.eventid, opened.opened_to, opened.actions

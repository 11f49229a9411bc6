-- title: Statements of policies that were written
-- description: Every policy document that a call carried, taken apart: one row a statement, with
--   its principal, actions, resources and condition. IAM, trust, bucket, key, queue, topic,
--   function, endpoint, secret, repository and organization policies alike.
-- hit: One statement of a policy that was put in place, or tried: see `outcome`. `holder` is what
--   the policy belongs to.
-- caveat: Lists are JSON text as written. What a policy replaced is not in the event; a policy
--   written before the logs begin appears nowhere. SetDefaultPolicyVersion and AttachUserPolicy
--   carry no document.
-- attack: TA0003:T1098.003
-- service: IAM
-- service: Amazon S3
-- service: AWS KMS
-- service: Amazon SQS
-- service: Amazon SNS
-- service: AWS Lambda
-- service: AWS Secrets Manager
-- service: Amazon ECR
-- service: AWS Organizations
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: holder varchar = '%' -- whose policy, as in LIKE: a user, role, bucket, key, …
-- param: mentions varchar = '%' -- what the statement's text holds, as in LIKE, such as
--   %123456789012%
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html

WITH documents AS (
  SELECT eventtime,
         principal_key,
         eventsource,
         eventname,
         outcome,
         recipientaccountid,
         awsregion,
         eventid,
         coalesce(json_extract_scalar(requestparameters, '$.userName'),
                  json_extract_scalar(requestparameters, '$.roleName'),
                  json_extract_scalar(requestparameters, '$.groupName'),
                  json_extract_scalar(requestparameters, '$.policyArn'),
                  json_extract_scalar(responseelements, '$.policy.arn'),
                  json_extract_scalar(requestparameters, '$.policyName'),
                  json_extract_scalar(requestparameters, '$.bucketName'),
                  json_extract_scalar(requestparameters, '$.keyId'),
                  json_extract_scalar(responseelements, '$.keyMetadata.arn'),
                  json_extract_scalar(requestparameters, '$.queueUrl'),
                  json_extract_scalar(requestparameters, '$.topicArn'),
                  json_extract_scalar(requestparameters, '$.functionName'),
                  json_extract_scalar(requestparameters, '$.secretId'),
                  json_extract_scalar(requestparameters, '$.repositoryName'),
                  json_extract_scalar(requestparameters, '$.permissionSetArn'),
                  json_extract_scalar(requestparameters, '$.policyId'),
                  json_extract_scalar(requestparameters,
                                      '$.ModifyVpcEndpointRequest.VpcEndpointId'),
                  json_extract_scalar(requestparameters,
                                      '$.CreateVpcEndpointRequest.ServiceName'),
                  json_extract_scalar(requestparameters, '$.resourceArn'),
                  json_extract_scalar(requestparameters, '$.fileSystemId'),
                  json_extract_scalar(requestparameters, '$.name')) AS holder,
         coalesce(json_extract_scalar(requestparameters, '$.policyDocument'),
                  json_extract_scalar(requestparameters, '$.assumeRolePolicyDocument'),
                  json_format(json_extract(requestparameters, '$.bucketPolicy')),
                  json_extract_scalar(requestparameters, '$.inlinePolicy'),
                  json_extract_scalar(requestparameters, '$.resourcePolicy'),
                  json_extract_scalar(requestparameters, '$.policyText'),
                  json_extract_scalar(requestparameters, '$.attributes.Policy'),
                  CASE WHEN json_extract_scalar(requestparameters, '$.attributeName') = 'Policy'
                       THEN json_extract_scalar(requestparameters, '$.attributeValue')
                  END,
                  json_extract_scalar(requestparameters,
                                      '$.CreateVpcEndpointRequest.PolicyDocument'),
                  json_extract_scalar(requestparameters,
                                      '$.ModifyVpcEndpointRequest.PolicyDocument'),
                  json_extract_scalar(requestparameters, '$.content'),
                  '{"Statement":' || json_extract_scalar(responseelements, '$.statement') || '}',
                  json_extract_scalar(requestparameters, '$.policy')) AS document
  FROM   cloudtrail_logs
  WHERE  (eventname IN ('CreatePolicy', 'CreatePolicyVersion', 'PutUserPolicy', 'PutRolePolicy',
                        'PutGroupPolicy', 'CreateRole', 'UpdateAssumeRolePolicy',
                        'PutBucketPolicy', 'PutKeyPolicy', 'CreateKey', 'SetQueueAttributes',
                        'CreateQueue', 'SetTopicAttributes', 'CreateTopic', 'PutResourcePolicy',
                        'SetRepositoryPolicy', 'CreateVpcEndpoint', 'ModifyVpcEndpoint',
                        'PutInlinePolicyToPermissionSet', 'UpdatePolicy', 'PutFileSystemPolicy',
                        'GetFederationToken', 'AssumeRole')
          AND strpos(requestparameters, 'Statement') > 0)
     OR  eventname LIKE 'AddPermission20%'
),
bodies AS (
  SELECT eventid,
         json_format(json_extract(CASE WHEN substr(document, 1, 1) = '%'
                                       THEN try(url_decode(document))
                                       ELSE document
                                  END, '$.Statement')) AS body
  FROM   documents
  WHERE  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
    AND  coalesce(holder, '') LIKE :holder
),
statements AS (
  SELECT eventid,
         place,
         statement
  FROM   bodies
  CROSS  JOIN UNNEST(CAST(json_parse(CASE WHEN substr(body, 1, 1) = '[' THEN body
                                          ELSE '[' || body || ']'
                                     END) AS array(json)))
         WITH ORDINALITY AS t(statement, place)
)
SELECT documents.eventtime,
       documents.principal_key,
       documents.eventsource,
       documents.eventname,
       documents.outcome,
       documents.holder,
       statements.place,
       json_extract_scalar(statements.statement, '$.Sid') AS sid,
       json_extract_scalar(statements.statement, '$.Effect') AS effect,
       json_format(coalesce(json_extract(statements.statement, '$.Principal'),
                            json_extract(statements.statement, '$.NotPrincipal'))) AS principal,
       json_extract(statements.statement, '$.NotPrincipal') IS NOT NULL AS not_principal,
       json_format(coalesce(json_extract(statements.statement, '$.Action'),
                            json_extract(statements.statement, '$.NotAction'))) AS action,
       json_extract(statements.statement, '$.NotAction') IS NOT NULL AS not_action,
       json_format(coalesce(json_extract(statements.statement, '$.Resource'),
                            json_extract(statements.statement, '$.NotResource'))) AS resource,
       json_extract(statements.statement, '$.NotResource') IS NOT NULL AS not_resource,
       json_format(json_extract(statements.statement, '$.Condition')) AS condition,
       documents.recipientaccountid,
       documents.awsregion,
       documents.eventid
FROM   documents
JOIN   statements
  ON   statements.eventid = documents.eventid
WHERE  json_format(statements.statement) LIKE :mentions
ORDER  BY documents.eventtime, documents.eventid, statements.place

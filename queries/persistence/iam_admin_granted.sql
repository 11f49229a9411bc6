-- title: Administrator rights granted
-- description: Rights over everything, or over IAM, which is the same in the end: an AWS managed
--   policy such as AdministratorAccess attached, or a policy document that allows all actions on
--   all resources.
-- hit: `resource` was given `rights`. A customer managed policy that is that broad gives a row
--   when it is made (`policy`), and one for every attachment afterwards.
-- caveat: Documents are read as text; many narrow statements can add up to the same. A broad
--   policy made before the logs begin is not recognised when it is attached. Boundaries and
--   service control policies may cap the rights.
-- severity: high
-- attack: TA0003:T1098.003
-- attack: TA0004:T1098.003
-- service: IAM
-- service: AWS IAM Identity Center
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
-- reference: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AdministratorAccess.html
-- false_positive: Setting up an account; deployment roles that are administrators by design.

WITH changes AS (
  SELECT eventtime,
         principal_key,
         eventname,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid,
         coalesce(json_extract_scalar(requestparameters, '$.userName'),
                  json_extract_scalar(requestparameters, '$.roleName'),
                  json_extract_scalar(requestparameters, '$.groupName'),
                  json_extract_scalar(requestparameters, '$.permissionSetArn')) AS holder,
         coalesce(json_extract_scalar(requestparameters, '$.policyArn'),
                  json_extract_scalar(requestparameters, '$.managedPolicyArn'),
                  json_extract_scalar(responseelements, '$.policy.arn'),
                  json_extract_scalar(requestparameters, '$.policyName')) AS policy,
         coalesce(json_extract_scalar(requestparameters, '$.policyDocument'),
                  json_extract_scalar(requestparameters, '$.inlinePolicy')) AS document
  FROM   cloudtrail_logs
  WHERE  eventsource IN ('iam.amazonaws.com', 'sso.amazonaws.com')
    AND  eventname IN ('AttachUserPolicy', 'AttachRolePolicy', 'AttachGroupPolicy',
                       'PutUserPolicy', 'PutRolePolicy', 'PutGroupPolicy', 'CreatePolicy',
                       'CreatePolicyVersion', 'AttachManagedPolicyToPermissionSet',
                       'PutInlinePolicyToPermissionSet')
    AND  errorcode IS NULL
),
bodies AS (
  SELECT eventid,
         json_format(json_extract(CASE WHEN substr(document, 1, 1) = '%'
                                       THEN try(url_decode(document))
                                       ELSE document
                                  END, '$.Statement')) AS body
  FROM   changes
),
statements AS (
  SELECT eventid,
         lower(json_format(json_extract(statement, '$.Action'))) AS action_list,
         json_format(json_extract(statement, '$.Resource')) AS resource_list,
         json_format(json_extract(statement, '$.NotAction')) AS not_actions
  FROM   bodies
  CROSS  JOIN UNNEST(CAST(json_parse(CASE WHEN substr(body, 1, 1) = '[' THEN body
                                          ELSE '[' || body || ']'
                                     END) AS array(json))) AS t(statement)
  WHERE  json_extract_scalar(statement, '$.Effect') = 'Allow'
    AND  json_extract(statement, '$.Condition') IS NULL
),
broad AS (
  SELECT eventid,
         min(CASE WHEN json_array_contains(action_list, '*')
                       OR json_array_contains(action_list, '*:*')
                       OR action_list IN ('"*"', '"*:*"') THEN 'all actions'
                  WHEN json_array_contains(action_list, 'iam:*') OR action_list = '"iam:*"'
                  THEN 'all of IAM'
                  WHEN not_actions IS NOT NULL THEN 'all actions but some'
             END) AS rights
  FROM   statements
  WHERE  resource_list = '"*"'
     OR  json_array_contains(resource_list, '*')
  GROUP  BY eventid
),
broad_policies AS (
  SELECT changes.policy,
         min(changes.eventtime) AS since_when,
         min(broad.rights) AS rights
  FROM   changes
  JOIN   broad
    ON   broad.eventid = changes.eventid
  WHERE  changes.policy LIKE 'arn:%'
    AND  broad.rights IS NOT NULL
  GROUP  BY changes.policy
),
granted AS (
  SELECT changes.eventtime,
         changes.principal_key,
         changes.eventname,
         changes.holder,
         changes.policy,
         changes.sourceipaddress,
         changes.recipientaccountid,
         changes.awsregion,
         changes.eventid,
         coalesce(broad.rights,
                  CASE WHEN changes.policy LIKE 'arn:aws%:iam::aws:policy/AdministratorAccess'
                       THEN 'all actions'
                       WHEN changes.policy LIKE 'arn:aws%:iam::aws:policy/IAMFullAccess'
                       THEN 'all of IAM'
                  END,
                  broad_policies.rights) AS rights
  FROM   changes
  LEFT   JOIN broad
    ON   broad.eventid = changes.eventid
  LEFT   JOIN broad_policies
    ON   broad_policies.policy = changes.policy
   AND   broad_policies.since_when <= changes.eventtime
   AND   changes.document IS NULL
)
SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(holder, policy) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       rights,
       policy
FROM   granted
WHERE  rights IS NOT NULL
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

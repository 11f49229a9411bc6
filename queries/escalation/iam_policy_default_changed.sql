-- title: Managed policy given another version in force
-- description: CreatePolicyVersion with setAsDefault, and SetDefaultPolicyVersion, change what
--   every holder of a managed policy may do, without touching the holder. Whoever may call one of
--   them on a policy of their own may do anything.
-- hit: The policy `resource` now says what `allows` lists. `rights` is set where that is
--   everything or all of IAM; `own` where the caller is known to hold the policy.
-- caveat: The document of a version is known only when its creation is in the logs
--   (`written_at`). Holders are known from attachments in the logs. What the version before
--   allowed is not in the event.
-- severity: medium
-- attack: TA0004:T1098.003
-- service: IAM
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicyVersion.html
-- reference: https://docs.aws.amazon.com/IAM/latest/APIReference/API_SetDefaultPolicyVersion.html
-- reference: https://pathfinding.cloud/paths/iam-001
-- false_positive: Infrastructure as code writes a version for each change of a policy.

WITH versions AS (
  SELECT eventtime,
         principal_key,
         eventname,
         useridentity.username AS caller_user,
         useridentity.sessioncontext.sessionissuer.username AS caller_role,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid,
         coalesce(json_extract_scalar(requestparameters, '$.policyArn'),
                  json_extract_scalar(responseelements, '$.policy.arn')) AS policy,
         coalesce(json_extract_scalar(requestparameters, '$.versionId'),
                  json_extract_scalar(responseelements, '$.policyVersion.versionId'),
                  json_extract_scalar(responseelements, '$.policy.defaultVersionId')) AS version,
         json_extract_scalar(requestparameters, '$.setAsDefault') AS set_as_default,
         json_extract_scalar(requestparameters, '$.policyDocument') AS document
  FROM   cloudtrail_logs
  WHERE  eventsource = 'iam.amazonaws.com'
    AND  eventname IN ('CreatePolicy', 'CreatePolicyVersion', 'SetDefaultPolicyVersion')
    AND  errorcode IS NULL
),
bodies AS (
  SELECT policy,
         version,
         eventtime AS written_at,
         json_format(json_extract(CASE WHEN substr(document, 1, 1) = '%'
                                       THEN try(url_decode(document))
                                       ELSE document
                                  END, '$.Statement')) AS body
  FROM   versions
  WHERE  document IS NOT NULL
),
allowed AS (
  SELECT policy,
         version,
         written_at,
         json_format(json_extract(statement, '$.Action')) AS actions,
         lower(json_format(json_extract(statement, '$.Action'))) AS lowered,
         json_format(json_extract(statement, '$.Resource')) AS resources
  FROM   bodies
  CROSS  JOIN UNNEST(CAST(json_parse(CASE WHEN substr(body, 1, 1) = '[' THEN body
                                            ELSE '[' || body || ']'
                                       END) AS array(json))) AS t(statement)
  WHERE  json_extract_scalar(statement, '$.Effect') = 'Allow'
),
documents AS (
  SELECT policy,
         version,
         min(written_at) AS written_at,
         array_join(array_agg(actions ORDER BY actions), ' ') AS allows,
         min(CASE WHEN resources <> '"*"' AND NOT json_array_contains(resources, '*') THEN NULL
                  WHEN lowered IN ('"*"', '"*:*"') OR json_array_contains(lowered, '*')
                  THEN 'all actions'
                  WHEN lowered = '"iam:*"' OR json_array_contains(lowered, 'iam:*')
                  THEN 'all of IAM'
             END) AS rights
  FROM   allowed
  GROUP  BY policy, version
),
holders AS (
  SELECT json_extract_scalar(requestparameters, '$.policyArn') AS policy,
         eventtime,
         json_extract_scalar(requestparameters, '$.userName') AS user_name,
         json_extract_scalar(requestparameters, '$.roleName') AS role_name,
         coalesce(json_extract_scalar(requestparameters, '$.userName'),
                  json_extract_scalar(requestparameters, '$.roleName'),
                  json_extract_scalar(requestparameters, '$.groupName')) AS name
  FROM   cloudtrail_logs
  WHERE  eventsource = 'iam.amazonaws.com'
    AND  eventname IN ('AttachUserPolicy', 'AttachRolePolicy', 'AttachGroupPolicy')
    AND  errorcode IS NULL
)
SELECT versions.eventtime,
       versions.principal_key AS actor,
       versions.eventname AS action,
       versions.policy AS resource,
       versions.sourceipaddress,
       versions.recipientaccountid,
       versions.awsregion,
       versions.eventid,
       versions.version,
       documents.written_at,
       documents.allows,
       documents.rights,
       array_agg(DISTINCT holders.name ORDER BY holders.name)
         FILTER (WHERE holders.name IS NOT NULL) AS held_by,
       coalesce(bool_or(holders.user_name = versions.caller_user
                        OR holders.role_name = versions.caller_role), false) AS own
FROM   versions
LEFT   JOIN documents
  ON   documents.policy = versions.policy
 AND   documents.version = versions.version
LEFT   JOIN holders
  ON   holders.policy = versions.policy
 AND   holders.eventtime <= versions.eventtime
WHERE  (versions.eventname = 'SetDefaultPolicyVersion' OR versions.set_as_default = 'true')
  AND  (:since = '' OR versions.eventtime >= :since)
  AND  (:until = '' OR versions.eventtime <= :until)
GROUP  BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
ORDER  BY versions.eventtime, versions.eventid

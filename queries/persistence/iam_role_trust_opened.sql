-- title: Role trust opened to another account or to everyone
-- description: Who may assume a role is in its trust policy. Trusting an account of the
--   intruder's leaves a way in that needs no key or password here, and looks like an ordinary
--   integration.
-- hit: The role may be assumed by `trusted`: an account whose logs are not in the cache and that
--   is not in `known`, everyone (`*`), or an identity provider without any condition.
--   `assumed_at` is the first time somebody from there did.
-- caveat: Policies are read as text: a condition (`condition`) may narrow who can really assume
--   the role. Accounts count as ours where the cache has events delivered to them. AssumeRole
--   from outside is recorded here with the caller's account only.
-- severity: high
-- attack: TA0003:T1098.003
-- attack: TA0004:T1098.003
-- service: IAM
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: known array(varchar) = '' -- accounts that may be trusted
-- reference: https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-user_externalid.html
-- false_positive: Vendors' integrations (monitoring, backup, cost tools): name their accounts in
--   `known`.

WITH ours AS (
  SELECT DISTINCT recipientaccountid AS account_id
  FROM   cloudtrail_logs
),
changes AS (
  SELECT eventtime,
         event_ts,
         principal_key,
         eventname,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid,
         json_extract_scalar(requestparameters, '$.roleName') AS role_name,
         coalesce(json_extract_scalar(requestparameters, '$.policyDocument'),
                  json_extract_scalar(requestparameters, '$.assumeRolePolicyDocument')) AS document
  FROM   cloudtrail_logs
  WHERE  eventsource = 'iam.amazonaws.com'
    AND  eventname IN ('UpdateAssumeRolePolicy', 'CreateRole')
    AND  errorcode IS NULL
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
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
         json_format(json_extract(statement, '$.Condition')) AS condition,
         CASE WHEN json_format(json_extract(statement, '$.Principal')) = '"*"' THEN '"*"'
              ELSE json_format(json_extract(statement, '$.Principal.AWS'))
         END AS accounts,
         json_format(json_extract(statement, '$.Principal.Federated')) AS providers
  FROM   bodies
  CROSS  JOIN UNNEST(CAST(json_parse(CASE WHEN substr(body, 1, 1) = '[' THEN body
                                          ELSE '[' || body || ']'
                                     END) AS array(json))) AS t(statement)
  WHERE  json_extract_scalar(statement, '$.Effect') = 'Allow'
),
trusts AS (
  SELECT eventid,
         condition,
         'account' AS kind,
         trusted,
         regexp_extract(trusted, '[0-9]{12}') AS account_id
  FROM   statements
  CROSS  JOIN UNNEST(try(CAST(json_parse(CASE WHEN substr(accounts, 1, 1) = '[' THEN accounts
                                              ELSE '[' || accounts || ']'
                                         END) AS array(varchar)))) AS t(trusted)
  UNION  ALL
  SELECT eventid,
         condition,
         'provider' AS kind,
         trusted,
         CAST(NULL AS varchar) AS account_id
  FROM   statements
  CROSS  JOIN UNNEST(try(CAST(json_parse(CASE WHEN substr(providers, 1, 1) = '[' THEN providers
                                              ELSE '[' || providers || ']'
                                         END) AS array(varchar)))) AS t(trusted)
  WHERE  condition IS NULL
),
uses AS (
  SELECT event_ts,
         eventtime,
         recipientaccountid,
         useridentity.accountid AS from_account,
         regexp_extract(target_role, '[^/]+$') AS role_name
  FROM   cloudtrail_logs
  WHERE  eventsource = 'sts.amazonaws.com'
    AND  eventname IN ('AssumeRole', 'AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity')
    AND  errorcode IS NULL
)
SELECT changes.eventtime,
       changes.principal_key AS actor,
       changes.eventname AS action,
       changes.role_name AS resource,
       changes.sourceipaddress,
       changes.recipientaccountid,
       changes.awsregion,
       changes.eventid,
       trusts.trusted,
       trusts.condition,
       min(uses.eventtime) AS assumed_at
FROM   changes
JOIN   trusts
  ON   trusts.eventid = changes.eventid
LEFT   JOIN ours
  ON   ours.account_id = trusts.account_id
LEFT   JOIN uses
  ON   uses.recipientaccountid = changes.recipientaccountid
 AND   uses.role_name = changes.role_name
 AND   uses.event_ts >= changes.event_ts
 AND   (uses.from_account = trusts.account_id
        OR (trusts.account_id IS NULL
            AND coalesce(uses.from_account, '') <> changes.recipientaccountid))
WHERE  trusts.trusted = '*'
   OR  trusts.kind = 'provider'
   OR  (trusts.account_id <> changes.recipientaccountid
        AND ours.account_id IS NULL
        AND NOT contains(:known, trusts.account_id))
GROUP  BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
ORDER  BY changes.eventtime, changes.eventid, trusts.trusted

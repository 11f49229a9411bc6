-- title: Identity provider added or changed
-- description: A SAML or OpenID Connect provider that was created, or one whose metadata,
--   thumbprints or clients were changed. Whoever owns a trusted provider has a way into every
--   role that trusts it.
-- hit: `provider` can vouch for sessions. `issuer` is who it says it is; `sessions` counts role
--   sessions that it gave afterwards.
-- caveat: A provider gives access only to roles whose trust policy names it: see
--   `iam_role_trust_opened` and `identities_created`.
-- severity: high
-- attack: TA0004:T1484.002
-- attack: TA0005:T1484.002
-- service: IAM
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers.html
-- reference: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html
-- false_positive: IAM Identity Center keeps a SAML provider AWSSSO_… in each account; EKS
--   clusters and CI systems add OIDC providers.

WITH changes AS (
  SELECT eventtime,
         event_ts,
         principal_key,
         eventname,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid,
         outcome,
         coalesce(json_extract_scalar(responseelements, '$.sAMLProviderArn'),
                  json_extract_scalar(responseelements, '$.openIDConnectProviderArn'),
                  json_extract_scalar(requestparameters, '$.sAMLProviderArn'),
                  json_extract_scalar(requestparameters, '$.openIDConnectProviderArn'),
                  json_extract_scalar(requestparameters, '$.name'),
                  json_extract_scalar(requestparameters, '$.url')) AS provider,
         coalesce(json_extract_scalar(requestparameters, '$.url'),
                  regexp_extract(json_extract_scalar(requestparameters, '$.sAMLMetadataDocument'),
                                 'entityID="([^"]+)"', 1)) AS issuer
  FROM   cloudtrail_logs
  WHERE  eventsource = 'iam.amazonaws.com'
    AND  eventname IN ('CreateSAMLProvider', 'UpdateSAMLProvider', 'CreateOpenIDConnectProvider',
                       'UpdateOpenIDConnectProviderThumbprint',
                       'AddClientIDToOpenIDConnectProvider')
    AND  outcome IN ('ok', 'denied')
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
sessions AS (
  SELECT event_ts,
         eventtime,
         coalesce(json_extract_scalar(requestparameters, '$.principalArn'),
                  json_extract_scalar(responseelements, '$.provider')) AS provider
  FROM   cloudtrail_logs
  WHERE  eventsource = 'sts.amazonaws.com'
    AND  eventname IN ('AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity')
    AND  errorcode IS NULL
)
SELECT changes.eventtime,
       changes.principal_key AS actor,
       changes.eventname AS action,
       changes.provider AS resource,
       changes.sourceipaddress,
       changes.recipientaccountid,
       changes.awsregion,
       changes.eventid,
       changes.outcome,
       changes.issuer,
       count(sessions.eventtime) AS sessions,
       min(sessions.eventtime) AS first_session
FROM   changes
LEFT   JOIN sessions
  ON   sessions.provider = changes.provider
 AND   sessions.event_ts >= changes.event_ts
GROUP  BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
ORDER  BY changes.eventtime, changes.eventid

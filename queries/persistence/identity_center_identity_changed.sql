-- title: Identity Center's users, sign-in or identity provider changed
-- description: Users created or enabled in the directory of Identity Center, passwords set, MFA
--   devices registered or deleted for users, and the external identity provider configured.
--   Whoever holds the provider can be anybody.
-- hit: `change` says what happened to `resource`, a user's id or the directory. A change of the
--   provider concerns every user.
-- caveat: Names and addresses are hidden in these events; ids are not. People who register their
--   own MFA device give rows as well. Users provisioned by SCIM appear with their provisioning
--   token.
-- severity: medium
-- attack: TA0003:T1136.003
-- attack: TA0003:T1556.006
-- attack: TA0004:T1484.002
-- service: AWS IAM Identity Center
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: change varchar = '' -- identity provider, MFA, password or user; all where empty
-- reference: https://docs.aws.amazon.com/singlesignon/latest/userguide/logging-using-cloudtrail.html
-- reference: https://docs.aws.amazon.com/singlesignon/latest/userguide/manage-your-identity-source-idp.html
-- false_positive: Onboarding, lost phones, and certificates of the provider that are renewed.

WITH changes AS (
  SELECT eventtime,
         principal_key,
         eventname,
         coalesce(json_extract_scalar(requestparameters, '$.userId'),
                  json_extract_scalar(responseelements, '$.user.userId'),
                  json_extract_scalar(responseelements, '$.userId'),
                  json_extract_scalar(requestparameters, '$.identityStoreId'),
                  json_extract_scalar(requestparameters, '$.directoryId')) AS target,
         CASE WHEN eventname LIKE '%ExternalIdP%' THEN 'identity provider'
              WHEN eventname LIKE '%Mfa%' OR eventname LIKE '%WebAuthn%' THEN 'MFA'
              WHEN eventname = 'UpdatePassword' THEN 'password'
              ELSE 'user'
         END AS change,
         outcome,
         sourceipaddress,
         useragent,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  eventsource IN ('sso-directory.amazonaws.com', 'identitystore.amazonaws.com')
    AND  eventname IN ('CreateUser', 'EnableUser', 'UpdatePassword', 'DeleteMfaDeviceForUser',
                       'UpdateMfaDeviceForUser', 'CompleteVirtualMfaDeviceRegistration',
                       'CompleteWebAuthnDeviceRegistration', 'ImportExternalIdPCertificate',
                       'CreateExternalIdPConfigurationForDirectory',
                       'UpdateExternalIdPConfigurationForDirectory',
                       'EnableExternalIdPConfigurationForDirectory',
                       'DisableExternalIdPConfigurationForDirectory')
    AND  outcome IN ('ok', 'denied')
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
)
SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       target AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       change,
       outcome,
       useragent
FROM   changes
WHERE  (:change = '' OR change = :change)
ORDER  BY eventtime, eventid

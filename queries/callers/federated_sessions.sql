-- title: Sessions that an identity provider vouched for
-- description: Every session given for a SAML assertion or a token of an OpenID Connect provider
--   (people with single sign-on, pipelines, pods, apps): who the provider says it is, the role, and
--   what was done with it. A provider, subject or role that is new here may be a backdoor.
-- hit: One call of AssumeRoleWithSAML or AssumeRoleWithWebIdentity, granted or refused.
-- caveat: AWS only knows what the provider claimed; sign-ins at the provider itself stand in its
--   own logs. A refused call may lack the role and the subject.
-- attack: TA0001:T1078.004
-- attack: TA0005:T1550.001
-- service: AWS STS
-- service: AWS IAM Identity Center
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html

WITH sessions_given AS (
  SELECT eventtime,
         eventname,
         requestparameters,
         useridentity.username AS username,
         errorcode,
         sourceipaddress,
         useragent,
         recipientaccountid,
         eventid,
         issued_key AS key_given,
         target_role AS role,
         outcome AS result,
         json_extract_scalar(responseelements, '$.provider') AS oidc_provider,
         json_extract_scalar(responseelements, '$.issuer') AS saml_issuer,
         json_extract_scalar(responseelements, '$.subjectFromWebIdentityToken') AS oidc_subject,
         json_extract_scalar(responseelements, '$.subject') AS saml_subject
  FROM   cloudtrail_logs
  WHERE  eventsource = 'sts.amazonaws.com'
    AND  eventname IN ('AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity')
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
uses AS (
  SELECT useridentity.accesskeyid AS access_key,
         count(*) AS calls,
         count(*) FILTER (WHERE is_write AND outcome = 'ok') AS changes,
         max(eventtime) AS last_used
  FROM   cloudtrail_logs
  WHERE  useridentity.accesskeyid IN (SELECT key_given FROM sessions_given)
  GROUP  BY useridentity.accesskeyid
)
SELECT sessions_given.eventtime,
       sessions_given.eventname,
       coalesce(oidc_provider, saml_issuer) AS provider,
       coalesce(oidc_subject, saml_subject, sessions_given.username) AS subject,
       sessions_given.role,
       json_extract_scalar(sessions_given.requestparameters, '$.roleSessionName') AS session,
       sessions_given.result AS outcome,
       sessions_given.errorcode,
       sessions_given.sourceipaddress,
       sessions_given.useragent,
       sessions_given.key_given AS issued_key,
       coalesce(uses.calls, 0) AS calls,
       coalesce(uses.changes, 0) AS changes,
       uses.last_used,
       sessions_given.recipientaccountid,
       sessions_given.eventid
FROM   sessions_given
LEFT   JOIN uses ON uses.access_key = sessions_given.key_given
ORDER  BY sessions_given.eventtime, sessions_given.eventid

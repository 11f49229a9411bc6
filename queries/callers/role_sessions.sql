-- title: Who assumed a role, and where it began
-- description: Every session of a role, and every attempt, with the caller, and where that caller
--   was a session itself, who asked for it, three steps up. Ends at the user, the federated person,
--   the service or the other account from which it began.
-- hit: One call for a session of the role. `origin` is the earliest caller that the issued keys
--   lead back to; `calls` is what was then done with the session.
-- caveat: The chain ends early where an earlier step lies before the logs or in an account whose
--   logs are not here; `origin_account` then is that account. Sessions from instance profiles are
--   asked for by EC2 and have no person behind them.
-- attack: TA0004:T1078.004
-- attack: TA0001:T1199
-- service: AWS STS
-- service: IAM
-- param: role varchar -- the role's ARN or a part of it, as in LIKE
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html

WITH requests AS (
  SELECT eventtime,
         eventname,
         coalesce(target_role,
                  regexp_extract(errormessage, 'on resource: (arn:\S+)', 1)) AS target,
         json_extract_scalar(requestparameters, '$.roleSessionName') AS session,
         json_extract_scalar(requestparameters, '$.sourceIdentity') AS source_identity,
         principal_key,
         session_name,
         actor_account,
         useridentity.accesskeyid AS with_key,
         outcome,
         issued_key,
         sourceipaddress,
         useragent,
         recipientaccountid,
         eventid
  FROM   cloudtrail_logs
  WHERE  eventsource = 'sts.amazonaws.com'
    AND  eventname IN ('AssumeRole', 'AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity')
),
issued AS (
  SELECT issued_key,
         min(principal_key) AS principal_key,
         min(actor_account) AS actor_account,
         min(useridentity.accesskeyid) AS with_key
  FROM   cloudtrail_logs
  WHERE  issued_key IS NOT NULL
    AND  useridentity.type <> 'AWSAccount'
  GROUP  BY issued_key
),
uses AS (
  SELECT useridentity.accesskeyid AS access_key, count(*) AS calls, max(eventtime) AS last_used
  FROM   cloudtrail_logs
  WHERE  useridentity.accesskeyid IN (SELECT issued_key FROM requests)
  GROUP  BY useridentity.accesskeyid
)
SELECT requests.eventtime,
       requests.eventname,
       requests.target AS role,
       requests.session,
       requests.outcome,
       requests.principal_key AS assumed_by,
       requests.session_name AS in_session,
       coalesce(earliest.principal_key, grandparent.principal_key, parent.principal_key,
                requests.principal_key) AS origin,
       coalesce(earliest.actor_account, grandparent.actor_account, parent.actor_account,
                requests.actor_account) AS origin_account,
       requests.source_identity,
       requests.sourceipaddress,
       requests.useragent,
       requests.issued_key,
       uses.calls,
       uses.last_used,
       requests.recipientaccountid,
       requests.eventid
FROM   requests
LEFT   JOIN issued parent ON parent.issued_key = requests.with_key
LEFT   JOIN issued grandparent ON grandparent.issued_key = parent.with_key
LEFT   JOIN issued earliest ON earliest.issued_key = grandparent.with_key
LEFT   JOIN uses ON uses.access_key = requests.issued_key
WHERE  requests.target LIKE :role
  AND  (:since = '' OR requests.eventtime >= :since)
  AND  (:until = '' OR requests.eventtime <= :until)
ORDER  BY requests.eventtime, requests.eventid

-- title: Federation token issued to an IAM user
-- description: GetFederationToken turns a user's long-term key into temporary credentials that
--   live up to 36 hours and go on working after the key is deactivated or deleted. Intruders take
--   one when they expect to lose the key; it also opens the console.
-- hit: `issued_key` works until it expires, whatever is done to the key `with_key`; only a deny
--   policy on the user stops it. `calls` counts what was done with it.
-- caveat: Denied attempts are rows too (`outcome`), with the name taken from the error message.
--   Session policies cap the token to what `policies` allows.
-- severity: medium
-- attack: TA0005:T1550.001
-- attack: TA0008:T1550.001
-- service: AWS STS
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_disable-perms.html
-- false_positive: Applications that broker access for their own users; aws-vault and similar
--   tools.

WITH tokens AS (
  SELECT eventtime,
         principal_key,
         eventname,
         coalesce(json_extract_scalar(requestparameters, '$.name'),
                  regexp_extract(errormessage, 'federated-user/([^ ]+)', 1)) AS federated_name,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid,
         outcome,
         useridentity.accesskeyid AS with_key,
         issued_key AS new_key,
         json_extract_scalar(requestparameters, '$.durationSeconds') AS seconds,
         coalesce(json_extract_scalar(requestparameters, '$.policy'),
                  json_format(json_extract(requestparameters, '$.policyArns'))) AS policies
  FROM   cloudtrail_logs
  WHERE  eventsource = 'sts.amazonaws.com'
    AND  eventname = 'GetFederationToken'
    AND  outcome IN ('ok', 'denied')
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
uses AS (
  SELECT useridentity.accesskeyid AS used_key,
         count(*) AS calls,
         max(eventtime) AS last_used
  FROM   cloudtrail_logs
  WHERE  useridentity.accesskeyid IN (SELECT new_key FROM tokens)
  GROUP  BY useridentity.accesskeyid
)
SELECT tokens.eventtime,
       tokens.principal_key AS actor,
       tokens.eventname AS action,
       tokens.federated_name AS resource,
       tokens.sourceipaddress,
       tokens.recipientaccountid,
       tokens.awsregion,
       tokens.eventid,
       tokens.outcome,
       tokens.with_key,
       tokens.new_key AS issued_key,
       tokens.seconds,
       tokens.policies,
       coalesce(uses.calls, 0) AS calls,
       uses.last_used
FROM   tokens
LEFT   JOIN uses
  ON   uses.used_key = tokens.new_key
ORDER  BY tokens.eventtime, tokens.eventid

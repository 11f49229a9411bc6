-- title: Console session made from access keys
-- description: GetSigninToken exchanges temporary credentials for a console session. Somebody
--   with stolen keys thus looks around in a browser without ever having a password.
-- hit: A console session of `resource` began that no password or single sign-on page stands
--   behind. `signed_in_at` is the sign-in that followed within ten minutes.
-- caveat: Sessions of Identity Center's own roles (AWSReservedSSO_…) use the same call for every
--   click on an account and are left out; give `sso = true` to see them. The event names the
--   role, not the key that was exchanged.
-- severity: low
-- attack: TA0005:T1550.001
-- attack: TA0008:T1550.001
-- service: AWS Sign-In
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: sso boolean = false -- also sessions of Identity Center's roles
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html
-- false_positive: Tools that open the console for a role (aws-vault, Granted, a company's own
--   portal).

WITH tokens AS (
  SELECT eventtime,
         event_ts,
         principal_key,
         eventname,
         useridentity.arn AS session_arn,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid,
         outcome,
         useragent
  FROM   cloudtrail_logs
  WHERE  eventsource = 'signin.amazonaws.com'
    AND  eventname = 'GetSigninToken'
    AND  (:sso OR coalesce(useridentity.sessioncontext.sessionissuer.username, '')
                  NOT LIKE 'AWSReservedSSO%')
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
logins AS (
  SELECT eventtime,
         event_ts,
         useridentity.arn AS session_arn,
         sourceipaddress
  FROM   cloudtrail_logs
  WHERE  eventsource = 'signin.amazonaws.com'
    AND  eventname = 'ConsoleLogin'
    AND  json_extract_scalar(responseelements, '$.ConsoleLogin') = 'Success'
)
SELECT tokens.eventtime,
       tokens.principal_key AS actor,
       tokens.eventname AS action,
       tokens.session_arn AS resource,
       tokens.sourceipaddress,
       tokens.recipientaccountid,
       tokens.awsregion,
       tokens.eventid,
       tokens.outcome,
       tokens.useragent,
       min(logins.eventtime) AS signed_in_at,
       min_by(logins.sourceipaddress, logins.eventtime) AS signed_in_from
FROM   tokens
LEFT   JOIN logins
  ON   logins.session_arn = tokens.session_arn
 AND   logins.event_ts >= tokens.event_ts
 AND   logins.event_ts <= date_add('minute', 10, tokens.event_ts)
GROUP  BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
ORDER  BY tokens.eventtime, tokens.eventid

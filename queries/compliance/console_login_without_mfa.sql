-- title: Console sign-in without a second factor
-- description: A user or root signed in to the console with the password alone: whoever learns the
--   password can do the same.
-- hit: A successful sign-in of an IAM user or of root without MFA.
-- caveat: People who come through single sign-on are left out: their second factor is checked by
--   the provider, and AWS writes "No" for all of them. Accounts that require MFA by policy let the
--   sign-in happen, and only then refuse.
-- severity: medium
-- attack: TA0001:T1078.004
-- service: AWS Management Console
-- service: IAM
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html
-- reference: https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html
-- false_positive: a user's first sign-in, in which MFA is set up

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       CASE WHEN useridentity.type = 'Root' THEN 'root' ELSE useridentity.username END AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       useridentity.type AS identity_type,
       json_extract_scalar(additionaleventdata, '$.LoginTo') AS login_to,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 'signin.amazonaws.com'
  AND  eventname = 'ConsoleLogin'
  AND  useridentity.type IN ('IAMUser', 'Root')
  AND  json_extract_scalar(responseelements, '$.ConsoleLogin') = 'Success'
  AND  coalesce(lower(json_extract_scalar(additionaleventdata, '$.MFAUsed')), 'no') <> 'yes'
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

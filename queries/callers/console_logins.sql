-- title: Sign-ins to the console
-- description: Every ConsoleLogin with who, from where, with which client, whether it succeeded and
--   whether a second factor was used.
-- hit: One attempt to sign in. Of interest: success without a second factor, success after
--   failures, root, an address or client that this person does not have.
-- caveat: With single sign-on the second factor is checked elsewhere, and `mfa` says no. Of
--   failures with an unknown user name AWS hides the name. Sign-ins are recorded in the region of
--   the endpoint, so all regions are needed. What was done then: `console_sessions`.
-- attack: TA0001:T1078.004
-- service: AWS Management Console
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html

SELECT eventtime,
       useridentity.type AS identity_type,
       coalesce(useridentity.username, useridentity.arn, useridentity.principalid) AS who,
       sourceipaddress,
       useragent,
       json_extract_scalar(responseelements, '$.ConsoleLogin') AS result,
       lower(json_extract_scalar(additionaleventdata, '$.MFAUsed')) AS mfa,
       json_extract_scalar(additionaleventdata, '$.LoginTo') AS login_to,
       errormessage,
       recipientaccountid,
       awsregion,
       eventid
FROM   cloudtrail_logs
WHERE  eventsource = 'signin.amazonaws.com'
  AND  eventname = 'ConsoleLogin'
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

-- title: Console sign-in failed
-- description: Each failed sign-in to the console, as the CIS benchmark wants it watched: by which
--   user, from where.
-- hit: A password, or a second factor, was wrong, or there is no such user.
-- caveat: Names of users that do not exist are hidden by AWS. People mistype; many from one address
--   are found by `console_passwords_tried`, success after failures by `console_password_guessed`.
-- severity: informational
-- attack: TA0006:T1110
-- service: AWS Management Console
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html
-- reference: https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html
-- false_positive: mistyped passwords

SELECT eventtime,
       coalesce(useridentity.arn, useridentity.username,
                CASE WHEN useridentity.type = 'Root' THEN 'root' END) AS actor,
       eventname AS action,
       concat('console of ', recipientaccountid) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       useridentity.type AS identity_type,
       errormessage,
       lower(json_extract_scalar(additionaleventdata, '$.MFAUsed')) AS mfa,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 'signin.amazonaws.com'
  AND  eventname = 'ConsoleLogin'
  AND  (json_extract_scalar(responseelements, '$.ConsoleLogin') = 'Failure'
        OR errormessage = 'Failed authentication')
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

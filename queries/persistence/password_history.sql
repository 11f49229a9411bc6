-- title: What happened to passwords
-- description: Every console password that was set, replaced, changed or removed, and every
--   recovery of root's password, in order, with the attempts that failed.
-- hit: One call about a password. The user's next sign-in is in `console_logins`.
-- caveat: Calls by somebody else and by the user stand side by side; `own` tells them apart.
--   Root's recovery by e-mail gives an event only in the account itself, in us-east-1 or the
--   region of the sign-in page.
-- attack: TA0003:T1098.001
-- service: IAM
-- service: AWS Sign-In
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords.html
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html

SELECT eventtime,
       principal_key,
       eventname,
       coalesce(json_extract_scalar(requestparameters, '$.userName'),
                useridentity.username,
                CASE WHEN useridentity.type = 'Root' THEN 'root' END) AS for_user,
       coalesce(json_extract_scalar(requestparameters, '$.userName'), '') IN
         ('', coalesce(useridentity.username, '')) AS own,
       CASE WHEN coalesce(json_extract_scalar(responseelements, '$.PasswordRecoveryRequested'),
                          json_extract_scalar(responseelements, '$.PasswordRecoveryCompleted'),
                          json_extract_scalar(responseelements, '$.PasswordUpdated'),
                          'Success') <> 'Success' THEN 'error'
            ELSE outcome
       END AS outcome,
       errorcode,
       sourceipaddress,
       useragent,
       recipientaccountid,
       eventid
FROM   cloudtrail_logs
WHERE  ((eventsource = 'iam.amazonaws.com'
         AND eventname IN ('CreateLoginProfile', 'UpdateLoginProfile', 'DeleteLoginProfile',
                           'ChangePassword'))
        OR (eventsource = 'signin.amazonaws.com'
            AND eventname IN ('PasswordRecoveryRequested', 'PasswordRecoveryCompleted',
                              'PasswordUpdated')))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

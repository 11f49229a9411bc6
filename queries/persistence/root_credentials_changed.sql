-- title: Root user's password, e-mail address or key changed
-- description: Somebody recovered or changed the password of the root user, changed its e-mail
--   address, its keys or its MFA device. Whoever controls root's e-mail address owns the account,
--   and no policy of that account can stop root.
-- hit: A credential of root changed, or its recovery was begun. Ask the holder of the mailbox.
-- caveat: A recovery that was requested and not completed changes nothing, but shows that
--   somebody knows the address.
-- severity: high
-- attack: TA0003:T1098.001
-- attack: TA0003:T1078.004
-- service: IAM
-- service: AWS Sign-In
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user.html
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html
-- false_positive: The owner of the account, when it is set up or its holder changes.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       'root' AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       useragent,
       json_extract_scalar(responseelements, '$.accessKey.accessKeyId') AS new_key
FROM   cloudtrail_logs
WHERE  useridentity.type = 'Root'
  AND  ((eventsource = 'signin.amazonaws.com'
         AND eventname IN ('PasswordRecoveryRequested', 'PasswordRecoveryCompleted',
                           'PasswordUpdated', 'EmailUpdated'))
        OR (eventsource = 'iam.amazonaws.com'
            AND eventname IN ('CreateAccessKey', 'UpdateAccessKey', 'DeactivateMFADevice',
                              'EnableMFADevice')
            AND json_extract_scalar(requestparameters, '$.userName') IS NULL))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

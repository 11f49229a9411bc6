-- title: E-mail sending set up
-- description: Steps that make an account send mail: identities verified, sending switched on,
--   the way out of the sandbox asked for, policies that let others send.
-- hit: The account can send more, or under another name, or somebody tried to bring that about.
--   Phishing in your name may follow.
-- caveat: What is sent through SMTP is not in CloudTrail, and SendEmail only as a data event.
--   The reasons given to AWS are hidden.
-- severity: medium
-- attack: TA0040:T1496.004
-- attack: TA0042:T1583.006
-- service: Amazon SES
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_PutAccountDetails.html
-- false_positive: Applications that are set up to send mail.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.emailIdentity'),
                json_extract_scalar(requestparameters, '$.emailAddress'),
                json_extract_scalar(requestparameters, '$.domain'),
                json_extract_scalar(requestparameters, '$.identity'),
                json_extract_scalar(requestparameters, '$.configurationSetName')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       coalesce(json_extract_scalar(requestparameters, '$.sendingEnabled'),
                json_extract_scalar(requestparameters, '$.enabled'),
                json_extract_scalar(requestparameters, '$.productionAccessEnabled')) AS enabled,
       json_extract_scalar(requestparameters, '$.mailType') AS mail_type,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 'ses.amazonaws.com'
  AND  (eventname IN ('VerifyEmailIdentity', 'VerifyEmailAddress', 'VerifyDomainIdentity',
                      'VerifyDomainDkim', 'CreateEmailIdentity', 'PutAccountDetails',
                      'PutIdentityPolicy', 'CreateEmailIdentityPolicy',
                      'PutAccountDedicatedIpWarmupAttributes')
        OR (eventname IN ('UpdateAccountSendingEnabled', 'PutAccountSendingAttributes')
            AND coalesce(json_extract_scalar(requestparameters, '$.enabled'),
                         json_extract_scalar(requestparameters, '$.sendingEnabled'),
                         'true') = 'true'))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

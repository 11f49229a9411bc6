-- title: Directories, trusts and their sign-in changed
-- description: Changes to AWS Directory Service that open a directory: trusts, connectors,
--   RADIUS (its MFA), single sign-on, passwords reset, shares, schema and log forwarding,
--   conditional forwarders.
-- hit: `change` says what was opened; a trust lets another domain's users in, RADIUS that is off
--   takes their second factor.
-- caveat: What happens inside a directory (users, groups, sign-ins) is in its own security log.
--   Passwords are hidden.
-- severity: medium
-- attack: TA0005:T1484.002
-- attack: TA0003:T1556.006
-- service: AWS Directory Service
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/directoryservice/latest/devguide/API_CreateTrust.html
-- false_positive: Administrators who set a directory up.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.directoryId'),
                json_extract_scalar(requestparameters, '$.trustId'),
                json_extract_scalar(requestparameters, '$.name')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       CASE eventname
            WHEN 'DisableRadius' THEN 'second factor off'
            WHEN 'UpdateRadius' THEN 'second factor changed'
            WHEN 'EnableRadius' THEN 'second factor on'
            WHEN 'ResetUserPassword' THEN 'password reset'
            WHEN 'ShareDirectory' THEN 'shared with another account'
            WHEN 'CreateTrust' THEN 'trust made'
            WHEN 'UpdateTrust' THEN 'trust changed'
            WHEN 'DeleteTrust' THEN 'trust deleted'
            WHEN 'ConnectDirectory' THEN 'connector made'
            WHEN 'DeleteLogSubscription' THEN 'log forwarding off'
            WHEN 'DisableClientAuthentication' THEN 'smart cards off'
            WHEN 'DisableLDAPS' THEN 'encryption off'
            ELSE 'changed'
       END AS change,
       coalesce(json_extract_scalar(requestparameters, '$.remoteDomainName'),
                json_extract_scalar(requestparameters, '$.userName'),
                json_extract_scalar(requestparameters, '$.shareTarget.id'),
                json_extract_scalar(requestparameters, '$.name')) AS about,
       json_extract_scalar(requestparameters, '$.trustDirection') AS trust_direction,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 'ds.amazonaws.com'
  AND  eventname IN ('CreateMicrosoftAD', 'CreateDirectory', 'ConnectDirectory', 'DeleteDirectory',
                     'CreateTrust', 'UpdateTrust', 'DeleteTrust', 'EnableRadius', 'UpdateRadius',
                     'DisableRadius', 'EnableSso', 'DisableSso', 'ResetUserPassword',
                     'ShareDirectory', 'AcceptSharedDirectory', 'StartSchemaExtension',
                     'CreateLogSubscription', 'DeleteLogSubscription', 'CreateConditionalForwarder',
                     'UpdateConditionalForwarder', 'CreateAlias', 'CreateComputer',
                     'DisableClientAuthentication', 'DisableLDAPS', 'RegisterCertificate',
                     'UpdateSettings', 'EnableDirectoryDataAccess')
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

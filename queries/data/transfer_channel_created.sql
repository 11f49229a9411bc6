-- title: Channel for transfers set up
-- description: Servers, users, keys and connectors of AWS Transfer Family and locations and
--   tasks of AWS DataSync: ways by which whole buckets and file systems leave without a call for
--   each object by the thief.
-- hit: A channel exists, or was tried; `about` has the user, host or bucket at its ends.
-- caveat: What went through a Transfer server is in its own log; what DataSync copied shows as
--   its role's data events. Passwords and keys are hidden.
-- severity: medium
-- attack: TA0010:T1537
-- attack: TA0010:T1048
-- service: AWS Transfer Family
-- service: AWS DataSync
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/transfer/latest/userguide/cloudtrail-logging.html
-- false_positive: Exchange of files with partners; migrations.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.serverId'),
                json_extract_scalar(requestparameters, '$.taskArn'),
                json_extract_scalar(requestparameters, '$.destinationLocationArn'),
                json_extract_scalar(requestparameters, '$.s3BucketArn'),
                json_extract_scalar(responseelements, '$.serverId'),
                json_extract_scalar(responseelements, '$.locationArn')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       coalesce(json_extract_scalar(requestparameters, '$.userName'),
                json_extract_scalar(requestparameters, '$.externalId'),
                json_extract_scalar(requestparameters, '$.serverHostname'),
                json_extract_scalar(requestparameters, '$.url'),
                json_extract_scalar(requestparameters, '$.sourceLocationArn'),
                json_extract_scalar(requestparameters, '$.s3BucketArn')) AS about,
       coalesce(json_extract_scalar(requestparameters, '$.role'),
                json_extract_scalar(requestparameters, '$.accessRole'),
                json_extract_scalar(requestparameters,
                                    '$.s3Config.bucketAccessRoleArn')) AS with_role,
       useragent
FROM   cloudtrail_logs
WHERE  (eventsource = 'transfer.amazonaws.com'
        AND eventname IN ('CreateServer', 'UpdateServer', 'CreateUser', 'UpdateUser',
                          'CreateAccess', 'ImportSshPublicKey', 'CreateConnector',
                          'StartFileTransfer')
        OR eventsource = 'datasync.amazonaws.com'
        AND (eventname LIKE 'CreateLocation%'
             OR eventname IN ('CreateTask', 'StartTaskExecution', 'CreateAgent')))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

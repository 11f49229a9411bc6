-- title: CloudHSM clusters and backups changed
-- description: Calls that make, change, share or delete AWS CloudHSM clusters, modules and
--   backups: a backup holds every key.
-- hit: Somebody changed where keys live, or tried to; a copied or shared backup is a copy of the
--   keys.
-- caveat: What is done inside a module (logins, keys used or wrapped) is in its audit log in
--   CloudWatch Logs, not in CloudTrail.
-- severity: medium
-- attack: TA0006:T1552.004
-- attack: TA0040:T1485
-- service: AWS CloudHSM
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/cloudhsm/latest/userguide/get-api-logs-using-cloudtrail.html
-- false_positive: Operators of the modules.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.backupId'),
                json_extract_scalar(requestparameters, '$.hsmId'),
                json_extract_scalar(requestparameters, '$.clusterId'),
                json_extract_scalar(requestparameters, '$.resourceArn'),
                json_extract_scalar(responseelements, '$.cluster.clusterId')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       json_extract_scalar(requestparameters, '$.destinationRegion') AS copied_to,
       json_extract_scalar(requestparameters, '$.policy') AS policy,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 'cloudhsm.amazonaws.com'
  AND  eventname IN ('CreateCluster', 'InitializeCluster', 'ModifyCluster', 'DeleteCluster',
                     'CreateHsm', 'DeleteHsm', 'CopyBackupToRegion', 'DeleteBackup',
                     'RestoreBackup', 'ModifyBackupAttributes', 'PutResourcePolicy',
                     'DeleteResourcePolicy')
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

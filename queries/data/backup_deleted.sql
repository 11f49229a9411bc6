-- title: Backups deleted or made impossible
-- description: Snapshots, backups, recovery points and vaults deleted, backup plans stopped,
--   retention cut: what must be gone before data is held to ransom. Databases deleted without a
--   last snapshot are here as well.
-- hit: `resource` is no longer there to recover from, or somebody tried to bring that about.
-- caveat: Deleting old snapshots is everyday work, mostly of AWS services, whose own calls are
--   left out. Look for many in a short time, and by whom.
-- severity: medium
-- attack: TA0040:T1490
-- attack: TA0040:T1485
-- service: AWS Backup
-- service: Amazon EBS
-- service: Amazon RDS
-- service: Amazon DynamoDB
-- service: Amazon EFS
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DeleteRecoveryPoint.html
-- false_positive: Retention scripts; stacks torn down by infrastructure as code.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.snapshotId'),
                json_extract_scalar(requestparameters, '$.recoveryPointArn'),
                json_extract_scalar(requestparameters, '$.backupVaultName'),
                json_extract_scalar(requestparameters, '$.backupPlanId'),
                json_extract_scalar(requestparameters, '$.backupArn'),
                json_extract_scalar(requestparameters, '$.dBSnapshotIdentifier'),
                json_extract_scalar(requestparameters, '$.dBClusterSnapshotIdentifier'),
                json_extract_scalar(requestparameters, '$.dBInstanceIdentifier'),
                json_extract_scalar(requestparameters, '$.dBClusterIdentifier'),
                json_extract_scalar(requestparameters, '$.tableName'),
                json_extract_scalar(requestparameters, '$.fileSystemId'),
                json_extract_scalar(requestparameters, '$.policyId')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       service,
       outcome,
       errorcode,
       useragent
FROM   cloudtrail_logs
WHERE  (eventsource = 'ec2.amazonaws.com'
        AND eventname IN ('DeleteSnapshot', 'DeregisterImage')
        OR eventsource = 'backup.amazonaws.com'
        AND eventname IN ('DeleteRecoveryPoint', 'DeleteBackupVault', 'DeleteBackupPlan',
                          'DeleteBackupSelection', 'DeleteBackupVaultAccessPolicy',
                          'DeleteBackupVaultLockConfiguration', 'UpdateRecoveryPointLifecycle',
                          'DisassociateRecoveryPoint', 'StopBackupJob')
        OR eventsource = 'rds.amazonaws.com'
        AND (eventname IN ('DeleteDBSnapshot', 'DeleteDBClusterSnapshot',
                           'DeleteDBInstanceAutomatedBackup', 'DeleteGlobalCluster')
             OR eventname IN ('DeleteDBInstance', 'DeleteDBCluster')
             AND (requestparameters IS NULL
                  OR json_extract_scalar(requestparameters, '$.skipFinalSnapshot') = 'true')
             OR eventname IN ('ModifyDBInstance', 'ModifyDBCluster')
             AND json_extract_scalar(requestparameters, '$.backupRetentionPeriod') = '0')
        OR eventsource = 'dynamodb.amazonaws.com'
        AND (eventname IN ('DeleteBackup', 'DeleteTable')
             OR eventname = 'UpdateContinuousBackups'
             AND regexp_like(requestparameters, '"pointInTimeRecoveryEnabled"\s*:\s*false'))
        OR eventsource = 'elasticfilesystem.amazonaws.com'
        AND eventname IN ('DeleteFileSystem', 'DeleteMountTarget')
        OR eventsource = 'dlm.amazonaws.com'
        AND eventname = 'DeleteLifecyclePolicy')
  AND  useridentity.invokedby IS NULL
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

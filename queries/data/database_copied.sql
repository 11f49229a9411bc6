-- title: Database copied, restored or exported
-- description: Snapshots taken by hand, copied, restored beside the original, read replicas made
--   and tables exported, of RDS, Aurora, Redshift, DynamoDB and ElastiCache: each a second copy of
--   the data.
-- hit: A copy of `resource` exists as `copied_to`, or somebody tried to make one.
-- caveat: Copies are everyday work for those who run databases; unusual is the principal, the
--   time, or a target nobody knows. What is read from the copy is not in CloudTrail. Denied calls
--   come without parameters.
-- severity: low
-- attack: TA0009:T1530
-- attack: TA0010:T1537
-- service: Amazon RDS
-- service: Amazon Redshift
-- service: Amazon DynamoDB
-- service: Amazon ElastiCache
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_StartExportTask.html
-- false_positive: Administrators, migrations, test databases made from production.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.sourceArn'),
                json_extract_scalar(requestparameters, '$.tableArn'),
                json_extract_scalar(requestparameters, '$.sourceDBSnapshotIdentifier'),
                json_extract_scalar(requestparameters, '$.sourceDBClusterSnapshotIdentifier'),
                json_extract_scalar(requestparameters, '$.sourceDBInstanceIdentifier'),
                json_extract_scalar(requestparameters, '$.sourceDBClusterIdentifier'),
                json_extract_scalar(requestparameters, '$.sourceSnapshotIdentifier'),
                json_extract_scalar(requestparameters, '$.sourceSnapshotName'),
                json_extract_scalar(requestparameters, '$.sourceTableName'),
                json_extract_scalar(requestparameters, '$.backupArn'),
                json_extract_scalar(requestparameters, '$.dBInstanceIdentifier'),
                json_extract_scalar(requestparameters, '$.dBClusterIdentifier'),
                json_extract_scalar(requestparameters, '$.clusterIdentifier'),
                json_extract_scalar(requestparameters, '$.tableName')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       coalesce(concat('s3://', coalesce(json_extract_scalar(requestparameters, '$.s3BucketName'),
                                         json_extract_scalar(requestparameters, '$.s3Bucket'),
                                         json_extract_scalar(requestparameters, '$.targetBucket'))),
                json_extract_scalar(requestparameters, '$.targetDBSnapshotIdentifier'),
                json_extract_scalar(requestparameters, '$.targetDBClusterSnapshotIdentifier'),
                json_extract_scalar(requestparameters, '$.targetDBInstanceIdentifier'),
                json_extract_scalar(requestparameters, '$.targetTableName'),
                json_extract_scalar(requestparameters, '$.targetSnapshotName'),
                json_extract_scalar(requestparameters, '$.targetSnapshotIdentifier'),
                json_extract_scalar(requestparameters, '$.dBSnapshotIdentifier'),
                json_extract_scalar(requestparameters, '$.dBClusterSnapshotIdentifier'),
                json_extract_scalar(requestparameters, '$.snapshotIdentifier'),
                json_extract_scalar(requestparameters, '$.backupName')) AS copied_to,
       json_extract_scalar(requestparameters, '$.s3BucketOwner') AS bucket_owner,
       useragent
FROM   cloudtrail_logs
WHERE  (eventsource = 'rds.amazonaws.com'
        AND eventname IN ('CreateDBSnapshot', 'CreateDBClusterSnapshot', 'CopyDBSnapshot',
                          'CopyDBClusterSnapshot', 'StartExportTask',
                          'RestoreDBInstanceFromDBSnapshot', 'RestoreDBClusterFromSnapshot',
                          'RestoreDBInstanceToPointInTime', 'RestoreDBClusterToPointInTime',
                          'CreateDBInstanceReadReplica')
        OR eventsource = 'redshift.amazonaws.com'
        AND eventname IN ('CreateClusterSnapshot', 'CopyClusterSnapshot',
                          'RestoreFromClusterSnapshot')
        OR eventsource = 'dynamodb.amazonaws.com'
        AND eventname IN ('ExportTableToPointInTime', 'CreateBackup', 'RestoreTableFromBackup',
                          'RestoreTableToPointInTime')
        OR eventsource = 'elasticache.amazonaws.com'
        AND eventname IN ('CreateSnapshot', 'CopySnapshot'))
  AND  useridentity.invokedby IS NULL
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

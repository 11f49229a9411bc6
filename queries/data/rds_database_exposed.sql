-- title: Database made reachable or its password set
-- description: Database instances and clusters that were made publicly accessible, whose master
--   password was set anew, or that had deletion protection or IAM authentication changed.
-- hit: `change` says what was opened; a new master password lets the caller in, and is hidden in
--   the record.
-- caveat: Security groups must let traffic in as well. Passwords that Secrets Manager rotates
--   are set by another path. Denied calls come without parameters.
-- severity: medium
-- attack: TA0003:T1098
-- attack: TA0005:T1562.007
-- service: Amazon RDS
-- service: Amazon Redshift
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
-- false_positive: Administrators; databases of a development account.

WITH calls AS (
  SELECT eventtime, principal_key, eventname, requestparameters, sourceipaddress,
         recipientaccountid, awsregion, eventid, outcome, errorcode, useragent,
         nullif(concat_ws(', ',
           CASE WHEN json_extract_scalar(requestparameters, '$.publiclyAccessible') = 'true'
                THEN 'publicly accessible' END,
           CASE WHEN json_extract_scalar(requestparameters, '$.masterUserPassword') IS NOT NULL
                 AND eventname LIKE 'Modify%' THEN 'master password set' END,
           CASE WHEN json_extract_scalar(requestparameters, '$.deletionProtection') = 'false'
                 AND eventname LIKE 'Modify%' THEN 'deletion protection off' END,
           CASE WHEN json_extract_scalar(requestparameters, '$.enableIAMDatabaseAuthentication')
             = 'true'
                 AND eventname LIKE 'Modify%' THEN 'IAM authentication on' END), '') AS change
  FROM   cloudtrail_logs
  WHERE  eventsource IN ('rds.amazonaws.com', 'redshift.amazonaws.com')
    AND  eventname IN ('ModifyDBInstance', 'ModifyDBCluster', 'ModifyCluster', 'CreateDBInstance',
                       'CreateDBCluster', 'CreateCluster', 'RestoreDBInstanceFromDBSnapshot')
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
)
SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.dBInstanceIdentifier'),
                json_extract_scalar(requestparameters, '$.dBClusterIdentifier'),
                json_extract_scalar(requestparameters, '$.clusterIdentifier')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       change,
       useragent
FROM   calls
WHERE  change IS NOT NULL
ORDER  BY eventtime, eventid

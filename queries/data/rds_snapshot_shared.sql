-- title: Database snapshot shared
-- description: Snapshots of Amazon RDS, Aurora or Amazon Redshift that were opened to another
--   account or to everybody.
-- hit: `shared_with` can restore the database from then on, or somebody tried to bring that
--   about.
-- caveat: What the other account does with it is recorded there. Encrypted snapshots need their
--   key to be shared as well.
-- severity: high
-- attack: TA0010:T1537
-- service: Amazon RDS
-- service: Amazon Redshift
-- param: known array(varchar) = '' -- accounts that belong to us
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ShareSnapshot.html
-- false_positive: Backup and disaster-recovery accounts: give them in `known`.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.dBSnapshotIdentifier'),
                json_extract_scalar(requestparameters, '$.dBClusterSnapshotIdentifier'),
                json_extract_scalar(requestparameters, '$.snapshotIdentifier')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       CASE WHEN s.account = 'all' THEN 'everybody' ELSE s.account END AS shared_with,
       useragent
FROM   cloudtrail_logs
CROSS  JOIN UNNEST(coalesce(CAST(json_extract(requestparameters,
                                              '$.valuesToAdd') AS array(varchar)),
                            ARRAY[json_extract_scalar(requestparameters,
                                                      '$.accountWithRestoreAccess')])) AS s(account)
WHERE  (eventsource = 'rds.amazonaws.com'
        AND eventname IN ('ModifyDBSnapshotAttribute', 'ModifyDBClusterSnapshotAttribute')
        OR eventsource = 'redshift.amazonaws.com'
        AND eventname = 'AuthorizeSnapshotAccess')
  AND  s.account <> recipientaccountid
  AND  NOT contains(:known, s.account)
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid, shared_with

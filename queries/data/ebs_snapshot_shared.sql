-- title: EBS snapshot shared
-- description: Snapshots of volumes that were opened to another account or to everybody: a disk
--   carried off without a byte of traffic.
-- hit: `shared_with` can copy the disk from then on, or somebody tried to bring that about.
-- caveat: What the other account does with it is recorded there; here only
--   SharedSnapshotVolumeCreated and SharedSnapshotCopyInitiated tell of it. Encrypted snapshots
--   need their key to be shared as well.
-- severity: high
-- attack: TA0010:T1537
-- service: Amazon EBS
-- param: known array(varchar) = '' -- accounts that belong to us
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-modifying-snapshot-permissions.html
-- false_positive: Backup and disaster-recovery accounts: give them in `known`.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       json_extract_scalar(requestparameters, '$.snapshotId') AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       CASE WHEN json_extract_scalar(s.item, '$.group') = 'all' THEN 'everybody'
            ELSE json_extract_scalar(s.item, '$.userId') END AS shared_with,
       useragent
FROM   cloudtrail_logs
CROSS  JOIN UNNEST(CAST(json_extract(requestparameters,
                                     '$.createVolumePermission.add.items') AS array(json))) AS s(item)
WHERE  eventsource = 'ec2.amazonaws.com'
  AND  eventname = 'ModifySnapshotAttribute'
  AND  (json_extract_scalar(s.item, '$.group') = 'all'
        OR json_extract_scalar(s.item, '$.userId') <> recipientaccountid)
  AND  NOT contains(:known, coalesce(json_extract_scalar(s.item, '$.userId'), ''))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid, shared_with

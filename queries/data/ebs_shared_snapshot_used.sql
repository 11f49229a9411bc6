-- title: Shared snapshot used by another account
-- description: Service events by which Amazon EC2 says that somebody made a volume from, or
--   copied, a snapshot that was shared with them, beside the call that shared it.
-- hit: The disk has been taken: `eventtime` is when.
-- caveat: Who it was is not told. The call that shared it may lie before these logs. Public
--   snapshots and those read through the EBS direct APIs give no such event.
-- severity: high
-- attack: TA0010:T1537
-- service: Amazon EBS
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-modifying-snapshot-permissions.html
-- false_positive: Backup and disaster-recovery accounts that copy snapshots.

WITH shares AS (
  SELECT json_extract_scalar(requestparameters, '$.snapshotId') AS snapshot_id,
         recipientaccountid AS account,
         max_by(principal_key, concat(eventtime, eventid)) AS shared_by,
         max(eventtime) AS shared_at
  FROM   cloudtrail_logs
  WHERE  eventsource = 'ec2.amazonaws.com'
    AND  eventname = 'ModifySnapshotAttribute'
    AND  errorcode IS NULL
    AND  json_extract(requestparameters, '$.createVolumePermission.add') IS NOT NULL
  GROUP  BY json_extract_scalar(requestparameters, '$.snapshotId'), recipientaccountid
)
SELECT e.eventtime,
       coalesce(e.principal_key, e.useridentity.invokedby) AS actor,
       e.eventname AS action,
       json_extract_scalar(e.serviceeventdetails, '$.snapshotId') AS resource,
       e.sourceipaddress,
       e.recipientaccountid,
       e.awsregion,
       e.eventid,
       s.shared_by,
       s.shared_at
FROM   cloudtrail_logs e
LEFT   JOIN shares s
  ON   s.snapshot_id = json_extract_scalar(e.serviceeventdetails, '$.snapshotId')
  AND  s.account = e.recipientaccountid
WHERE  e.eventsource = 'ec2.amazonaws.com'
  AND  e.eventname IN ('SharedSnapshotVolumeCreated', 'SharedSnapshotCopyInitiated')
  AND  (:since = '' OR e.eventtime >= :since)
  AND  (:until = '' OR e.eventtime <= :until)
ORDER  BY e.eventtime, e.eventid

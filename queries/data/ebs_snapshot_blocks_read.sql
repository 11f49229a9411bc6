-- title: Snapshots read block by block
-- description: Reads of snapshots through the EBS direct APIs, by principal and snapshot: a
--   disk's content downloaded without an instance.
-- hit: `blocks` blocks of the snapshot (512 KiB each) went to the caller's address;
--   ListSnapshotBlocks alone is the look before.
-- caveat: GetSnapshotBlock is a data event and absent in most trails; then only
--   ListSnapshotBlocks shows, which is recorded always. Backup products read snapshots this way.
-- severity: medium
-- attack: TA0009:T1530
-- attack: TA0010:T1537
-- service: Amazon EBS
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/ebs/latest/userguide/logging-ebs-apis-using-cloudtrail.html
-- false_positive: Backup products; AWS Backup and agentless scanners.

SELECT min(eventtime) AS eventtime,
       principal_key AS actor,
       array_join(array_agg(DISTINCT eventname ORDER BY eventname), ', ') AS action,
       coalesce(json_extract_scalar(requestparameters, '$.snapshotId'),
                json_extract_scalar(requestparameters, '$.secondSnapshotId')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       min_by(eventid, concat(eventtime, eventid)) AS eventid,
       count_if(eventname = 'GetSnapshotBlock' AND outcome = 'ok') AS blocks,
       count_if(outcome <> 'ok') AS failed,
       max(eventtime) AS last_seen
FROM   cloudtrail_logs
WHERE  eventsource = 'ebs.amazonaws.com'
  AND  eventname IN ('GetSnapshotBlock', 'ListSnapshotBlocks', 'ListChangedBlocks')
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY principal_key, coalesce(json_extract_scalar(requestparameters, '$.snapshotId'),
                                  json_extract_scalar(requestparameters, '$.secondSnapshotId')),
          sourceipaddress, recipientaccountid, awsregion
ORDER  BY eventtime, eventid

-- title: One event id, different contents
-- description: Events of which two versions are here that differ though account and id are the
--   same. CloudTrail does not do that: a file was changed by somebody, or by a tool that exported
--   it.
-- hit: One version of such an event, with the file and record it stands in; the versions stand
--   together.
-- caveat: Not for Athena: ingest compares records, Athena does not. Tools that rename or drop
--   fields on export make such pairs without malice. Which version is the true one, `trailhound
--   verify` can tell where there are digests.
-- attack: TA0005:T1565.001
-- service: AWS CloudTrail
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html

SELECT eventtime,
       recipientaccountid,
       eventid,
       principal_key,
       eventsource,
       eventname,
       outcome,
       sourceipaddress,
       awsregion,
       digest_status,
       regexp_extract(source_file, '([^/]+)$', 1) AS file,
       record_no
FROM   cloudtrail_logs
WHERE  id_conflict
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY recipientaccountid, eventid, eventtime, source_file, record_no

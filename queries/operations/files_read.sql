-- title: What was read, and what could not be
-- description: The files that were ingested, by account, region and outcome, with how many records
--   became rows, were copies, or were rejected, and why files were skipped. What an answer rests
--   on.
-- hit: Files of one kind, outcome and reason. Anything but `ingested` is evidence that no answer
--   includes.
-- caveat: Not for Athena: `log_files` is the ledger of what was ingested here. Files that were
--   never given to `trailhound ingest` are not in it. Rejected records are kept in `rejects`.
-- service: AWS CloudTrail
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html

SELECT account,
       region,
       kind,
       outcome,
       reason,
       count(*) AS files,
       sum(records_read) AS records,
       sum(records_written) AS written,
       sum(records_duplicate) AS copies,
       sum(records_rejected) AS rejected,
       date_format(min(first_event_at), '%Y-%m-%dT%H:%i:%sZ') AS first_event,
       date_format(max(last_event_at), '%Y-%m-%dT%H:%i:%sZ') AS last_event
FROM   log_files
WHERE  (:since = '' OR last_event_at IS NULL OR last_event_at >= from_iso8601_timestamp(:since))
  AND  (:until = '' OR first_event_at IS NULL OR first_event_at <= from_iso8601_timestamp(:until))
GROUP  BY account, region, kind, outcome, reason
ORDER  BY CASE outcome WHEN 'skipped' THEN 0 WHEN 'partial' THEN 1 WHEN 'forgotten' THEN 2
                       WHEN 'other' THEN 3 ELSE 4 END,
       files DESC, account, region, kind, outcome, reason

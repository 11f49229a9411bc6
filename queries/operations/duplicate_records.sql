-- title: Records that were delivered twice
-- description: Copies of events that were read and not counted again, by account, region and day:
--   the same file given twice, two trails that record the same, or a delivery that CloudTrail
--   repeated.
-- hit: Copies of one account, region and day, and from how many files.
-- caveat: Not for Athena: `duplicates` is kept here by ingest, and Athena counts every copy. An
--   event with the same id and other content is no copy: see `conflicting_records`.
-- service: AWS CloudTrail
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

SELECT account,
       region,
       date_format(event_ts, '%Y-%m-%d') AS day,
       count(*) AS copies,
       count(DISTINCT eventid) AS events,
       count(DISTINCT source_file) AS files_of_copies,
       count(*) FILTER (WHERE source_file = of_file) AS within_one_file,
       date_format(min(event_ts), '%Y-%m-%dT%H:%i:%sZ') AS first_event,
       date_format(max(event_ts), '%Y-%m-%dT%H:%i:%sZ') AS last_event
FROM   duplicates
WHERE  (:since = '' OR event_ts >= from_iso8601_timestamp(:since))
  AND  (:until = '' OR event_ts <= from_iso8601_timestamp(:until))
GROUP  BY account, region, date_format(event_ts, '%Y-%m-%d')
ORDER  BY account, region, day

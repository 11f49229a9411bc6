-- title: What the digests say about the log files
-- description: How many log and digest files were found valid, changed, missing or unverifiable, by
--   account and region, with the reason, and how many nobody has checked. Run `trailhound verify`
--   first.
-- hit: Files of one status and reason. `invalid` means changed, replaced or missing since
--   CloudTrail wrote them; `not verified`, that nothing is known.
-- caveat: Not for Athena: the verdicts are kept here by `trailhound verify`. A trail without
--   digests cannot be checked, and the newest digest not without its metadata in S3. A valid file
--   says nothing of events that were never recorded: see `trail_history`.
-- attack: TA0005:T1070
-- service: AWS CloudTrail
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html

WITH verdicts AS (
  SELECT 'log file' AS what, account, region, status, reason, delivered_at AS at
  FROM   digest_verdicts
  UNION ALL
  SELECT 'digest file' AS what, account, region, status, reason, end_at AS at
  FROM   digest_files
  UNION ALL
  SELECT 'log file' AS what,
         account,
         region,
         'not verified' AS status,
         'run trailhound verify' AS reason,
         last_event_at AS at
  FROM   log_files
  WHERE  digest_status IS NULL
    AND  records_read > 0
)
SELECT what,
       account,
       region,
       status,
       reason,
       count(*) AS files,
       date_format(min(at), '%Y-%m-%dT%H:%i:%sZ') AS first_at,
       date_format(max(at), '%Y-%m-%dT%H:%i:%sZ') AS last_at
FROM   verdicts
WHERE  (:since = '' OR at >= from_iso8601_timestamp(:since))
  AND  (:until = '' OR at <= from_iso8601_timestamp(:until))
GROUP  BY what, account, region, status, reason
ORDER  BY CASE status WHEN 'invalid' THEN 0 WHEN 'unverifiable' THEN 1 WHEN 'undigested' THEN 2
                      WHEN 'not verified' THEN 3 ELSE 4 END,
       files DESC, what, account, region, reason

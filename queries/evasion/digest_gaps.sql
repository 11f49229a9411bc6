-- title: Times without digests, beside the calls that stop them
-- description: Hours for which a trail has no valid digest file, and StopLogging, DeleteTrail or
--   UpdateTrail calls that may explain them: what was delivered then, nothing vouches for. Run
--   `trailhound verify` first; it fills `digest_files`. A chain that simply ends is listed where such
--   a call explains its end.
-- hit: From `gap_start` to `gap_end` (to the end of what is known, where NULL) no digest vouches for
--   the trail's log files; a call beside it may be the reason.
-- caveat: Not for Athena: it reads `digest_files`, which `trailhound verify` fills. A digest that was
--   never fetched looks like one that never was. No row does not mean that every file is genuine:
--   that is for `trailhound verify` to say.
-- attack: TA0005:T1562.008
-- attack: TA0005:T1070
-- service: AWS CloudTrail
-- param: account varchar = '%' -- only accounts that match, as in LIKE
-- param: region varchar = '%' -- only regions that match, as in LIKE
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html

WITH hours AS (
       SELECT account, region, trail, start_at, end_at,
              lag(end_at) OVER (PARTITION BY account, region, trail ORDER BY end_at) AS before,
              lead(end_at) OVER (PARTITION BY account, region, trail ORDER BY end_at) AS after
       FROM   digest_files
       WHERE  status = 'valid' AND NOT is_backfill
         AND  account LIKE :account AND region LIKE :region
     ),
     gaps AS (
       SELECT account, region, trail, before AS gap_start, start_at AS gap_end
       FROM   hours
       WHERE  start_at > before + INTERVAL '1' MINUTE
       UNION ALL
       SELECT account, region, trail, end_at, NULL
       FROM   hours
       WHERE  after IS NULL
     ),
     stops AS (
       SELECT event_ts, eventtime, eventname, principal_key, sourceipaddress,
              json_extract_scalar(requestparameters, '$.name') AS about
       FROM   cloudtrail_logs
       WHERE  eventsource = 'cloudtrail.amazonaws.com' AND errorcode IS NULL
         AND  (eventname IN ('StopLogging', 'DeleteTrail')
               OR eventname = 'UpdateTrail'
               AND json_extract_scalar(requestparameters, '$.enableLogFileValidation') = 'false')
     )
SELECT g.account,
       g.region,
       g.trail,
       g.gap_start,
       g.gap_end,
       s.eventtime,
       s.eventname,
       s.principal_key,
       s.sourceipaddress
FROM   gaps g
LEFT   JOIN stops s
  ON   s.event_ts >= g.gap_start - INTERVAL '2' HOUR
  AND  s.event_ts <= coalesce(g.gap_end, g.gap_start + INTERVAL '1' HOUR)
  AND  (s.about IS NULL OR s.about = g.trail OR s.about LIKE concat('%/', g.trail))
WHERE  g.gap_end IS NOT NULL OR s.eventname IS NOT NULL
ORDER  BY g.account, g.region, g.trail, g.gap_start, s.eventtime

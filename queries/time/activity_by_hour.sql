-- title: Calls by hour
-- description: How much was done in each hour, how much of it changed something or was refused, and
--   for how many hours before there was nothing at all. Shows when it began, when it was busy, and
--   gaps.
-- hit: One hour with events, in UTC; `quiet_hours` above zero means silence before it.
-- caveat: Silence may be a trail that was stopped, files that were not collected, or a quiet night:
--   compare with `coverage_by_day`. Without parameters, AWS's own services are in the numbers.
-- service: AWS CloudTrail
-- param: principal varchar = '%' -- only principals that match, as in LIKE
-- param: event varchar = '%' -- only event names that match, as in LIKE
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

WITH hours AS (
  SELECT date_trunc('hour', event_ts) AS hour,
         count(*) AS calls,
         count(*) FILTER (WHERE is_write AND outcome = 'ok') AS changes,
         count(*) FILTER (WHERE outcome = 'denied') AS denied,
         count(*) FILTER (WHERE outcome IN ('error', 'throttled')) AS failed,
         count(DISTINCT principal_key) AS principals,
         count(DISTINCT eventname) AS apis,
         count(DISTINCT src_ip) AS addresses,
         count(DISTINCT awsregion) AS regions
  FROM   cloudtrail_logs
  WHERE  event_ts IS NOT NULL
    AND  coalesce(principal_key, '') LIKE :principal
    AND  eventname LIKE :event
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
  GROUP  BY date_trunc('hour', event_ts)
)
SELECT date_format(hour, '%Y-%m-%dT%H:00Z') AS hour,
       calls,
       changes,
       denied,
       failed,
       principals,
       apis,
       addresses,
       regions,
       coalesce(date_diff('hour', lag(hour) OVER (ORDER BY hour), hour) - 1, 0) AS quiet_hours
FROM   hours
ORDER  BY hour

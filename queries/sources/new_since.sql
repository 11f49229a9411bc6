-- title: What is new since a point in time
-- description: Principals that appear for the first time, and for those known before: APIs,
--   addresses, clients and regions that they had not used in the days before. What GuardDuty calls
--   unusual, laid open.
-- hit: One principal and something new about it. A new principal has one row.
-- caveat: With few days of logs before (`baseline_days`) nearly all is new; GuardDuty learns for 7
--   to 14 days. People on the move have new addresses, and releases bring new clients.
-- attack: TA0001:T1078.004
-- service: AWS CloudTrail
-- param: start varchar -- from when on it counts as new, such as 2024-05-14T00:00:00Z
-- param: days bigint = 14 -- how many days before are compared
-- param: principal varchar = '%' -- only principals that match, as in LIKE
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-iam.html

WITH calls AS (
  SELECT principal_key,
         concat(service, ':', event_name_base) AS api,
         src_ip,
         regexp_extract(useragent, '^\[?([^/ ,]+(?:/[0-9]+)?)', 1) AS client,
         awsregion,
         min(eventtime) AS first_seen,
         max(eventtime) AS last_seen,
         count(*) AS calls,
         count(*) FILTER (WHERE is_write AND outcome = 'ok') AS changes,
         count(*) FILTER (WHERE outcome = 'denied') AS denied
  FROM   cloudtrail_logs
  WHERE  src_ip IS NOT NULL
    AND  useridentity.invokedby IS NULL
    AND  event_ts >= date_add('day', -1 * :days, from_iso8601_timestamp(:start))
    AND  coalesce(principal_key, '') LIKE :principal
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
  GROUP  BY principal_key, concat(service, ':', event_name_base), src_ip,
         regexp_extract(useragent, '^\[?([^/ ,]+(?:/[0-9]+)?)', 1), awsregion
),
principals AS (
  SELECT principal_key,
         min(first_seen) AS known_since
  FROM   calls
  GROUP  BY principal_key
),
logs AS (
  SELECT date_diff('day', from_iso8601_timestamp(min(first_seen)),
                   from_iso8601_timestamp(:start)) AS baseline_days
  FROM   calls
),
values_seen AS (
  SELECT principal_key,
         dimension,
         value,
         min(first_seen) AS first_seen,
         max(last_seen) AS last_seen,
         sum(calls) AS calls,
         sum(changes) AS changes,
         sum(denied) AS denied
  FROM   calls
  CROSS  JOIN UNNEST(ARRAY['principal', 'region', 'address', 'client', 'api'],
                     ARRAY[principal_key, awsregion, src_ip, client, api]) AS d (dimension, value)
  GROUP  BY principal_key, dimension, value
)
SELECT values_seen.first_seen,
       values_seen.principal_key,
       values_seen.dimension AS new,
       values_seen.value,
       values_seen.calls,
       values_seen.changes,
       values_seen.denied,
       values_seen.last_seen,
       logs.baseline_days
FROM   values_seen
JOIN   principals ON principals.principal_key = values_seen.principal_key
CROSS  JOIN logs
WHERE  values_seen.first_seen >= :start
  AND  (values_seen.dimension = 'principal' OR principals.known_since < :start)
ORDER  BY CASE values_seen.dimension WHEN 'principal' THEN 1 WHEN 'region' THEN 2
                                     WHEN 'address' THEN 3 WHEN 'client' THEN 4 ELSE 5 END,
       values_seen.first_seen, values_seen.principal_key, values_seen.value

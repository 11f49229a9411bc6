-- title: Hours in which an API was called far more than usual
-- description: For each API and region the hours that stand out against its own average over the
--   days before, as CloudTrail Insights does it: mass deletion, mass reading, a tool let loose.
-- hit: In that hour the API was called many times its usual rate; `usual_calls` is the average of
--   an hour of the week before, hours without a call counted as zero.
-- caveat: An API that was never called before has no usual rate: every larger number stands out. In
--   the first days of the logs the average rests on little (`days_known`). Data events make the
--   largest numbers where they are recorded.
-- attack: TA0040:T1485
-- attack: TA0010:T1567
-- service: AWS CloudTrail
-- param: factor bigint = 10 -- how many times the usual rate
-- param: at_least bigint = 50 -- how many calls in the hour at least
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-insights-events-with-cloudtrail.html

WITH beginnings AS (
  SELECT recipientaccountid, min(event_ts) AS began
  FROM   cloudtrail_logs
  GROUP  BY recipientaccountid
),
hours AS (
  SELECT recipientaccountid,
         awsregion,
         eventsource,
         eventname,
         date_trunc('hour', event_ts) AS hour,
         count(*) AS calls,
         count(*) FILTER (WHERE outcome <> 'ok') AS failed
  FROM   cloudtrail_logs
  WHERE  event_ts IS NOT NULL
  GROUP  BY recipientaccountid, awsregion, eventsource, eventname, date_trunc('hour', event_ts)
),
compared AS (
  SELECT recipientaccountid,
         awsregion,
         eventsource,
         eventname,
         hour,
         calls,
         failed,
         coalesce(sum(calls) OVER (PARTITION BY recipientaccountid, awsregion, eventsource, eventname
                                   ORDER BY hour
                                   RANGE BETWEEN INTERVAL '7' DAY PRECEDING
                                             AND INTERVAL '1' HOUR PRECEDING), 0) AS week_before
  FROM   hours
),
rated AS (
  SELECT compared.recipientaccountid,
         awsregion,
         eventsource,
         eventname,
         hour,
         date_format(hour, '%Y-%m-%dT%H:00Z') AS hour_text,
         calls,
         failed,
         least(168, greatest(1, date_diff('hour', beginnings.began, hour))) AS hours_known,
         CAST(week_before AS double) AS week_before
  FROM   compared
  JOIN   beginnings ON beginnings.recipientaccountid = compared.recipientaccountid
  WHERE  calls >= :at_least
)
SELECT hour_text AS hour,
       recipientaccountid,
       awsregion,
       eventsource,
       eventname,
       calls,
       round(week_before / hours_known, 1) AS usual_calls,
       hours_known / 24 AS days_known,
       failed
FROM   rated
WHERE  calls >= :factor * week_before / hours_known
  AND  (:since = '' OR hour_text >= substr(:since, 1, 13))
  AND  (:until = '' OR hour_text <= :until)
ORDER  BY calls DESC, hour_text, recipientaccountid, awsregion, eventsource, eventname

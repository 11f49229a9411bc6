-- title: What the logs cover: account, region and day
-- description: How many events there are for each account, region and day, in how many of its
--   hours, of which categories, and how many days before it have none at all. To read before saying
--   that something did not happen.
-- hit: One day of one region of an account with events; `days_missing` above zero is a gap before
--   it.
-- caveat: A region that nobody uses has no events on many days without a fault; a busy one has some
--   in every hour. An account or region without any row is unused, not logged, or not collected,
--   and these logs cannot tell which. Days are those of the events, in UTC.
-- service: AWS CloudTrail
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html

WITH days AS (
  SELECT recipientaccountid,
         awsregion,
         date_trunc('day', event_ts) AS day,
         count(*) AS events,
         count(DISTINCT hour(event_ts)) AS hours_with_events,
         count(*) FILTER (WHERE eventcategory = 'Management') AS management_events,
         count(*) FILTER (WHERE eventcategory = 'Data') AS data_events,
         count(DISTINCT eventsource) AS services,
         min(eventtime) AS first_event,
         max(eventtime) AS last_event
  FROM   cloudtrail_logs
  WHERE  event_ts IS NOT NULL
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
  GROUP  BY recipientaccountid, awsregion, date_trunc('day', event_ts)
)
SELECT recipientaccountid,
       awsregion,
       date_format(day, '%Y-%m-%d') AS day,
       events,
       hours_with_events,
       management_events,
       data_events,
       services,
       first_event,
       last_event,
       coalesce(date_diff('day', lag(day) OVER (PARTITION BY recipientaccountid, awsregion
                                                ORDER BY day), day) - 1, 0) AS days_missing
FROM   days
ORDER  BY recipientaccountid, awsregion, day

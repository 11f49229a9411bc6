-- title: Calls that were throttled
-- description: Who was turned away for calling too fast, at which API, and how fast it was in its
--   worst minute. A tool that empties or maps an account shows here, and so does the program whose
--   calls fail because somebody else uses up the limit.
-- hit: One principal and API with the calls that were turned away, beside all of its calls to it.
-- caveat: Limits are shared by an account and region: the one that is turned away need not be the
--   one that calls too much. Throttled data events are there only where the trail records them, and
--   SMTP mail of SES never is.
-- attack: TA0040:T1496
-- service: AWS CloudTrail
-- service: Amazon SES
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/throttling.html

WITH limited AS (
  SELECT DISTINCT principal_key, recipientaccountid, awsregion, eventsource, eventname
  FROM   cloudtrail_logs
  WHERE  outcome = 'throttled'
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
minutes AS (
  SELECT logs.principal_key,
         logs.recipientaccountid,
         logs.awsregion,
         logs.eventsource,
         logs.eventname,
         substr(logs.eventtime, 1, 16) AS minute,
         count(*) AS calls,
         count(*) FILTER (WHERE logs.outcome = 'throttled') AS throttled,
         min(logs.eventtime) FILTER (WHERE logs.outcome = 'throttled') AS first_seen,
         max(logs.eventtime) FILTER (WHERE logs.outcome = 'throttled') AS last_seen
  FROM   cloudtrail_logs logs
  JOIN   limited
    ON   limited.principal_key = logs.principal_key
   AND   limited.recipientaccountid = logs.recipientaccountid
   AND   limited.awsregion = logs.awsregion
   AND   limited.eventsource = logs.eventsource
   AND   limited.eventname = logs.eventname
  WHERE  (:since = '' OR logs.eventtime >= :since)
  AND  (:until = '' OR logs.eventtime <= :until)
  GROUP  BY logs.principal_key, logs.recipientaccountid, logs.awsregion, logs.eventsource,
         logs.eventname, substr(logs.eventtime, 1, 16)
)
SELECT principal_key,
       recipientaccountid,
       awsregion,
       eventsource,
       eventname,
       sum(throttled) AS throttled,
       sum(calls) AS calls,
       max(calls) AS most_in_a_minute,
       min(first_seen) AS first_seen,
       max(last_seen) AS last_seen
FROM   minutes
GROUP  BY principal_key, recipientaccountid, awsregion, eventsource, eventname
ORDER  BY throttled DESC, principal_key, recipientaccountid, awsregion, eventsource, eventname

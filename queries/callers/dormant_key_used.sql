-- title: Access key used after a long rest
-- description: A long-term access key that had been quiet for weeks is used again. Forgotten keys
--   are nobody's to miss: a thief's favourites.
-- hit: The first call after the rest; `quiet_since` is the call before it.
-- caveat: A rest can only be seen within the logs that were read: a key whose first use lies after
--   the beginning of the logs does not appear here. Days without logs look like rest; compare with
--   `coverage_by_day`.
-- severity: medium
-- attack: TA0001:T1078.004
-- service: IAM
-- param: days bigint = 30 -- for how many days it had rested
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/id-credentials-access-keys-update.html
-- false_positive: jobs that run once a quarter, such as yearly closing or recovery drills

WITH days AS (
  SELECT useridentity.accesskeyid AS access_key,
         substr(eventtime, 1, 10) AS day,
         min(event_ts) AS first_ts,
         max(event_ts) AS last_ts,
         max(eventtime) AS last_eventtime,
         min(concat(eventtime, ' ', eventid)) AS first_call
  FROM   cloudtrail_logs
  WHERE  key_kind = 'long-term'
  GROUP  BY useridentity.accesskeyid, substr(eventtime, 1, 10)
),
rests AS (
  SELECT access_key,
         first_ts,
         first_call,
         lag(last_eventtime) OVER (PARTITION BY access_key ORDER BY day) AS quiet_since,
         lag(last_ts) OVER (PARTITION BY access_key ORDER BY day) AS previous_ts
  FROM   days
),
awakenings AS (
  SELECT access_key,
         quiet_since,
         date_diff('day', previous_ts, first_ts) AS days_quiet,
         split_part(first_call, ' ', 2) AS eventid
  FROM   rests
  WHERE  date_diff('day', previous_ts, first_ts) >= :days
)
SELECT logs.eventtime,
       logs.principal_key AS actor,
       logs.eventname AS action,
       awakenings.access_key AS resource,
       logs.sourceipaddress,
       logs.recipientaccountid,
       logs.awsregion,
       logs.eventid,
       logs.eventsource,
       logs.outcome,
       logs.useragent,
       awakenings.quiet_since,
       awakenings.days_quiet
FROM   cloudtrail_logs logs
JOIN   awakenings
  ON   awakenings.eventid = logs.eventid
 AND   awakenings.access_key = logs.useridentity.accesskeyid
WHERE  (:since = '' OR logs.eventtime >= :since)
  AND  (:until = '' OR logs.eventtime <= :until)
ORDER  BY logs.eventtime, logs.eventid

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

WITH calls AS (
  SELECT eventtime,
         event_ts,
         principal_key,
         eventname,
         useridentity.accesskeyid AS access_key,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid,
         eventsource,
         outcome,
         useragent,
         lag(eventtime) OVER (PARTITION BY useridentity.accesskeyid
                              ORDER BY event_ts, eventid) AS quiet_since,
         lag(event_ts) OVER (PARTITION BY useridentity.accesskeyid
                             ORDER BY event_ts, eventid) AS previous_ts,
         lag(sourceipaddress) OVER (PARTITION BY useridentity.accesskeyid
                                    ORDER BY event_ts, eventid) AS previous_address
  FROM   cloudtrail_logs
  WHERE  key_kind = 'long-term'
)
SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       access_key AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       eventsource,
       outcome,
       useragent,
       quiet_since,
       date_diff('day', previous_ts, event_ts) AS days_quiet,
       previous_address
FROM   calls
WHERE  date_diff('day', previous_ts, event_ts) >= :days
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

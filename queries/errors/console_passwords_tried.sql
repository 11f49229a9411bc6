-- title: One address fails to sign in again and again
-- description: Many failed sign-ins to the console from one address within an hour: of one user
--   (guessing) or of many (spraying), and whether any of them succeeded.
-- hit: One address and burst of failures. `users` above one is a spray; names that AWS hides
--   (HIDDEN_DUE_TO_SECURITY_REASONS) are users that do not exist.
-- caveat: A spray over many addresses does not show: look at `console_logins` by hour. Sign-ins at
--   an identity provider stand in its own log.
-- severity: medium
-- attack: TA0006:T1110.003
-- attack: TA0006:T1110.001
-- service: AWS Management Console
-- param: threshold bigint = 5 -- how many failures within an hour
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html
-- false_positive: an office behind one address on the day after passwords expired

WITH attempts AS (
  SELECT eventtime,
         recipientaccountid,
         CASE WHEN useridentity.type = 'Root' THEN 'root' ELSE useridentity.username END AS who,
         json_extract_scalar(responseelements, '$.ConsoleLogin') AS result,
         sourceipaddress,
         awsregion,
         eventid,
         useragent,
         concat(eventtime, eventid) AS sequence_key,
         CAST(floor(to_unixtime(event_ts) / 1800) AS bigint) AS slot
  FROM   cloudtrail_logs
  WHERE  eventsource = 'signin.amazonaws.com'
    AND  eventname = 'ConsoleLogin'
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
windows AS (
  SELECT sourceipaddress, slot - half AS first_slot
  FROM   attempts
  CROSS  JOIN UNNEST(ARRAY[0, 1]) AS halves (half)
  WHERE  result = 'Failure'
  GROUP  BY sourceipaddress, slot - half
  HAVING count(*) >= :threshold
),
busy_slots AS (
  SELECT DISTINCT sourceipaddress, first_slot + half AS slot
  FROM   windows
  CROSS  JOIN UNNEST(ARRAY[0, 1]) AS halves (half)
),
bursts AS (
  SELECT sourceipaddress,
         slot,
         slot - row_number() OVER (PARTITION BY sourceipaddress ORDER BY slot) AS burst
  FROM   busy_slots
)
SELECT min(attempts.eventtime) AS eventtime,
       array_join(slice(array_sort(array_agg(DISTINCT attempts.who)), 1, 5), ', ') AS actor,
       concat(CAST(count(*) FILTER (WHERE attempts.result = 'Failure') AS varchar),
              ' failed sign-ins') AS action,
       'console' AS resource,
       attempts.sourceipaddress,
       min_by(attempts.recipientaccountid, attempts.sequence_key) AS recipientaccountid,
       min_by(attempts.awsregion, attempts.sequence_key) AS awsregion,
       min_by(attempts.eventid, attempts.sequence_key) AS eventid,
       max(attempts.eventtime) AS last_eventtime,
       count(*) FILTER (WHERE attempts.result = 'Failure') AS failures,
       count(*) FILTER (WHERE attempts.result = 'Success') AS successes,
       count(DISTINCT attempts.who) AS users,
       count(DISTINCT attempts.recipientaccountid) AS accounts,
       array_join(slice(array_sort(array_agg(DISTINCT attempts.who)
                                   FILTER (WHERE attempts.result = 'Success')), 1, 5), ', ')
         AS signed_in,
       min_by(attempts.useragent, attempts.sequence_key) AS useragent
FROM   attempts
JOIN   bursts
  ON   bursts.sourceipaddress = attempts.sourceipaddress
 AND   bursts.slot = attempts.slot
GROUP  BY attempts.sourceipaddress, bursts.burst
ORDER  BY eventtime, eventid

-- title: Many different reading calls within minutes
-- description: A principal asked many different APIs what there is (List, Describe, Get) within ten
--   minutes. So begins an intruder, or a tool that draws a map of the account.
-- hit: One burst, from its first to its last reading call; `different_apis` of how many services.
-- caveat: The console asks many APIs for each page that somebody opens (`from_console`), and
--   deployment tools read all that they manage: look for principals and clients that are not used
--   to it. Who takes his time stays below the threshold.
-- severity: low
-- attack: TA0007:T1580
-- attack: TA0007:T1526
-- service: AWS CloudTrail
-- param: threshold bigint = 20 -- how many different APIs within ten minutes
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-iam.html
-- false_positive: inventory and security posture tools
-- false_positive: Terraform, CloudFormation and the console

WITH reads AS (
  SELECT eventtime,
         principal_key,
         eventsource,
         eventname,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid,
         useragent,
         outcome,
         sessioncredentialfromconsole,
         concat(eventtime, eventid) AS sequence_key,
         CAST(floor(to_unixtime(event_ts) / 300) AS bigint) AS slot
  FROM   cloudtrail_logs
  WHERE  (eventname LIKE 'List%' OR eventname LIKE 'Describe%' OR eventname LIKE 'Get%')
    AND  src_ip IS NOT NULL
    AND  useridentity.invokedby IS NULL
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
apis AS (
  SELECT DISTINCT principal_key, recipientaccountid, slot, concat(eventsource, eventname) AS api
  FROM   reads
),
windows AS (
  SELECT principal_key, recipientaccountid, slot - half AS first_slot
  FROM   apis
  CROSS  JOIN UNNEST(ARRAY[0, 1]) AS halves (half)
  GROUP  BY principal_key, recipientaccountid, slot - half
  HAVING count(DISTINCT api) >= :threshold
),
busy_slots AS (
  SELECT DISTINCT principal_key, recipientaccountid, first_slot + half AS slot
  FROM   windows
  CROSS  JOIN UNNEST(ARRAY[0, 1]) AS halves (half)
),
bursts AS (
  SELECT principal_key,
         recipientaccountid,
         slot,
         slot - row_number() OVER (PARTITION BY principal_key, recipientaccountid
                                   ORDER BY slot) AS burst
  FROM   busy_slots
)
SELECT min(reads.eventtime) AS eventtime,
       reads.principal_key AS actor,
       concat(CAST(count(DISTINCT concat(reads.eventsource, reads.eventname)) AS varchar),
              ' APIs read') AS action,
       array_join(slice(array_sort(array_agg(DISTINCT reads.eventsource)), 1, 10), ', ')
         AS resource,
       min_by(reads.sourceipaddress, reads.sequence_key) AS sourceipaddress,
       reads.recipientaccountid,
       min_by(reads.awsregion, reads.sequence_key) AS awsregion,
       min_by(reads.eventid, reads.sequence_key) AS eventid,
       max(reads.eventtime) AS last_eventtime,
       count(*) AS calls,
       count(DISTINCT concat(reads.eventsource, reads.eventname)) AS different_apis,
       count(DISTINCT reads.eventsource) AS services,
       count(*) FILTER (WHERE reads.outcome = 'denied') AS denied,
       count(DISTINCT reads.awsregion) AS regions,
       count(*) FILTER (WHERE reads.sessioncredentialfromconsole = 'true') AS from_console,
       min_by(reads.useragent, reads.sequence_key) AS useragent
FROM   reads
JOIN   bursts
  ON   bursts.principal_key = reads.principal_key
 AND   bursts.recipientaccountid = reads.recipientaccountid
 AND   bursts.slot = reads.slot
GROUP  BY reads.principal_key, reads.recipientaccountid, bursts.burst
ORDER  BY eventtime, eventid

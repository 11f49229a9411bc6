-- title: Bursts of denied calls
-- description: A principal that is refused many times within ten minutes. Someone who does not know
--   what a stolen credential may do tries.
-- hit: One burst, from its first refused call to its last, however long it went on; `apis` names
--   what was tried. Many APIs of many services are a search, one API over and over is rather a
--   broken program.
-- caveat: Refusals of data events (objects, functions) are there only where the trail records them.
--   Who tries slowly stays below the threshold: `failed_calls` counts over any time.
-- severity: medium
-- attack: TA0007:T1580
-- attack: TA0007:T1087.004
-- service: IAM
-- param: threshold bigint = 8 -- how many refused calls within ten minutes
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
-- false_positive: a program whose permissions were taken away, and which asks again and again
-- false_positive: security scanners that read what they may not

WITH denied AS (
  SELECT eventtime,
         principal_key,
         eventsource,
         eventname,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid,
         useragent,
         concat(eventtime, eventid) AS sequence_key,
         CAST(floor(to_unixtime(event_ts) / 300) AS bigint) AS slot
  FROM   cloudtrail_logs
  WHERE  outcome = 'denied'
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
windows AS (
  SELECT principal_key, recipientaccountid, slot - half AS first_slot
  FROM   denied
  CROSS  JOIN UNNEST(ARRAY[0, 1]) AS halves (half)
  GROUP  BY principal_key, recipientaccountid, slot - half
  HAVING count(*) >= :threshold
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
SELECT min(denied.eventtime) AS eventtime,
       denied.principal_key AS actor,
       concat(CAST(count(*) AS varchar), ' calls denied') AS action,
       array_join(slice(array_sort(array_agg(DISTINCT denied.eventsource)), 1, 10), ', ')
         AS resource,
       min_by(denied.sourceipaddress, denied.sequence_key) AS sourceipaddress,
       denied.recipientaccountid,
       min_by(denied.awsregion, denied.sequence_key) AS awsregion,
       min_by(denied.eventid, denied.sequence_key) AS eventid,
       max(denied.eventtime) AS last_eventtime,
       count(*) AS calls,
       count(DISTINCT concat(denied.eventsource, denied.eventname)) AS different_apis,
       count(DISTINCT denied.sourceipaddress) AS addresses,
       array_join(slice(array_sort(array_agg(DISTINCT denied.eventname)), 1, 10), ', ') AS apis
FROM   denied
JOIN   bursts
  ON   bursts.principal_key = denied.principal_key
 AND   bursts.recipientaccountid = denied.recipientaccountid
 AND   bursts.slot = denied.slot
GROUP  BY denied.principal_key, denied.recipientaccountid, bursts.burst
ORDER  BY eventtime, eventid

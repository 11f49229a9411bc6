-- title: First launch in a region
-- description: The first launch of an instance in a region where the account had launched none
--   before, once the logs reach far enough back to tell. Intruders like regions that nobody looks
--   at.
-- hit: Instances run, or were asked for, in a region that was not in use; `history_days` says
--   how long it was quiet.
-- caveat: The region was quiet only as far as these logs tell; a trail of one region sees no
--   other. Instances that run since before do not show.
-- severity: medium
-- attack: TA0005:T1535
-- attack: TA0005:T1578.002
-- service: Amazon EC2
-- param: days bigint = 7 -- so many days of history must lie before the launch
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-regions-availability-zones.html
-- false_positive: A new region taken into use on purpose.

WITH history AS (
  SELECT recipientaccountid, min(event_ts) AS begins
  FROM   cloudtrail_logs
  GROUP  BY recipientaccountid
),
launches AS (
  SELECT eventtime, event_ts, principal_key, eventname, sourceipaddress, recipientaccountid,
         awsregion, eventid, outcome, errorcode, useragent,
         regexp_extract(requestparameters, '"[iI]nstanceType"\s*:\s*"([^"]+)"', 1) AS instance_type,
         row_number() OVER (PARTITION BY recipientaccountid, awsregion ORDER BY eventtime,
                            eventid) AS nth
  FROM   cloudtrail_logs
  WHERE  eventsource = 'ec2.amazonaws.com'
    AND  eventname IN ('RunInstances', 'RequestSpotInstances', 'RequestSpotFleet', 'CreateFleet')
)
SELECT l.eventtime,
       l.principal_key AS actor,
       l.eventname AS action,
       l.instance_type AS resource,
       l.sourceipaddress,
       l.recipientaccountid,
       l.awsregion,
       l.eventid,
       l.outcome,
       l.errorcode,
       date_diff('day', h.begins, l.event_ts) AS history_days,
       l.useragent
FROM   launches l
JOIN   history h ON h.recipientaccountid = l.recipientaccountid
WHERE  l.nth = 1
  AND  date_diff('day', h.begins, l.event_ts) >= :days
  AND  (:since = '' OR l.eventtime >= :since)
  AND  (:until = '' OR l.eventtime <= :until)
ORDER  BY l.eventtime, l.eventid

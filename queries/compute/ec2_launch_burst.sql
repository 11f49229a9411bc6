-- title: Burst of launches
-- description: Hours in which one principal launched or tried to launch many instances, or ran
--   into limits, over all regions.
-- hit: So much was launched, or wanted, in that hour; limits hit in several regions are typical
--   of miners.
-- caveat: Hours begin at the full hour. Auto Scaling and fleets launch as services, in bursts,
--   by design; their calls are left out.
-- severity: medium
-- attack: TA0040:T1496.001
-- attack: TA0005:T1578.002
-- service: Amazon EC2
-- param: instances bigint = 20 -- so many instances started in an hour are a burst
-- param: failures bigint = 3 -- or so many launches that failed
-- param: regions bigint = 3 -- or launches in so many regions
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-resource-limits.html
-- false_positive: Load tests; build farms that launch their own machines.

SELECT min(eventtime) AS eventtime,
       principal_key AS actor,
       array_join(array_agg(DISTINCT eventname ORDER BY eventname), ', ') AS action,
       array_join(array_agg(DISTINCT regexp_extract(requestparameters,
                                                    '"[iI]nstanceType"\s*:\s*"([^"]+)"', 1)
                  ORDER BY regexp_extract(requestparameters,
                                          '"[iI]nstanceType"\s*:\s*"([^"]+)"', 1)),
                                          ', ') AS resource,
       array_join(array_agg(DISTINCT sourceipaddress
                            ORDER BY sourceipaddress), ', ') AS sourceipaddress,
       recipientaccountid,
       array_join(array_agg(DISTINCT awsregion ORDER BY awsregion), ', ') AS awsregion,
       min_by(eventid, concat(eventtime, eventid)) AS eventid,
       count(*) AS launches,
       coalesce(sum(json_array_length(json_extract(responseelements, '$.instancesSet.items'))),
                0) AS started,
       count_if(outcome <> 'ok') AS failed,
       count_if(errorcode LIKE '%LimitExceeded' OR errorcode LIKE '%CountExceeded') AS limits_hit,
       count(DISTINCT awsregion) AS regions,
       max(eventtime) AS last_seen
FROM   cloudtrail_logs
WHERE  eventsource = 'ec2.amazonaws.com'
  AND  eventname IN ('RunInstances', 'RequestSpotInstances', 'RequestSpotFleet', 'CreateFleet')
  AND  useridentity.invokedby IS NULL
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY principal_key, recipientaccountid, date_trunc('hour', event_ts)
HAVING sum(json_array_length(json_extract(responseelements, '$.instancesSet.items'))) >= :instances
    OR count_if(outcome <> 'ok') >= :failures
    OR count(DISTINCT awsregion) >= :regions
ORDER  BY eventtime, eventid

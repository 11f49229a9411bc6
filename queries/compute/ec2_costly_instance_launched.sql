-- title: Costly instance launched
-- description: Launches, or attempts, of instance types with accelerators, bare metal or very
--   many processors, which coin miners, password crackers and model thieves want.
-- hit: Somebody asked for such a machine; an error that names a limit means that only a quota
--   stood in the way.
-- caveat: The type is not in the call where a launch template or Auto Scaling group gives it.
--   Which types are usual for you only you know: set `usual`.
-- severity: medium
-- attack: TA0005:T1578.002
-- attack: TA0040:T1496.001
-- service: Amazon EC2
-- param: types varchar = '^(p\d|g\d|gr\d|trn\d|inf\d|dl\d|vt\d|f\d|hpc\d|u-|u\d|x\d|mac)|\.metal|\.(1[26]|18|24|32|48|56|96|112|192)xlarge$' -- instance types that are costly, as a regular expression
-- param: usual array(varchar) = '' -- instance types that are usual here
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html
-- false_positive: Teams that train models, render or build on such machines.

WITH launches AS (
  SELECT eventtime, principal_key, eventname, sourceipaddress, recipientaccountid, awsregion,
         eventid, outcome, errorcode, useragent,
         array_distinct(regexp_extract_all(requestparameters,
                                           '"[iI]nstanceType"\s*:\s*"([^"]+)"',
                                           1)) AS instance_types,
         coalesce(json_extract_scalar(requestparameters, '$.instancesSet.items[0].maxCount'),
                  regexp_extract(requestparameters,
                                 '"(?:TotalTargetCapacity|targetCapacity|instanceCount)"\s*:\s*"?(\d+)', 1)) AS asked_for,
         json_array_length(json_extract(responseelements, '$.instancesSet.items')) AS started
  FROM   cloudtrail_logs
  WHERE  eventsource = 'ec2.amazonaws.com'
    AND  eventname IN ('RunInstances', 'RequestSpotInstances', 'RequestSpotFleet', 'CreateFleet',
                       'CreateLaunchTemplate', 'CreateLaunchTemplateVersion',
                       'ModifyInstanceAttribute')
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
)
SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       array_join(instance_types, ', ') AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       asked_for,
       started,
       outcome,
       errorcode,
       coalesce(errorcode, '') IN ('Client.VcpuLimitExceeded', 'Client.InstanceLimitExceeded',
                                   'Client.MaxSpotInstanceCountExceeded',
                                   'Client.MaxSpotFleetRequestCountExceeded',
                                   'Server.InsufficientInstanceCapacity') AS limit_hit,
       useragent
FROM   launches
WHERE  any_match(instance_types, t -> regexp_like(t, :types) AND NOT contains(:usual, t))
ORDER  BY eventtime, eventid

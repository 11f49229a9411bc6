-- title: Instances launched
-- description: Every launch of EC2 instances, single, spot, fleet or by Auto Scaling, with type,
--   number, image, key pair, role, network and the instances that came of it.
-- hit: A launch or an attempt at one; `instances` are the ids, NULL where none started.
-- caveat: Fleets and spot requests start instances later, which shows as RunInstances by the
--   service. Instances of other services (ECS, Batch, SageMaker) are in
--   `compute_created_elsewhere`.
-- attack: TA0005:T1578.002
-- service: Amazon EC2
-- param: principal varchar = '%' -- principal_key, as in LIKE
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html

SELECT eventtime,
       principal_key,
       eventname,
       outcome,
       errorcode,
       coalesce(json_extract_scalar(requestparameters, '$.instanceType'),
                regexp_extract(requestparameters,
                               '"[iI]nstanceType"\s*:\s*"([^"]+)"', 1)) AS instance_type,
       coalesce(json_extract_scalar(requestparameters, '$.instancesSet.items[0].maxCount'),
                regexp_extract(requestparameters,
                               '"(?:TotalTargetCapacity|targetCapacity|instanceCount)"\s*:\s*"?(\d+)', 1)) AS asked_for,
       json_array_length(json_extract(responseelements, '$.instancesSet.items')) AS started,
       array_join(regexp_extract_all(json_format(json_extract(responseelements, '$.instancesSet')),
                  '"instanceId"\s*:\s*"(i-[^"]+)"', 1), ', ') AS instances,
       coalesce(json_extract_scalar(requestparameters, '$.instancesSet.items[0].imageId'),
                regexp_extract(requestparameters, '"(ami-[^"]+)"', 1)) AS image,
       coalesce(json_extract_scalar(requestparameters, '$.instancesSet.items[0].keyName'),
                json_extract_scalar(requestparameters, '$.keyName')) AS key_pair,
       coalesce(json_extract_scalar(requestparameters, '$.iamInstanceProfile.name'),
                json_extract_scalar(requestparameters,
                                    '$.iamInstanceProfile.arn')) AS instance_profile,
       coalesce(json_extract_scalar(requestparameters, '$.subnetId'),
                json_extract_scalar(requestparameters,
                                    '$.networkInterfaceSet.items[0].subnetId')) AS subnet,
       json_extract(requestparameters, '$.userData') IS NOT NULL AS user_data,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid
FROM   cloudtrail_logs
WHERE  eventsource = 'ec2.amazonaws.com'
  AND  eventname IN ('RunInstances', 'RequestSpotInstances', 'RequestSpotFleet', 'CreateFleet')
  AND  coalesce(principal_key, '') LIKE :principal
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

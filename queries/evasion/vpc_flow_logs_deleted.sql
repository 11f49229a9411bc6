-- title: VPC flow logs deleted
-- description: DeleteFlowLogs calls: from then on the traffic of a VPC, subnet or interface is
--   not recorded.
-- hit: The network's traffic goes unrecorded, or somebody tried to bring that about.
-- caveat: Which VPC it was is not in the call; look for the CreateFlowLogs that made the id. No
--   row does not mean that flow logs were on. A role or bucket that flow logs need may have been
--   removed instead.
-- severity: high
-- attack: TA0005:T1562.008
-- service: Amazon VPC
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteFlowLogs.html
-- false_positive: A VPC torn down by infrastructure as code, together with its subnets.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       array_join(regexp_extract_all(requestparameters, 'fl-[0-9a-f]+'), ', ') AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 'ec2.amazonaws.com'
  AND  eventname = 'DeleteFlowLogs'
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

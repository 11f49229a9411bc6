-- title: VPC endpoint made, opened or removed
-- description: Endpoints created, deleted or given another policy: the policy decides which
--   accounts and buckets can be reached from inside.
-- hit: The way from the VPC to the service changed, or somebody tried to change it; where
--   `policy` allows everything, nothing holds data back.
-- caveat: An endpoint without a policy allows everything, which is the default. Policies of
--   endpoint services, which let others in, are here as well.
-- severity: low
-- attack: TA0005:T1562.007
-- attack: TA0010:T1537
-- service: Amazon VPC
-- service: AWS PrivateLink
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
-- false_positive: Networks built by infrastructure as code.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.CreateVpcEndpointRequest.ServiceName'),
                json_extract_scalar(requestparameters, '$.ModifyVpcEndpointRequest.VpcEndpointId'),
                json_extract_scalar(requestparameters,
                                    '$.DeleteVpcEndpointsRequest.VpcEndpointId.content'),
                json_extract_scalar(requestparameters,
                                    '$.ModifyVpcEndpointServicePermissionsRequest.ServiceId'),
                regexp_extract(requestparameters, 'vpce-[0-9a-z-]+')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       json_extract_scalar(requestparameters, '$.CreateVpcEndpointRequest.VpcId') AS vpc,
       coalesce(json_extract_scalar(requestparameters, '$.CreateVpcEndpointRequest.PolicyDocument'),
                json_extract_scalar(requestparameters,
                                    '$.ModifyVpcEndpointRequest.PolicyDocument')) AS policy,
       json_extract_scalar(requestparameters,
                           '$.ModifyVpcEndpointRequest.ResetPolicy') AS policy_reset,
       nullif(array_join(regexp_extract_all(json_format(json_extract(requestparameters,
         '$.ModifyVpcEndpointServicePermissionsRequest.AddAllowedPrincipals')),
         'arn:aws[^"]+|"\*"'), ', '), '') AS let_in,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 'ec2.amazonaws.com'
  AND  (eventname IN ('CreateVpcEndpoint', 'DeleteVpcEndpoints',
                      'ModifyVpcEndpointServicePermissions')
        OR (eventname = 'ModifyVpcEndpoint'
            AND regexp_like(requestparameters, '"(PolicyDocument|ResetPolicy)"')))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

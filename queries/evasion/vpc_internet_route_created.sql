-- title: Route to the internet created
-- description: Default routes to an internet gateway, NAT gateway, peering or instance, and
--   internet gateways attached to a VPC: a network that was closed gets a way out, and with a
--   public address a way in.
-- hit: A subnet got another way to the world, or somebody tried to bring that about.
-- caveat: Every new VPC has such calls; unusual is one in a VPC that has long existed. Security
--   groups and network ACLs still apply.
-- severity: informational
-- attack: TA0005:T1562.007
-- service: Amazon VPC
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRoute.html
-- false_positive: VPCs built by infrastructure as code.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.routeTableId'),
                json_extract_scalar(requestparameters, '$.vpcId')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       coalesce(json_extract_scalar(requestparameters, '$.gatewayId'),
                json_extract_scalar(requestparameters, '$.internetGatewayId'),
                json_extract_scalar(requestparameters, '$.natGatewayId'),
                json_extract_scalar(requestparameters, '$.egressOnlyInternetGatewayId'),
                json_extract_scalar(requestparameters, '$.transitGatewayId'),
                json_extract_scalar(requestparameters, '$.vpcPeeringConnectionId'),
                json_extract_scalar(requestparameters, '$.networkInterfaceId'),
                json_extract_scalar(requestparameters, '$.instanceId')) AS through,
       coalesce(json_extract_scalar(requestparameters, '$.destinationCidrBlock'),
                json_extract_scalar(requestparameters,
                                    '$.destinationIpv6CidrBlock')) AS destination,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 'ec2.amazonaws.com'
  AND  (eventname = 'AttachInternetGateway'
        OR (eventname IN ('CreateRoute', 'ReplaceRoute')
            AND coalesce(json_extract_scalar(requestparameters, '$.destinationCidrBlock'),
                         json_extract_scalar(requestparameters, '$.destinationIpv6CidrBlock'))
                           LIKE '%/0'))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

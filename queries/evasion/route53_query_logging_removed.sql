-- title: DNS query logging removed
-- description: Calls that end the logging of DNS queries: a hosted zone's query log, a
--   Resolver's, or a VPC taken from one.
-- hit: Names that hosts look up (malware domains, tunnels) are no longer recorded, or somebody
--   tried to bring that about.
-- caveat: No row does not mean that DNS queries were logged. GuardDuty reads DNS on its own and
--   is not affected.
-- severity: medium
-- attack: TA0005:T1562.008
-- service: Amazon Route 53
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_DeleteResolverQueryLogConfig.html
-- false_positive: A VPC or hosted zone torn down by infrastructure as code.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.resourceId'),
                json_extract_scalar(requestparameters, '$.resolverQueryLogConfigId'),
                json_extract_scalar(requestparameters, '$.id')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       json_extract_scalar(responseelements,
                           '$.resolverQueryLogConfig.destinationArn') AS logged_to,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource IN ('route53.amazonaws.com', 'route53resolver.amazonaws.com')
  AND  eventname IN ('DeleteQueryLoggingConfig', 'DeleteResolverQueryLogConfig',
                     'DisassociateResolverQueryLogConfig')
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

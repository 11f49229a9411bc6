-- title: DNS Firewall weakened
-- description: Calls that detach or delete rule groups and rules of Route 53 Resolver DNS
--   Firewall, or turn a rule to ALLOW, or let queries pass when the firewall fails.
-- hit: Names that were blocked resolve again, or somebody tried to bring that about.
-- caveat: UpdateFirewallDomains may add as well as remove; it is shown where it removes or
--   replaces. No row does not mean that a firewall was in use.
-- severity: medium
-- attack: TA0005:T1562.007
-- service: Amazon Route 53
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_UpdateFirewallRule.html
-- false_positive: Operators who tune rules.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.firewallRuleGroupAssociationId'),
                json_extract_scalar(requestparameters, '$.firewallRuleGroupId'),
                json_extract_scalar(requestparameters, '$.firewallDomainListId'),
                json_extract_scalar(requestparameters, '$.resourceId')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       requestparameters AS asked_for,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 'route53resolver.amazonaws.com'
  AND  (eventname IN ('DisassociateFirewallRuleGroup', 'DeleteFirewallRuleGroup',
                      'DeleteFirewallRule', 'DeleteFirewallDomainList')
        OR (eventname = 'UpdateFirewallRule'
            AND json_extract_scalar(requestparameters, '$.action') = 'ALLOW')
        OR (eventname = 'UpdateFirewallDomains'
            AND json_extract_scalar(requestparameters, '$.operation') IN ('REMOVE', 'REPLACE'))
        OR (eventname = 'UpdateFirewallConfig'
            AND json_extract_scalar(requestparameters, '$.firewallFailOpen') = 'ENABLED'))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

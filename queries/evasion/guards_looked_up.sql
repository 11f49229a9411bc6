-- title: Guards looked up
-- description: Hours in which one principal asked how several kinds of guard are set up: trails,
--   GuardDuty, Config, Security Hub, alarms, flow logs, log groups, WAF. Who wants to stay unseen
--   asks that first.
-- hit: The principal asked about so many kinds of guard in that hour; see
--   `guards_removed_by_principal` for what followed.
-- caveat: Auditors, posture scanners and the console's own pages ask the same. Hours begin at
--   the full hour. Reads of the guards' findings are counted too.
-- severity: low
-- attack: TA0007:T1518.001
-- attack: TA0007:T1526
-- service: AWS CloudTrail
-- service: Amazon GuardDuty
-- service: AWS Config
-- param: kinds bigint = 4 -- fewest kinds of guard in an hour
-- param: except_principals array(varchar) = '' -- principals that audit, by principal_key
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://attack.mitre.org/techniques/T1518/001/
-- false_positive: Auditors and posture scanners: name them in `except_principals`.

WITH calls AS (
  SELECT eventtime, event_ts, principal_key, eventname, sourceipaddress, recipientaccountid,
         awsregion, eventid, outcome,
         CASE WHEN eventsource = 'cloudtrail.amazonaws.com' THEN 'trail'
              WHEN eventsource = 'guardduty.amazonaws.com' THEN 'guardduty'
              WHEN eventsource = 'config.amazonaws.com' THEN 'config'
              WHEN eventsource = 'securityhub.amazonaws.com' THEN 'security hub'
              WHEN eventsource = 'monitoring.amazonaws.com' THEN 'alarms'
              WHEN eventsource = 'logs.amazonaws.com' THEN 'log groups'
              WHEN eventsource = 'events.amazonaws.com' THEN 'event rules'
              WHEN eventsource = 'ec2.amazonaws.com' THEN 'flow logs'
              WHEN eventsource LIKE 'waf%' THEN 'waf'
              WHEN eventsource LIKE 'route53%' THEN 'dns logs'
              WHEN eventsource = 'access-analyzer.amazonaws.com' THEN 'access analyzer'
              ELSE 'scanners' END AS kind
  FROM   cloudtrail_logs
  WHERE  eventname IN ('DescribeTrails', 'GetTrail', 'ListTrails', 'GetTrailStatus',
                       'GetEventSelectors', 'GetInsightSelectors', 'ListDetectors', 'GetDetector',
                       'ListFindings', 'GetFindings', 'ListIPSets', 'GetMasterAccount',
                       'GetAdministratorAccount', 'DescribeConfigurationRecorders',
                       'DescribeConfigurationRecorderStatus', 'DescribeDeliveryChannels',
                       'DescribeConfigRules', 'DescribeHub', 'GetEnabledStandards',
                       'DescribeAlarms', 'DescribeAlarmsForMetric', 'DescribeMetricFilters',
                       'DescribeSubscriptionFilters', 'DescribeLogGroups', 'ListRules',
                       'ListTargetsByRule', 'DescribeFlowLogs', 'ListWebACLs',
                       'ListLoggingConfigurations', 'ListResolverQueryLogConfigs',
                       'ListQueryLoggingConfigs', 'ListAnalyzers', 'GetMacieSession',
                       'BatchGetAccountStatus')
    AND  eventsource IN ('cloudtrail.amazonaws.com', 'guardduty.amazonaws.com',
                         'config.amazonaws.com', 'securityhub.amazonaws.com',
                         'monitoring.amazonaws.com', 'logs.amazonaws.com', 'events.amazonaws.com',
                         'ec2.amazonaws.com', 'wafv2.amazonaws.com', 'waf.amazonaws.com',
                         'waf-regional.amazonaws.com', 'route53.amazonaws.com',
                         'route53resolver.amazonaws.com', 'access-analyzer.amazonaws.com',
                         'macie2.amazonaws.com', 'inspector2.amazonaws.com')
    AND  useridentity.invokedby IS NULL
    AND  NOT contains(:except_principals, coalesce(principal_key, ''))
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
)
SELECT min(eventtime) AS eventtime,
       principal_key AS actor,
       array_join(slice(array_agg(DISTINCT eventname ORDER BY eventname), 1, 10), ', ') AS action,
       array_join(array_agg(DISTINCT kind ORDER BY kind), ', ') AS resource,
       array_join(array_agg(DISTINCT sourceipaddress
                            ORDER BY sourceipaddress), ', ') AS sourceipaddress,
       recipientaccountid,
       array_join(array_agg(DISTINCT awsregion ORDER BY awsregion), ', ') AS awsregion,
       min_by(eventid, concat(eventtime, eventid)) AS eventid,
       count(DISTINCT kind) AS kinds,
       count(*) AS calls,
       count_if(outcome = 'denied') AS denied,
       max(eventtime) AS last_seen
FROM   calls
GROUP  BY principal_key, recipientaccountid, date_trunc('hour', event_ts)
HAVING count(DISTINCT kind) >= :kinds
ORDER  BY eventtime, eventid

-- title: Who took guards away
-- description: For each principal, how many kinds of guard it touched (trails, GuardDuty, Config
--   and the like, flow logs, DNS logs, alarms and logs, event rules, WAF), with what success and
--   when. One kind is administration; several in an hour are an intruder, or a teardown.
-- hit: A principal that removed or tried to remove guards; more kinds in less time weigh more.
-- caveat: Only names of calls are counted, not what they changed; the queries for each kind tell
--   that. Calls by AWS services are left out.
-- attack: TA0005:T1562
-- service: AWS CloudTrail
-- service: Amazon GuardDuty
-- service: AWS Config
-- param: kinds bigint = 1 -- fewest kinds of guard
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://attack.mitre.org/techniques/T1562/

WITH calls AS (
  SELECT principal_key, eventtime, eventname, outcome, sourceipaddress,
         CASE WHEN eventsource = 'cloudtrail.amazonaws.com' THEN 'trail'
              WHEN eventsource = 'guardduty.amazonaws.com' THEN 'guardduty'
              WHEN eventsource = 'ec2.amazonaws.com' THEN 'flow logs'
              WHEN eventsource IN ('route53.amazonaws.com', 'route53resolver.amazonaws.com')
                THEN 'dns'
              WHEN eventsource IN ('monitoring.amazonaws.com', 'logs.amazonaws.com')
                THEN 'alarms and logs'
              WHEN eventsource = 'events.amazonaws.com' THEN 'event rules'
              WHEN eventsource IN ('wafv2.amazonaws.com', 'shield.amazonaws.com') THEN 'waf'
              ELSE 'posture' END AS kind
  FROM   cloudtrail_logs
  WHERE  eventsource IN ('cloudtrail.amazonaws.com', 'guardduty.amazonaws.com', 'ec2.amazonaws.com',
                         'route53.amazonaws.com', 'route53resolver.amazonaws.com',
                         'monitoring.amazonaws.com', 'logs.amazonaws.com', 'events.amazonaws.com',
                         'wafv2.amazonaws.com', 'shield.amazonaws.com', 'config.amazonaws.com',
                         'securityhub.amazonaws.com', 'macie2.amazonaws.com',
                         'inspector2.amazonaws.com', 'detective.amazonaws.com',
                         'access-analyzer.amazonaws.com')
    AND  eventname IN ('StopLogging', 'DeleteTrail', 'UpdateTrail', 'PutEventSelectors',
                       'PutInsightSelectors', 'DeleteEventDataStore', 'StopEventDataStoreIngestion',
                       'DeleteDetector', 'UpdateDetector', 'DisassociateFromMasterAccount',
                       'DisassociateFromAdministratorAccount', 'DisassociateMembers',
                       'StopMonitoringMembers', 'DeleteMembers', 'DeletePublishingDestination',
                       'DeleteFlowLogs', 'DeleteQueryLoggingConfig', 'DeleteResolverQueryLogConfig',
                       'DisassociateResolverQueryLogConfig', 'DisassociateFirewallRuleGroup',
                       'DeleteAlarms', 'DisableAlarmActions', 'DeleteLogGroup', 'DeleteLogStream',
                       'DeleteMetricFilter', 'DeleteSubscriptionFilter', 'DeleteRule',
                       'DisableRule', 'RemoveTargets', 'DeleteWebACL', 'DisassociateWebACL',
                       'DeleteLoggingConfiguration', 'DeleteProtection',
                       'StopConfigurationRecorder', 'DeleteConfigurationRecorder',
                       'DeleteDeliveryChannel', 'DeleteConfigRule', 'DisableSecurityHub',
                       'BatchDisableStandards', 'DisableMacie', 'UpdateMacieSession', 'Disable',
                       'DeleteGraph', 'DeleteAnalyzer')
    AND  useridentity.invokedby IS NULL
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
)
SELECT principal_key,
       count(DISTINCT kind) AS kinds,
       array_join(array_agg(DISTINCT kind ORDER BY kind), ', ') AS guards,
       count(*) AS calls,
       count(*) FILTER (WHERE outcome = 'ok') AS succeeded,
       count(DISTINCT sourceipaddress) AS addresses,
       array_join(array_agg(DISTINCT eventname ORDER BY eventname), ', ') AS apis,
       min(eventtime) AS first_seen,
       max(eventtime) AS last_seen
FROM   calls
GROUP  BY principal_key
HAVING count(DISTINCT kind) >= :kinds
ORDER  BY kinds DESC, calls DESC, principal_key

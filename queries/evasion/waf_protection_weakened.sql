-- title: WAF or Shield protection weakened
-- description: Calls that delete or detach a web ACL, change its rules or address lists, stop
--   its logs, or take AWS Shield Advanced's protection and response away.
-- hit: Requests that were blocked or recorded may pass or go unseen, or somebody tried to bring
--   that about.
-- caveat: UpdateWebACL and UpdateIPSet may strengthen as well as weaken: compare `asked_for`
--   with the earlier call. Denied calls come without parameters.
-- severity: medium
-- attack: TA0005:T1562.007
-- service: AWS WAF
-- service: AWS Shield
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/waf/latest/APIReference/API_DisassociateWebACL.html
-- false_positive: Operators who tune rules; Firewall Manager.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.resourceArn'),
                json_extract_scalar(requestparameters, '$.name'),
                json_extract_scalar(requestparameters, '$.webACLArn'),
                json_extract_scalar(requestparameters, '$.webACLId'),
                json_extract_scalar(requestparameters, '$.iPSetId'),
                json_extract_scalar(requestparameters, '$.protectionId')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       service,
       outcome,
       errorcode,
       requestparameters AS asked_for,
       useragent
FROM   cloudtrail_logs
WHERE  (eventsource IN ('wafv2.amazonaws.com', 'waf.amazonaws.com', 'waf-regional.amazonaws.com')
        AND eventname IN ('DeleteWebACL', 'DisassociateWebACL', 'UpdateWebACL', 'DeleteRuleGroup',
                          'UpdateRuleGroup', 'DeleteRule', 'UpdateRule', 'DeleteIPSet',
                          'UpdateIPSet', 'DeleteLoggingConfiguration',
                          'DeleteFirewallManagerRuleGroups')
        OR eventsource = 'shield.amazonaws.com'
        AND eventname IN ('DeleteProtection', 'DeleteProtectionGroup', 'DisassociateDRTRole',
                          'DisassociateDRTLogBucket', 'DisassociateHealthCheck',
                          'DisableApplicationLayerAutomaticResponse', 'DisableProactiveEngagement',
                          'DeleteSubscription'))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

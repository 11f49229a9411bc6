-- title: Security service switched off
-- description: Calls that switch off AWS Security Hub, Amazon Macie, Amazon Inspector, AWS
--   Config, Amazon Detective, IAM Access Analyzer or the activity stream of a database, or stop a
--   part of them: standards, rules, recorders, products, members.
-- hit: That service watches less from then on, or somebody tried to bring that about.
-- caveat: Only the calls named in the statement are seen; services may be starved otherwise,
--   through their roles and buckets. No row does not mean that the services were on.
-- severity: high
-- attack: TA0005:T1562.001
-- service: AWS Security Hub
-- service: Amazon Macie
-- service: Amazon Inspector
-- service: AWS Config
-- service: Amazon Detective
-- service: IAM Access Analyzer
-- service: Amazon RDS
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/config/latest/APIReference/API_StopConfigurationRecorder.html
-- false_positive: Account vending that turns a service off and on; standards that are switched
--   off on purpose.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.configurationRecorderName'),
                json_extract_scalar(requestparameters, '$.deliveryChannelName'),
                json_extract_scalar(requestparameters, '$.configRuleName'),
                json_extract_scalar(requestparameters, '$.analyzerName'),
                json_extract_scalar(requestparameters, '$.graphArn'),
                json_extract_scalar(requestparameters, '$.resourceArn'),
                json_extract_scalar(requestparameters, '$.productSubscriptionArn'),
                json_extract_scalar(requestparameters, '$.ProductSubscriptionArn')) AS resource,
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
WHERE  (eventsource = 'config.amazonaws.com'
        AND eventname IN ('StopConfigurationRecorder', 'DeleteConfigurationRecorder',
                          'DeleteDeliveryChannel', 'DeleteConfigRule',
                          'DeleteOrganizationConfigRule', 'DeleteConformancePack',
                          'DeleteConfigurationAggregator', 'DeleteRetentionConfiguration')
        OR eventsource = 'securityhub.amazonaws.com'
        AND eventname IN ('DisableSecurityHub', 'DisableSecurityHubV2', 'BatchDisableStandards',
                          'DisableImportFindingsForProduct', 'DisassociateFromMasterAccount',
                          'DisassociateFromAdministratorAccount', 'DisassociateMembers',
                          'DeleteMembers', 'DisableOrganizationAdminAccount', 'DeleteActionTarget')
        OR eventsource = 'macie2.amazonaws.com'
        AND (eventname IN ('DisableMacie', 'DisassociateFromMasterAccount',
                           'DisassociateFromAdministratorAccount', 'DisassociateMember',
                           'DeleteMember', 'DisableOrganizationAdminAccount')
             OR eventname = 'UpdateMacieSession'
             AND json_extract_scalar(requestparameters, '$.status') = 'PAUSED')
        OR eventsource = 'inspector2.amazonaws.com'
        AND eventname IN ('Disable', 'DisassociateMember', 'DisableDelegatedAdminAccount')
        OR eventsource = 'detective.amazonaws.com'
        AND eventname IN ('DeleteGraph', 'DeleteMembers', 'DisassociateMembership',
                          'DisableOrganizationAdminAccount')
        OR eventsource = 'access-analyzer.amazonaws.com'
        AND eventname IN ('DeleteAnalyzer')
        OR eventsource = 'rds.amazonaws.com'
        AND eventname IN ('StopActivityStream', 'ModifyActivityStream'))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

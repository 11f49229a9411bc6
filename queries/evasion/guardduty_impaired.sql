-- title: GuardDuty switched off or blinded
-- description: Calls that disable GuardDuty, detach members from their administrator, stop
--   monitoring, drop the export of findings, or tell it to trust addresses.
-- hit: GuardDuty sees less from then on, or somebody tried to bring that about; `change` says
--   what.
-- caveat: An UpdateDetector that only sets how often findings are published is left out. What a
--   trusted list holds is not in the call: it lies at `details`. No row does not mean that
--   GuardDuty was on.
-- severity: high
-- attack: TA0005:T1562.001
-- service: Amazon GuardDuty
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/guardduty/latest/APIReference/API_UpdateDetector.html
-- false_positive: An organization's administrator that moves accounts, or switches off a
--   protection that is not wanted.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.detectorId'),
                json_extract_scalar(requestparameters, '$.adminAccountId')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       CASE eventname
            WHEN 'DeleteDetector' THEN 'deleted'
            WHEN 'UpdateDetector' THEN 'disabled'
            WHEN 'DeletePublishingDestination' THEN 'findings not exported'
            WHEN 'CreateIPSet' THEN 'addresses trusted'
            WHEN 'UpdateIPSet' THEN 'addresses trusted'
            WHEN 'CreateTrustedEntitySet' THEN 'addresses and domains trusted'
            WHEN 'UpdateTrustedEntitySet' THEN 'addresses and domains trusted'
            WHEN 'DeleteThreatIntelSet' THEN 'threat list dropped'
            WHEN 'DeleteThreatEntitySet' THEN 'threat list dropped'
            WHEN 'DisableOrganizationAdminAccount' THEN 'no administrator'
            ELSE 'members detached'
       END AS change,
       coalesce(json_extract_scalar(requestparameters, '$.location'),
                json_format(json_extract(requestparameters, '$.accountIds'))) AS details,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 'guardduty.amazonaws.com'
  AND  (eventname IN ('DeleteDetector', 'DisassociateFromMasterAccount',
                      'DisassociateFromAdministratorAccount', 'DisassociateMembers',
                      'DeleteMembers', 'StopMonitoringMembers', 'DeleteInvitations',
                      'DeletePublishingDestination', 'CreateIPSet', 'UpdateIPSet',
                      'CreateTrustedEntitySet', 'UpdateTrustedEntitySet', 'DeleteThreatIntelSet',
                      'DeleteThreatEntitySet', 'DisableOrganizationAdminAccount')
        OR (eventname = 'UpdateDetector'
            AND (requestparameters IS NULL
                 OR json_extract_scalar(requestparameters, '$.enable') = 'false'
                 OR regexp_like(requestparameters,
                                '"status"\s*:\s*"DISABLED"|"enable"\s*:\s*false'))))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

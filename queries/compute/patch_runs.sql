-- title: Last patching of each host
-- description: For each instance that was patched by name, when AWS-RunPatchBaseline and its kin
--   last ran on it and how often, by command and by compliance report.
-- hit: The host was a target of patching at `last_command`, or reported its patch state at
--   `last_report`; one that is missing was not patched by name.
-- caveat: The operation (Scan or Install) is a parameter and hidden. Commands that aim at tags
--   or resource groups do not name hosts: then only the reports show them. A command is no proof
--   that patching succeeded.
-- service: AWS Systems Manager
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-ssm-documents.html

WITH commands AS (
  SELECT eventtime, principal_key, i.instance
  FROM   cloudtrail_logs
  CROSS  JOIN UNNEST(CAST(json_extract(requestparameters,
                                       '$.instanceIds') AS array(varchar))) AS i(instance)
  WHERE  eventsource = 'ssm.amazonaws.com'
    AND  eventname = 'SendCommand'
    AND  outcome = 'ok'
    AND  json_extract_scalar(requestparameters, '$.documentName')
           IN ('AWS-RunPatchBaseline', 'AWS-RunPatchBaselineAssociation',
               'AWS-RunPatchBaselineWithHooks', 'AWS-ApplyPatchBaseline',
               'AWS-InstallWindowsUpdates', 'AWS-FindWindowsUpdates')
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
reports AS (
  SELECT eventtime,
         principal_key,
         json_extract_scalar(requestparameters, '$.resourceId') AS instance
  FROM   cloudtrail_logs
  WHERE  eventsource = 'ssm.amazonaws.com'
    AND  eventname = 'PutComplianceItems'
    AND  json_extract_scalar(requestparameters, '$.complianceType') = 'Patch'
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
both_kinds AS (
  SELECT instance, eventtime, principal_key, 'command' AS kind FROM commands
  UNION  ALL
  SELECT instance, eventtime, principal_key, 'report' FROM reports
)
SELECT instance,
       count_if(kind = 'command') AS commands,
       max(CASE WHEN kind = 'command' THEN eventtime END) AS last_command,
       max_by(CASE WHEN kind = 'command' THEN principal_key END,
              CASE WHEN kind = 'command' THEN eventtime ELSE '' END) AS last_sent_by,
       max(CASE WHEN kind = 'report' THEN eventtime END) AS last_report
FROM   both_kinds
GROUP  BY instance
ORDER  BY last_command NULLS FIRST, instance

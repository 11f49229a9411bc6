-- title: Commands sent to instances
-- description: Commands, automations and associations of Systems Manager: code run on instances
--   without a login, with document, targets and who fetched the output.
-- hit: Code of the document ran, or was meant to run, on those targets; the role of the instance
--   was then in the caller's hands.
-- caveat: CloudTrail hides the parameters: what was run is in the command's output, in S3 or
--   CloudWatch Logs if it was sent there, or on the instance. Documents that AWS uses for patching
--   and inventory are left out by default.
-- severity: medium
-- attack: TA0002:T1651
-- service: AWS Systems Manager
-- param: except_documents array(varchar) = 'AWS-RunPatchBaseline,AWS-GatherSoftwareInventory,AWS-UpdateSSMAgent,AmazonInspector2-InspectorSsmPlugin,AmazonCloudWatch-ManageAgent' -- documents that are everyday work
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html
-- false_positive: Administrators and deployment tools that work through Run Command.

WITH outputs AS (
  SELECT json_extract_scalar(requestparameters, '$.commandId') AS command_id,
         recipientaccountid AS account,
         count(*) AS times,
         array_join(array_agg(DISTINCT principal_key ORDER BY principal_key), ', ') AS principals
  FROM   cloudtrail_logs
  WHERE  eventsource = 'ssm.amazonaws.com'
    AND  eventname IN ('GetCommandInvocation', 'ListCommandInvocations')
    AND  errorcode IS NULL
  GROUP  BY json_extract_scalar(requestparameters, '$.commandId'), recipientaccountid
)
SELECT c.eventtime,
       c.principal_key AS actor,
       c.eventname AS action,
       coalesce(json_extract_scalar(c.requestparameters, '$.documentName'),
                json_extract_scalar(c.requestparameters, '$.name')) AS resource,
       c.sourceipaddress,
       c.recipientaccountid,
       c.awsregion,
       c.eventid,
       c.outcome,
       c.errorcode,
       array_join(CAST(json_extract(c.requestparameters,
                                    '$.instanceIds') AS array(varchar)), ', ') AS instances,
       json_format(json_extract(c.requestparameters, '$.targets')) AS targets,
       json_extract_scalar(c.responseelements, '$.command.commandId') AS command_id,
       o.times AS output_read,
       o.principals AS output_read_by,
       c.useragent
FROM   cloudtrail_logs c
LEFT   JOIN outputs o
  ON   o.command_id = json_extract_scalar(c.responseelements, '$.command.commandId')
  AND  o.account = c.recipientaccountid
WHERE  c.eventsource = 'ssm.amazonaws.com'
  AND  c.eventname IN ('SendCommand', 'StartAutomationExecution', 'CreateAssociation',
                       'CreateAssociationBatch', 'UpdateAssociation', 'StartChangeRequestExecution',
                       'StartExecutionPreview')
  AND  NOT contains(:except_documents,
                    coalesce(json_extract_scalar(c.requestparameters, '$.documentName'),
                                                json_extract_scalar(c.requestparameters,
                                                    '$.name'), ''))
  AND  (:since = '' OR c.eventtime >= :since)
  AND  (:until = '' OR c.eventtime <= :until)
ORDER  BY c.eventtime, c.eventid

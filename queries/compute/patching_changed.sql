-- title: Patching changed
-- description: Baselines, patch groups, maintenance windows and their targets and tasks made,
--   changed or deleted: who decided what is patched, and when.
-- hit: The rules of patching changed; approved or rejected patches and schedules are in
--   `asked_for`.
-- caveat: A maintenance window runs any task, not only patches: a task is also a way to run code
--   later. No row does not mean that patching works.
-- attack: TA0003:T1053
-- service: AWS Systems Manager
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_RegisterTaskWithMaintenanceWindow.html

SELECT eventtime,
       principal_key,
       eventname,
       coalesce(json_extract_scalar(requestparameters, '$.windowId'),
                json_extract_scalar(requestparameters, '$.baselineId'),
                json_extract_scalar(requestparameters, '$.name')) AS about,
       json_extract_scalar(requestparameters, '$.patchGroup') AS patch_group,
       json_extract_scalar(requestparameters, '$.schedule') AS schedule,
       json_extract_scalar(requestparameters, '$.taskArn') AS task,
       outcome,
       errorcode,
       requestparameters AS asked_for,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid
FROM   cloudtrail_logs
WHERE  eventsource = 'ssm.amazonaws.com'
  AND  eventname IN ('CreatePatchBaseline', 'UpdatePatchBaseline', 'DeletePatchBaseline',
                     'RegisterPatchBaselineForPatchGroup', 'DeregisterPatchBaselineForPatchGroup',
                     'RegisterDefaultPatchBaseline', 'CreateMaintenanceWindow',
                     'UpdateMaintenanceWindow', 'DeleteMaintenanceWindow',
                     'RegisterTargetWithMaintenanceWindow', 'DeregisterTargetFromMaintenanceWindow',
                     'RegisterTaskWithMaintenanceWindow', 'DeregisterTaskFromMaintenanceWindow',
                     'UpdateMaintenanceWindowTask')
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

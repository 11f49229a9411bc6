-- title: Several ways to more privileges tried and refused
-- description: Tools that look for a way up call one privileged API after the other until one
--   works. One refusal is a mistake; several different ones in a row are a search.
-- hit: `actor` was refused `apis` within one burst. `got_through` is the first such call of its
--   that succeeded, in the burst or within the hour after it: go there.
-- caveat: Attempts whose caller may do everything are not refused and give no row: see
--   `escalation_paths`. A burst ends when `minutes` minutes pass without an attempt.
-- severity: medium
-- attack: TA0004:T1098.003
-- attack: TA0007:T1580
-- service: IAM
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: minutes bigint = 30 -- a longer pause ends a burst
-- param: apis bigint = 3 -- how many different APIs make a search
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
-- reference: https://pathfinding.cloud/paths/
-- false_positive: A new role that lacks permissions for its deployment.

WITH calls AS (
  SELECT eventtime,
         event_ts,
         principal_key,
         event_name_base,
         outcome,
         regexp_extract(errormessage, 'on resource: (?:(?:user|role|group|policy) )?([^ ]+)', 1)
           AS target,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  eventsource IN ('apprunner.amazonaws.com', 'bedrock-agentcore.amazonaws.com',
                         'cloudformation.amazonaws.com', 'codebuild.amazonaws.com',
                         'datapipeline.amazonaws.com', 'ec2-instance-connect.amazonaws.com',
                         'ec2.amazonaws.com', 'ecs.amazonaws.com', 'glue.amazonaws.com',
                         'iam.amazonaws.com', 'lambda.amazonaws.com',
                         'organizations.amazonaws.com', 'sagemaker.amazonaws.com',
                         'ssm.amazonaws.com', 'sso.amazonaws.com', 'sts.amazonaws.com')
    AND  event_name_base IN ('ActivatePipeline', 'AddPermission', 'AddRoleToInstanceProfile',
                             'AddUserToGroup', 'AssociateIamInstanceProfile', 'AssumeRoot',
                             'AttachGroupPolicy', 'AttachManagedPolicyToPermissionSet',
                             'AttachRolePolicy', 'AttachUserPolicy', 'CreateAccessKey',
                             'CreateAccountAssignment', 'CreateChangeSet', 'CreateCodeInterpreter',
                             'CreateDevEndpoint', 'CreateEventSourceMapping', 'CreateFunction',
                             'CreateJob', 'CreateLaunchTemplateVersion', 'CreateLoginProfile',
                             'CreateNotebookInstance', 'CreateNotebookInstanceLifecycleConfig',
                             'CreatePolicyVersion', 'CreatePresignedNotebookInstanceUrl',
                             'CreateProcessingJob', 'CreateProject', 'CreateService',
                             'CreateStack', 'CreateStackInstances', 'CreateStackSet',
                             'CreateTrainingJob', 'CreateTrigger', 'DeletePolicy',
                             'DeleteRolePermissionsBoundary', 'DeleteUserPermissionsBoundary',
                             'DetachPolicy', 'DisablePolicyType', 'ExecuteCommand',
                             'InvokeCodeInterpreter', 'ModifyInstanceAttribute',
                             'ModifyLaunchTemplate', 'PutGroupPolicy',
                             'PutInlinePolicyToPermissionSet', 'PutPipelineDefinition',
                             'PutRolePermissionsBoundary', 'PutRolePolicy',
                             'PutUserPermissionsBoundary', 'PutUserPolicy',
                             'RegisterTaskDefinition', 'ReplaceIamInstanceProfileAssociation',
                             'RequestSpotInstances', 'RunInstances', 'RunTask', 'SendCommand',
                             'SendSSHPublicKey', 'SendSerialConsoleSSHPublicKey',
                             'SetDefaultPolicyVersion', 'StartBuild', 'StartBuildBatch',
                             'StartCodeInterpreterSession', 'StartJobRun', 'StartSession',
                             'StartTask', 'UpdateAssumeRolePolicy', 'UpdateDevEndpoint',
                             'UpdateFunctionCode', 'UpdateFunctionConfiguration', 'UpdateJob',
                             'UpdateLoginProfile', 'UpdateNotebookInstance',
                             'UpdateNotebookInstanceLifecycleConfig', 'UpdateProject',
                             'UpdateService', 'UpdateStack', 'UpdateStackSet')
    AND  outcome IN ('ok', 'denied')
),
gaps AS (
  SELECT calls.*,
         CASE WHEN event_ts <= date_add('minute', :minutes,
                                        lag(event_ts) OVER (PARTITION BY principal_key,
                                                                         recipientaccountid
                                                            ORDER BY event_ts, eventid))
              THEN 0
              ELSE 1
         END AS begins
  FROM   calls
  WHERE  outcome = 'denied'
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
numbered AS (
  SELECT gaps.*,
         sum(begins) OVER (PARTITION BY principal_key, recipientaccountid
                           ORDER BY event_ts, eventid
                           ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS burst
  FROM   gaps
),
bursts AS (
  SELECT principal_key,
         recipientaccountid,
         burst,
         min(event_ts) AS first_ts,
         max(event_ts) AS last_ts,
         min(eventtime) AS eventtime,
         max(eventtime) AS last_seen,
         min_by(event_name_base, eventtime) AS event_name_base,
         min_by(target, eventtime) AS target,
         min_by(sourceipaddress, eventtime) AS sourceipaddress,
         min_by(awsregion, eventtime) AS awsregion,
         min_by(eventid, eventtime) AS eventid,
         count(*) AS attempts,
         array_agg(DISTINCT event_name_base ORDER BY event_name_base) AS apis
  FROM   numbered
  GROUP  BY principal_key, recipientaccountid, burst
)
SELECT bursts.eventtime,
       bursts.principal_key AS actor,
       bursts.event_name_base AS action,
       bursts.target AS resource,
       bursts.sourceipaddress,
       bursts.recipientaccountid,
       bursts.awsregion,
       bursts.eventid,
       bursts.attempts,
       bursts.apis,
       bursts.last_seen,
       min_by(passed.event_name_base, passed.eventtime) AS got_through,
       min(passed.eventtime) AS got_through_at
FROM   bursts
LEFT   JOIN calls AS passed
  ON   passed.outcome = 'ok'
 AND   passed.principal_key = bursts.principal_key
 AND   passed.recipientaccountid = bursts.recipientaccountid
 AND   passed.event_ts >= bursts.first_ts
 AND   passed.event_ts <= date_add('hour', 1, bursts.last_ts)
WHERE  cardinality(bursts.apis) >= :apis
GROUP  BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
ORDER  BY bursts.eventtime, bursts.eventid

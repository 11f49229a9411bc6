-- title: Which ways to more privileges were taken or tried
-- description: An overview of every known way to raise privileges in AWS: by caller, how often
--   each was taken and how often refused. Read it first, then the query that `read_next` names
--   for the rows that matter.
-- hit: One caller on one path. `ok` counts calls that succeeded, `refused` those that were
--   denied; `targets` are the first things touched.
-- caveat: Most rows are ordinary administration: these calls are how AWS is run. The detections
--   ask for what makes them an escalation. Calls that services make for somebody, and keys and
--   passwords that users make for themselves, are left out.
-- attack: TA0004:T1098.003
-- attack: TA0004:T1548.005
-- service: IAM
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: principal varchar = '%' -- only principals that match, as in LIKE
-- reference: https://pathfinding.cloud/paths/
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html

WITH paths AS (
  SELECT *
  FROM   (VALUES
           ('iam', 'CreatePolicyVersion', 'policy version put in force',
            'iam_policy_default_changed'),
           ('iam', 'SetDefaultPolicyVersion', 'policy version put in force',
            'iam_policy_default_changed'),
           ('iam', 'CreateAccessKey', 'key for another user',
            'iam_access_key_created'),
           ('iam', 'CreateLoginProfile', 'password for another user',
            'iam_console_password_set'),
           ('iam', 'UpdateLoginProfile', 'password for another user',
            'iam_console_password_set'),
           ('iam', 'AttachUserPolicy', 'policy given to a user',
            'iam_own_permissions_raised'),
           ('iam', 'PutUserPolicy', 'policy given to a user',
            'iam_own_permissions_raised'),
           ('iam', 'AttachGroupPolicy', 'policy given to a group',
            'iam_own_permissions_raised'),
           ('iam', 'PutGroupPolicy', 'policy given to a group',
            'iam_own_permissions_raised'),
           ('iam', 'AttachRolePolicy', 'policy given to a role',
            'iam_role_changed_then_assumed'),
           ('iam', 'PutRolePolicy', 'policy given to a role',
            'iam_role_changed_then_assumed'),
           ('iam', 'AddUserToGroup', 'user added to a group',
            'iam_own_permissions_raised'),
           ('iam', 'UpdateAssumeRolePolicy', 'trust policy of a role changed',
            'iam_role_trust_opened'),
           ('iam', 'DeleteUserPermissionsBoundary', 'permissions boundary changed',
            'iam_permissions_boundary_changed'),
           ('iam', 'PutUserPermissionsBoundary', 'permissions boundary changed',
            'iam_permissions_boundary_changed'),
           ('iam', 'DeleteRolePermissionsBoundary', 'permissions boundary changed',
            'iam_permissions_boundary_changed'),
           ('iam', 'PutRolePermissionsBoundary', 'permissions boundary changed',
            'iam_permissions_boundary_changed'),
           ('iam', 'AddRoleToInstanceProfile', 'role put into an instance profile',
            'ec2_instance_profile_changed'),
           ('sts', 'AssumeRole', 'role assumed',
            'sts_role_first_assumed'),
           ('sts', 'AssumeRoot', 'root session assumed',
            'sts_root_session_assumed'),
           ('sso', 'PutInlinePolicyToPermissionSet', 'permission set or assignment',
            'identity_center_access_granted'),
           ('sso', 'AttachManagedPolicyToPermissionSet', 'permission set or assignment',
            'identity_center_access_granted'),
           ('sso', 'CreateAccountAssignment', 'permission set or assignment',
            'identity_center_access_granted'),
           ('organizations', 'DetachPolicy', 'guard rail lifted',
            'organizations_guardrail_lifted'),
           ('organizations', 'DisablePolicyType', 'guard rail lifted',
            'organizations_guardrail_lifted'),
           ('organizations', 'DeletePolicy', 'guard rail lifted',
            'organizations_guardrail_lifted'),
           ('ec2', 'RunInstances', 'instance launched with a role',
            'ec2_instance_launched_with_role'),
           ('ec2', 'RequestSpotInstances', 'instance launched with a role',
            'ec2_instance_launched_with_role'),
           ('ec2', 'ModifyInstanceAttribute', 'user data of an instance',
            'ec2_user_data_replaced'),
           ('ec2', 'CreateLaunchTemplateVersion', 'launch template',
            'ec2_launch_template_changed'),
           ('ec2', 'ModifyLaunchTemplate', 'launch template',
            'ec2_launch_template_changed'),
           ('ec2', 'AssociateIamInstanceProfile', 'role of an instance',
            'ec2_instance_profile_changed'),
           ('ec2', 'ReplaceIamInstanceProfileAssociation', 'role of an instance',
            'ec2_instance_profile_changed'),
           ('ec2-instance-connect', 'SendSSHPublicKey', 'shell on a host',
            'ec2_host_with_role_entered'),
           ('ec2-instance-connect', 'SendSerialConsoleSSHPublicKey', 'shell on a host',
            'ec2_host_with_role_entered'),
           ('ssm', 'StartSession', 'shell on a host',
            'ec2_host_with_role_entered'),
           ('ssm', 'SendCommand', 'shell on a host',
            'ec2_host_with_role_entered'),
           ('lambda', 'CreateFunction', 'function created',
            'lambda_function_created_and_run'),
           ('lambda', 'UpdateFunctionCode', 'code of a function',
            'lambda_code_replaced'),
           ('lambda', 'UpdateFunctionConfiguration', 'configuration of a function',
            'lambda_layer_from_elsewhere'),
           ('lambda', 'AddPermission', 'function opened or given a trigger',
            'lambda_function_opened'),
           ('lambda', 'CreateEventSourceMapping', 'function opened or given a trigger',
            'lambda_function_opened'),
           ('cloudformation', 'CreateStack', 'stack with a role',
            'cloudformation_stack_with_role'),
           ('cloudformation', 'UpdateStack', 'stack with a role',
            'cloudformation_stack_with_role'),
           ('cloudformation', 'CreateChangeSet', 'stack with a role',
            'cloudformation_stack_with_role'),
           ('cloudformation', 'CreateStackSet', 'stack with a role',
            'cloudformation_stack_with_role'),
           ('cloudformation', 'UpdateStackSet', 'stack with a role',
            'cloudformation_stack_with_role'),
           ('cloudformation', 'CreateStackInstances', 'stack with a role',
            'cloudformation_stack_with_role'),
           ('datapipeline', 'PutPipelineDefinition', 'data pipeline',
            'datapipeline_activated'),
           ('datapipeline', 'ActivatePipeline', 'data pipeline',
            'datapipeline_activated'),
           ('glue', 'CreateDevEndpoint', 'Glue endpoint',
            'glue_dev_endpoint_opened'),
           ('glue', 'UpdateDevEndpoint', 'Glue endpoint',
            'glue_dev_endpoint_opened'),
           ('glue', 'CreateJob', 'Glue job',
            'glue_job_changed_and_run'),
           ('glue', 'UpdateJob', 'Glue job',
            'glue_job_changed_and_run'),
           ('glue', 'StartJobRun', 'Glue job',
            'glue_job_changed_and_run'),
           ('glue', 'CreateTrigger', 'Glue job',
            'glue_job_changed_and_run'),
           ('sagemaker', 'CreateNotebookInstance', 'notebook',
            'sagemaker_notebook_opened'),
           ('sagemaker', 'CreatePresignedNotebookInstanceUrl', 'notebook',
            'sagemaker_notebook_opened'),
           ('sagemaker', 'CreateTrainingJob', 'SageMaker job',
            'role_passed_to_service'),
           ('sagemaker', 'CreateProcessingJob', 'SageMaker job',
            'role_passed_to_service'),
           ('sagemaker', 'CreateNotebookInstanceLifecycleConfig', 'start script of a notebook',
            'sagemaker_lifecycle_script_replaced'),
           ('sagemaker', 'UpdateNotebookInstanceLifecycleConfig', 'start script of a notebook',
            'sagemaker_lifecycle_script_replaced'),
           ('sagemaker', 'UpdateNotebookInstance', 'start script of a notebook',
            'sagemaker_lifecycle_script_replaced'),
           ('codebuild', 'CreateProject', 'build',
            'codebuild_build_overridden'),
           ('codebuild', 'UpdateProject', 'build',
            'codebuild_build_overridden'),
           ('codebuild', 'StartBuild', 'build',
            'codebuild_build_overridden'),
           ('codebuild', 'StartBuildBatch', 'build',
            'codebuild_build_overridden'),
           ('ecs', 'RegisterTaskDefinition', 'container task',
            'ecs_task_overridden'),
           ('ecs', 'RunTask', 'container task',
            'ecs_task_overridden'),
           ('ecs', 'StartTask', 'container task',
            'ecs_task_overridden'),
           ('ecs', 'CreateService', 'container task',
            'ecs_task_overridden'),
           ('ecs', 'ExecuteCommand', 'container task',
            'ecs_task_overridden'),
           ('apprunner', 'CreateService', 'App Runner service',
            'role_passed_to_service'),
           ('apprunner', 'UpdateService', 'App Runner service',
            'role_passed_to_service'),
           ('bedrock-agentcore', 'CreateCodeInterpreter', 'code interpreter',
            'bedrock_code_interpreter_used'),
           ('bedrock-agentcore', 'StartCodeInterpreterSession', 'code interpreter',
            'bedrock_code_interpreter_used'),
           ('bedrock-agentcore', 'InvokeCodeInterpreter', 'code interpreter',
            'bedrock_code_interpreter_used')
         ) AS t (path_service, path_event, path, read_next)
),
calls AS (
  SELECT eventtime,
         principal_key,
         service,
         event_name_base,
         outcome,
         recipientaccountid,
         useridentity.username AS caller_user,
         coalesce(json_extract_scalar(requestparameters, '$.userName'),
                  json_extract_scalar(requestparameters, '$.roleName'),
                  json_extract_scalar(requestparameters, '$.groupName'),
                  json_extract_scalar(requestparameters, '$.policyArn'),
                  json_extract_scalar(requestparameters, '$.roleArn'),
                  json_extract_scalar(requestparameters, '$.instanceId'),
                  json_extract_scalar(requestparameters, '$.target'),
                  json_format(json_extract(requestparameters, '$.instanceIds')),
                  json_extract_scalar(requestparameters, '$.functionName'),
                  json_extract_scalar(requestparameters, '$.iamInstanceProfile.name'),
                  json_extract_scalar(requestparameters, '$.iamInstanceProfile.arn'),
                  json_extract_scalar(requestparameters, '$.stackName'),
                  json_extract_scalar(requestparameters, '$.projectName'),
                  json_extract_scalar(requestparameters, '$.taskDefinition'),
                  json_extract_scalar(requestparameters, '$.name'),
                  regexp_extract(errormessage,
                                 'on resource: (?:(?:user|role|group|policy) )?([^ ]+)', 1))
           AS target,
         CASE WHEN event_name_base = 'CreatePolicyVersion'
              THEN json_extract_scalar(requestparameters, '$.setAsDefault') = 'true'
              WHEN event_name_base = 'RunInstances'
              THEN json_extract_scalar(requestparameters, '$.iamInstanceProfile.name') IS NOT NULL
                   OR json_extract_scalar(requestparameters, '$.iamInstanceProfile.arn')
                      IS NOT NULL
              WHEN event_name_base = 'ModifyInstanceAttribute'
              THEN strpos(requestparameters, 'userData') > 0
              WHEN service = 'cloudformation'
              THEN strpos(lower(requestparameters), 'rolearn') > 0
              ELSE true
         END AS on_path,
         requestparameters IS NULL AS hidden
  FROM   cloudtrail_logs
  WHERE  eventsource IN ('apprunner.amazonaws.com', 'bedrock-agentcore.amazonaws.com',
                         'cloudformation.amazonaws.com', 'codebuild.amazonaws.com',
                         'datapipeline.amazonaws.com', 'ec2-instance-connect.amazonaws.com',
                         'ec2.amazonaws.com', 'ecs.amazonaws.com', 'glue.amazonaws.com',
                         'iam.amazonaws.com', 'lambda.amazonaws.com',
                         'organizations.amazonaws.com', 'sagemaker.amazonaws.com',
                         'ssm.amazonaws.com', 'sso.amazonaws.com', 'sts.amazonaws.com')
    AND  event_name_base IN (SELECT path_event FROM paths)
    AND  useridentity.invokedby IS NULL
    AND  coalesce(useridentity.type, '') <> 'AWSService'
    AND  coalesce(principal_key, '') LIKE :principal
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
)
SELECT calls.principal_key,
       paths.path,
       count(*) FILTER (WHERE calls.outcome = 'ok') AS ok,
       count(*) FILTER (WHERE calls.outcome = 'denied') AS refused,
       count(*) FILTER (WHERE calls.outcome NOT IN ('ok', 'denied')) AS failed,
       min(calls.eventtime) AS first_seen,
       max(calls.eventtime) AS last_seen,
       array_agg(DISTINCT calls.event_name_base ORDER BY calls.event_name_base) AS apis,
       slice(array_agg(DISTINCT calls.target ORDER BY calls.target)
               FILTER (WHERE calls.target IS NOT NULL), 1, 5) AS targets,
       paths.read_next,
       calls.recipientaccountid
FROM   calls
JOIN   paths
  ON   paths.path_service = calls.service
 AND   paths.path_event = calls.event_name_base
WHERE  (calls.on_path OR (calls.outcome <> 'ok' AND calls.hidden))
  AND  NOT (calls.event_name_base IN ('CreateAccessKey', 'CreateLoginProfile',
                                      'UpdateLoginProfile')
            AND coalesce(coalesce(calls.target, calls.caller_user) = calls.caller_user, false))
GROUP  BY calls.principal_key, paths.path, paths.read_next, calls.recipientaccountid
ORDER  BY ok DESC, refused DESC, calls.principal_key, paths.path, calls.recipientaccountid

-- title: Role given to a service by a caller that never gave it before
-- description: PassRole leaves no event of its own: the role stands in the request that hands it
--   to a function, job, stack, task, project or notebook. Whoever runs code there has the role's
--   rights.
-- hit: First time in the logs that `actor` gave `role` to this service. `run_at` is when it set
--   the thing off by a further call; some (training jobs, stacks) run when they are created.
-- caveat: Roles that a service chooses itself, or takes from a template, are not in the request.
--   In the first days of logs every pair is the first; services acting for somebody are left out.
-- severity: low
-- attack: TA0004:T1548.005
-- service: IAM
-- service: AWS CloudFormation
-- service: AWS Glue
-- service: Amazon SageMaker AI
-- service: AWS CodeBuild
-- service: Amazon ECS
-- service: AWS App Runner
-- service: Amazon Bedrock AgentCore
-- service: AWS Lambda
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: role varchar = '%' -- the role's ARN or name, as in LIKE
-- param: minutes bigint = 60 -- within how many minutes the steps must follow
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
-- reference: https://pathfinding.cloud/paths/
-- false_positive: New projects and pipelines, which give a role to a service once.

WITH calls AS (
  SELECT eventtime,
         event_ts,
         principal_key,
         eventsource,
         event_name_base,
         CASE WHEN event_name_base IN ('ExecuteChangeSet', 'CreateStackInstances', 'StartJobRun',
                                       'CreateTrigger', 'Invoke', 'StartBuild',
                                       'StartBuildBatch', 'RunTask', 'StartTask',
                                       'StartCodeInterpreterSession', 'InvokeCodeInterpreter',
                                       'StartNotebookInstance',
                                       'CreatePresignedNotebookInstanceUrl')
                   OR (eventsource = 'ecs.amazonaws.com' AND event_name_base = 'CreateService')
              THEN 'run'
              ELSE 'give'
         END AS step,
         coalesce(json_extract_scalar(requestparameters, '$.role'),
                  json_extract_scalar(requestparameters, '$.jobUpdate.role'),
                  json_extract_scalar(requestparameters, '$.roleArn'),
                  json_extract_scalar(requestparameters, '$.roleARN'),
                  json_extract_scalar(requestparameters, '$.administrationRoleARN'),
                  json_extract_scalar(requestparameters, '$.serviceRole'),
                  json_extract_scalar(requestparameters, '$.taskRoleArn'),
                  json_extract_scalar(requestparameters, '$.instanceConfiguration.instanceRoleArn'),
                  json_extract_scalar(responseelements,
                                      '$.service.instanceConfiguration.instanceRoleArn'),
                  json_extract_scalar(requestparameters, '$.executionRoleArn'),
                  json_extract_scalar(requestparameters, '$.defaultUserSettings.executionRole'))
           AS role,
         coalesce(json_extract_scalar(requestparameters, '$.functionName'),
                  json_extract_scalar(requestparameters, '$.stackName'),
                  json_extract_scalar(requestparameters, '$.stackSetName'),
                  json_extract_scalar(requestparameters, '$.jobName'),
                  json_extract_scalar(requestparameters, '$.endpointName'),
                  json_extract_scalar(requestparameters, '$.notebookInstanceName'),
                  json_extract_scalar(requestparameters, '$.trainingJobName'),
                  json_extract_scalar(requestparameters, '$.processingJobName'),
                  json_extract_scalar(requestparameters, '$.family'),
                  json_extract_scalar(requestparameters, '$.serviceName'),
                  json_extract_scalar(requestparameters, '$.serviceArn'),
                  json_extract_scalar(requestparameters, '$.domainName'),
                  json_extract_scalar(requestparameters, '$.name')) AS given_to,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  eventsource IN ('lambda.amazonaws.com', 'cloudformation.amazonaws.com',
                         'glue.amazonaws.com', 'sagemaker.amazonaws.com',
                         'codebuild.amazonaws.com', 'ecs.amazonaws.com',
                         'apprunner.amazonaws.com', 'bedrock-agentcore.amazonaws.com')
    AND  event_name_base IN ('CreateFunction', 'UpdateFunctionConfiguration', 'CreateStack',
                             'UpdateStack', 'CreateChangeSet', 'CreateStackSet',
                             'UpdateStackSet', 'CreateJob', 'UpdateJob', 'CreateDevEndpoint',
                             'CreateNotebookInstance', 'CreateTrainingJob',
                             'CreateProcessingJob', 'CreateDomain', 'CreateProject',
                             'UpdateProject', 'RegisterTaskDefinition', 'CreateService',
                             'UpdateService', 'CreateCodeInterpreter', 'ExecuteChangeSet',
                             'CreateStackInstances', 'StartJobRun', 'CreateTrigger', 'Invoke',
                             'StartBuild', 'StartBuildBatch', 'RunTask', 'StartTask',
                             'StartCodeInterpreterSession', 'InvokeCodeInterpreter',
                             'StartNotebookInstance', 'CreatePresignedNotebookInstanceUrl')
    AND  errorcode IS NULL
    AND  useridentity.invokedby IS NULL
),
numbered AS (
  SELECT calls.*,
         row_number() OVER (PARTITION BY principal_key, eventsource,
                                         regexp_extract(role, '[^/]+$')
                            ORDER BY eventtime, eventid) AS nth
  FROM   calls
  WHERE  step = 'give'
    AND  role IS NOT NULL
)
SELECT numbered.eventtime,
       numbered.principal_key AS actor,
       numbered.event_name_base AS action,
       numbered.given_to AS resource,
       numbered.sourceipaddress,
       numbered.recipientaccountid,
       numbered.awsregion,
       numbered.eventid,
       numbered.eventsource,
       numbered.role,
       min_by(ran.event_name_base, ran.eventtime) AS run_by,
       min(ran.eventtime) AS run_at
FROM   numbered
LEFT   JOIN calls AS ran
  ON   ran.step = 'run'
 AND   ran.eventsource = numbered.eventsource
 AND   ran.principal_key = numbered.principal_key
 AND   ran.recipientaccountid = numbered.recipientaccountid
 AND   ran.awsregion = numbered.awsregion
 AND   ran.event_ts >= numbered.event_ts
 AND   ran.event_ts <= date_add('minute', :minutes, numbered.event_ts)
WHERE  numbered.nth = 1
  AND  numbered.role LIKE :role
  AND  (:since = '' OR numbered.eventtime >= :since)
  AND  (:until = '' OR numbered.eventtime <= :until)
GROUP  BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
ORDER  BY numbered.eventtime, numbered.eventid

-- title: Task run with another role or command, or a shell opened in one
-- description: RunTask may replace the command and the role of a task definition for one run;
--   ExecuteCommand opens a shell in a running container. Both give what the task's role may do.
-- hit: `resource` ran with what `overridden` names, or somebody executed `command` in it.
-- caveat: The task role is part of the definition (see `role_passed_to_service` for those who
--   register one). Commands typed in the shell are logged only where the cluster says so.
-- severity: medium
-- attack: TA0004:T1548.005
-- attack: TA0002:T1651
-- service: Amazon ECS
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
-- reference: https://pathfinding.cloud/paths/ecs-001
-- false_positive: Database migrations and one-off jobs run with another command; developers who
--   debug with ECS Exec.

WITH tasks AS (
  SELECT eventtime,
         principal_key,
         eventname,
         coalesce(json_extract_scalar(requestparameters, '$.taskDefinition'),
                  json_extract_scalar(requestparameters, '$.task')) AS task,
         json_extract_scalar(requestparameters, '$.cluster') AS cluster,
         coalesce(json_extract_scalar(requestparameters, '$.overrides.taskRoleArn'),
                  json_extract_scalar(requestparameters, '$.overrides.executionRoleArn')) AS role,
         coalesce(json_extract_scalar(requestparameters, '$.command'),
                  json_format(json_extract(requestparameters,
                                           '$.overrides.containerOverrides[0].command')))
           AS command,
         outcome,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  eventsource = 'ecs.amazonaws.com'
    AND  eventname IN ('RunTask', 'StartTask', 'ExecuteCommand')
    AND  outcome IN ('ok', 'denied')
    AND  useridentity.invokedby IS NULL
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
)
SELECT tasks.eventtime,
       tasks.principal_key AS actor,
       tasks.eventname AS action,
       tasks.task AS resource,
       tasks.sourceipaddress,
       tasks.recipientaccountid,
       tasks.awsregion,
       tasks.eventid,
       tasks.outcome,
       tasks.cluster,
       CASE WHEN tasks.eventname = 'ExecuteCommand' THEN 'shell'
            WHEN tasks.role IS NOT NULL AND tasks.command IS NOT NULL THEN 'role, command'
            WHEN tasks.role IS NOT NULL THEN 'role'
            ELSE 'command'
       END AS overridden,
       tasks.role,
       tasks.command
FROM   tasks
WHERE  tasks.eventname = 'ExecuteCommand'
   OR  tasks.role IS NOT NULL
   OR  tasks.command IS NOT NULL
ORDER  BY tasks.eventtime, tasks.eventid

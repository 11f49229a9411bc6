-- title: Function created with a role and run by its creator
-- description: A new function runs with the role it was created with. A caller who may pass a
--   strong role makes a function for it, and has it invoked: directly, by an event source, or by
--   opening it to somebody.
-- hit: `resource` was created with `role` and set off at `run_at` by `run_by`, within `minutes`
--   minutes, by the same caller.
-- caveat: Direct invocations show only where data events of functions are recorded. What the
--   function did is in the calls of its role's session, whose name is the function's.
-- severity: medium
-- attack: TA0004:T1548.005
-- attack: TA0002:T1648
-- service: AWS Lambda
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: minutes bigint = 60 -- within how many minutes the steps must follow
-- reference: https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
-- reference: https://pathfinding.cloud/paths/lambda-001
-- reference: https://pathfinding.cloud/paths/lambda-002
-- reference: https://pathfinding.cloud/paths/lambda-006
-- false_positive: Developers who try a new function; deployments that create a function with its
--   triggers.

WITH created AS (
  SELECT eventtime,
         event_ts,
         principal_key,
         event_name_base,
         json_extract_scalar(requestparameters, '$.functionName') AS function_name,
         json_extract_scalar(requestparameters, '$.role') AS role,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  eventsource = 'lambda.amazonaws.com'
    AND  eventname LIKE 'CreateFunction20%'
    AND  errorcode IS NULL
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
runs AS (
  SELECT event_ts,
         eventtime,
         event_name_base,
         principal_key,
         recipientaccountid,
         awsregion,
         split_part(regexp_replace(json_extract_scalar(requestparameters, '$.functionName'),
                                   '^arn:[^:]+:lambda:[^:]*:[^:]*:function:', ''), ':', 1)
           AS function_name
  FROM   cloudtrail_logs
  WHERE  eventsource = 'lambda.amazonaws.com'
    AND  errorcode IS NULL
    AND  (eventname LIKE 'Invoke%'
          OR eventname LIKE 'CreateEventSourceMapping%'
          OR eventname LIKE 'AddPermission20%'
          OR eventname LIKE 'CreateFunctionUrlConfig%')
)
SELECT created.eventtime,
       created.principal_key AS actor,
       created.event_name_base AS action,
       created.function_name AS resource,
       created.sourceipaddress,
       created.recipientaccountid,
       created.awsregion,
       created.eventid,
       created.role,
       min_by(runs.event_name_base, runs.eventtime) AS run_by,
       min(runs.eventtime) AS run_at
FROM   created
JOIN   runs
  ON   runs.function_name = created.function_name
 AND   runs.recipientaccountid = created.recipientaccountid
 AND   runs.awsregion = created.awsregion
 AND   runs.principal_key = created.principal_key
 AND   runs.event_ts >= created.event_ts
 AND   runs.event_ts <= date_add('minute', :minutes, created.event_ts)
GROUP  BY 1, 2, 3, 4, 5, 6, 7, 8, 9
ORDER  BY created.eventtime, created.eventid

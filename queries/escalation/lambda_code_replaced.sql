-- title: Function's code replaced by a caller new to it
-- description: New code in an existing function runs with the function's role, whenever whatever
--   calls it calls it next. No role has to be passed.
-- hit: `actor` replaced the code of `resource` and never deployed it before in the logs; `usual`
--   names who did. `run_at` is when it was set off by the same caller.
-- caveat: The code is not in the log: `code_sha256` tells versions apart. Where nobody deployed
--   the function before, the first `baseline_hours` hours of the logs only teach. Whoever stole
--   the credentials of the usual deployer gives no row: see `lambda_changes`.
-- severity: medium
-- attack: TA0004:T1548.005
-- attack: TA0003:T1525
-- service: AWS Lambda
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: minutes bigint = 60 -- within how many minutes the steps must follow
-- param: baseline_hours bigint = 12 -- hours at the beginning of the logs that only teach who
--   deploys
-- reference: https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html
-- reference: https://pathfinding.cloud/paths/lambda-003
-- reference: https://pathfinding.cloud/paths/lambda-004
-- reference: https://pathfinding.cloud/paths/lambda-005
-- false_positive: A developer's first deployment; a pipeline that got a new role.

WITH updates AS (
  SELECT eventtime,
         event_ts,
         principal_key,
         event_name_base,
         split_part(regexp_replace(coalesce(json_extract_scalar(responseelements, '$.functionArn'),
                                            json_extract_scalar(requestparameters,
                                                                '$.functionName')),
                                   '^arn:[^:]+:lambda:[^:]*:[^:]*:function:', ''), ':', 1)
           AS function_name,
         json_extract_scalar(responseelements, '$.role') AS role,
         json_extract_scalar(responseelements, '$.codeSha256') AS code_sha256,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  eventsource = 'lambda.amazonaws.com'
    AND  (eventname LIKE 'UpdateFunctionCode%' OR eventname LIKE 'CreateFunction20%')
    AND  errorcode IS NULL
    AND  coalesce(json_extract_scalar(requestparameters, '$.dryRun'), 'false') = 'false'
),
history AS (
  SELECT min(event_ts) AS begins
  FROM   cloudtrail_logs
),
numbered AS (
  SELECT updates.*,
         row_number() OVER (PARTITION BY recipientaccountid, awsregion, function_name,
                                         principal_key
                            ORDER BY eventtime, eventid) AS nth
  FROM   updates
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
SELECT numbered.eventtime,
       numbered.principal_key AS actor,
       numbered.event_name_base AS action,
       numbered.function_name AS resource,
       numbered.sourceipaddress,
       numbered.recipientaccountid,
       numbered.awsregion,
       numbered.eventid,
       numbered.role,
       numbered.code_sha256,
       min_by(earlier.principal_key, earlier.eventtime) AS usual,
       min_by(runs.event_name_base, runs.eventtime) AS run_by,
       min(runs.eventtime) AS run_at
FROM   numbered
CROSS  JOIN history
LEFT   JOIN updates AS earlier
  ON   earlier.function_name = numbered.function_name
 AND   earlier.recipientaccountid = numbered.recipientaccountid
 AND   earlier.awsregion = numbered.awsregion
 AND   earlier.principal_key <> numbered.principal_key
 AND   earlier.eventtime <= numbered.eventtime
LEFT   JOIN runs
  ON   runs.function_name = numbered.function_name
 AND   runs.recipientaccountid = numbered.recipientaccountid
 AND   runs.awsregion = numbered.awsregion
 AND   runs.principal_key = numbered.principal_key
 AND   runs.event_ts >= numbered.event_ts
 AND   runs.event_ts <= date_add('minute', :minutes, numbered.event_ts)
WHERE  numbered.event_name_base = 'UpdateFunctionCode'
  AND  numbered.nth = 1
  AND  (earlier.eventid IS NOT NULL
        OR numbered.event_ts >= date_add('hour', :baseline_hours, history.begins))
  AND  (:since = '' OR numbered.eventtime >= :since)
  AND  (:until = '' OR numbered.eventtime <= :until)
GROUP  BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
ORDER  BY numbered.eventtime, numbered.eventid

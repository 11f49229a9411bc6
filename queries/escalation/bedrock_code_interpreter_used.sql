-- title: Code run in an AgentCore code interpreter
-- description: A code interpreter runs what it is given with its execution role. Making one needs
--   a role to pass; invoking one that exists needs nothing but the permission to invoke.
-- hit: One caller's work with one interpreter: whether it made it (`role` is then known),
--   sessions and invocations, first and last.
-- caveat: Invocations are data events and often not recorded; the code is not in them.
-- severity: low
-- attack: TA0004:T1548.005
-- attack: TA0002:T1651
-- service: Amazon Bedrock AgentCore
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/code-interpreter-tool.html
-- reference: https://pathfinding.cloud/paths/bedrock-001
-- false_positive: Agents that are built to use an interpreter.

WITH calls AS (
  SELECT eventtime,
         principal_key,
         eventname,
         coalesce(json_extract_scalar(requestparameters, '$.codeInterpreterIdentifier'),
                  json_extract_scalar(responseelements, '$.codeInterpreterId'),
                  json_extract_scalar(requestparameters, '$.name')) AS interpreter,
         json_extract_scalar(requestparameters, '$.executionRoleArn') AS role,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  eventsource IN ('bedrock-agentcore.amazonaws.com',
                         'bedrock-agentcore-control.amazonaws.com')
    AND  eventname IN ('CreateCodeInterpreter', 'StartCodeInterpreterSession',
                       'InvokeCodeInterpreter')
    AND  errorcode IS NULL
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
roles AS (
  SELECT interpreter,
         max(role) AS role,
         max(principal_key) AS made_by
  FROM   calls
  WHERE  eventname = 'CreateCodeInterpreter'
  GROUP  BY interpreter
)
SELECT min(calls.eventtime) AS eventtime,
       calls.principal_key AS actor,
       min_by(calls.eventname, calls.eventtime) AS action,
       calls.interpreter AS resource,
       min_by(calls.sourceipaddress, calls.eventtime) AS sourceipaddress,
       calls.recipientaccountid,
       calls.awsregion,
       min_by(calls.eventid, calls.eventtime) AS eventid,
       max(roles.role) AS role,
       max(roles.made_by) AS made_by,
       count(*) FILTER (WHERE calls.eventname = 'StartCodeInterpreterSession') AS sessions,
       count(*) FILTER (WHERE calls.eventname = 'InvokeCodeInterpreter') AS invocations,
       max(calls.eventtime) AS last_seen
FROM   calls
LEFT   JOIN roles
  ON   roles.interpreter = calls.interpreter
GROUP  BY calls.principal_key, calls.interpreter, calls.recipientaccountid, calls.awsregion
HAVING count(*) FILTER (WHERE calls.eventname <> 'CreateCodeInterpreter') > 0
ORDER  BY eventtime, eventid

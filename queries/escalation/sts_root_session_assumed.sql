-- title: Root session of a member account assumed
-- description: AssumeRoot gives the management account, or a delegated administrator, a short
--   session as root of a member account, limited to a task: unlocking bucket and queue policies,
--   deleting or recovering root's credentials.
-- hit: Somebody acted as root of `resource` under the task policy `task`. `calls` counts what was
--   done with the session.
-- caveat: What the session did is in the member account's logs; without them `calls` is 0.
-- severity: high
-- attack: TA0004:T1078.004
-- attack: TA0004:T1548.005
-- service: AWS STS
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user-privileged-task.html
-- false_positive: The organization's administrators, who use it to repair a locked bucket or
--   queue.

WITH sessions AS (
  SELECT eventtime,
         principal_key,
         eventname,
         json_extract_scalar(requestparameters, '$.targetPrincipal') AS target,
         json_extract_scalar(requestparameters, '$.taskPolicyArn.arn') AS task,
         issued_key AS new_key,
         outcome,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  eventsource = 'sts.amazonaws.com'
    AND  eventname = 'AssumeRoot'
    AND  outcome IN ('ok', 'denied')
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
uses AS (
  SELECT useridentity.accesskeyid AS used_key,
         count(*) AS calls,
         array_agg(DISTINCT eventname ORDER BY eventname) AS apis
  FROM   cloudtrail_logs
  WHERE  useridentity.accesskeyid IN (SELECT new_key FROM sessions)
  GROUP  BY useridentity.accesskeyid
)
SELECT sessions.eventtime,
       sessions.principal_key AS actor,
       sessions.eventname AS action,
       sessions.target AS resource,
       sessions.sourceipaddress,
       sessions.recipientaccountid,
       sessions.awsregion,
       sessions.eventid,
       sessions.outcome,
       sessions.task,
       sessions.new_key AS issued_key,
       coalesce(uses.calls, 0) AS calls,
       uses.apis
FROM   sessions
LEFT   JOIN uses
  ON   uses.used_key = sessions.new_key
ORDER  BY sessions.eventtime, sessions.eventid

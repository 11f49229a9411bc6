-- title: Role changed and then assumed by the same caller
-- description: A caller that changes what a role may do, or who may assume it, and then assumes
--   it has lifted itself: it takes the role's new rights without touching its own.
-- hit: `resource` was changed (`action`) and assumed at `assumed_at` by the same principal;
--   `issued_key` is the session it got.
-- caveat: Changes of a managed policy count where the logs show that the role holds it. A role
--   assumed by another principal that the change let in is `iam_role_trust_opened`.
-- severity: high
-- attack: TA0004:T1098.003
-- attack: TA0004:T1548.005
-- service: IAM
-- service: AWS STS
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: minutes bigint = 60 -- within how many minutes the steps must follow
-- reference: https://pathfinding.cloud/paths/iam-012
-- reference: https://pathfinding.cloud/paths/iam-014
-- reference: https://pathfinding.cloud/paths/iam-017
-- false_positive: Engineers who try out a role they have just written.

WITH calls AS (
  SELECT eventtime,
         event_ts,
         principal_key,
         eventname,
         json_extract_scalar(requestparameters, '$.roleName') AS role_name,
         json_extract_scalar(requestparameters, '$.policyArn') AS policy,
         regexp_extract(target_role, '[^/]+$') AS assumed_role,
         regexp_extract(target_role, '^arn:[^:]+:iam::([0-9]{12}):', 1) AS assumed_account,
         issued_key AS new_key,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  errorcode IS NULL
    AND  ((eventsource = 'iam.amazonaws.com'
           AND eventname IN ('AttachRolePolicy', 'PutRolePolicy', 'UpdateAssumeRolePolicy',
                             'DeleteRolePermissionsBoundary', 'CreatePolicyVersion',
                             'SetDefaultPolicyVersion'))
          OR (eventsource = 'sts.amazonaws.com' AND eventname = 'AssumeRole'))
),
changes AS (
  SELECT eventtime,
         event_ts,
         principal_key,
         eventname,
         role_name,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   calls
  WHERE  role_name IS NOT NULL
  UNION  ALL
  SELECT changed.eventtime,
         changed.event_ts,
         changed.principal_key,
         changed.eventname,
         held.role_name,
         changed.sourceipaddress,
         changed.recipientaccountid,
         changed.awsregion,
         changed.eventid
  FROM   calls AS changed
  JOIN   calls AS held
    ON   held.policy = changed.policy
   AND   held.eventname = 'AttachRolePolicy'
   AND   held.eventtime <= changed.eventtime
  WHERE  changed.eventname IN ('CreatePolicyVersion', 'SetDefaultPolicyVersion')
)
SELECT changes.eventtime,
       changes.principal_key AS actor,
       changes.eventname AS action,
       changes.role_name AS resource,
       changes.sourceipaddress,
       changes.recipientaccountid,
       changes.awsregion,
       changes.eventid,
       min(assumed.eventtime) AS assumed_at,
       min_by(assumed.new_key, assumed.eventtime) AS issued_key
FROM   changes
JOIN   calls AS assumed
  ON   assumed.assumed_role = changes.role_name
 AND   assumed.assumed_account = changes.recipientaccountid
 AND   assumed.principal_key = changes.principal_key
 AND   assumed.event_ts >= changes.event_ts
 AND   assumed.event_ts <= date_add('minute', :minutes, changes.event_ts)
WHERE  (:since = '' OR changes.eventtime >= :since)
  AND  (:until = '' OR changes.eventtime <= :until)
GROUP  BY 1, 2, 3, 4, 5, 6, 7, 8
ORDER  BY changes.eventtime, changes.eventid, changes.role_name

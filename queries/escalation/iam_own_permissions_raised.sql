-- title: Caller gave itself permissions
-- description: A user that attached a policy to itself or joined a group, a role session that did
--   so to its own role, a member that changed its group's policies. Nobody needs that in ordinary
--   work.
-- hit: The target of the change (`resource`) is the caller itself, or a group the logs show it to
--   be in. `policy` is what it got. Denied attempts are rows too: see `outcome`.
-- caveat: Group membership is known only where AddUserToGroup is in the logs. A change of a
--   managed policy that the caller holds is `iam_policy_default_changed`.
-- severity: high
-- attack: TA0004:T1098.003
-- service: IAM
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_manage-attach-detach.html
-- reference: https://pathfinding.cloud/paths/iam-007
-- reference: https://pathfinding.cloud/paths/iam-013
-- false_positive: The one administrator of a small account; deployment roles that manage their
--   own policies as code.

WITH changes AS (
  SELECT eventtime,
         principal_key,
         eventname,
         CASE WHEN useridentity.type = 'IAMUser' THEN useridentity.username END AS caller_user,
         CASE WHEN useridentity.type = 'AssumedRole'
              THEN useridentity.sessioncontext.sessionissuer.username
         END AS caller_role,
         json_extract_scalar(requestparameters, '$.userName') AS user_name,
         json_extract_scalar(requestparameters, '$.roleName') AS role_name,
         json_extract_scalar(requestparameters, '$.groupName') AS group_name,
         regexp_extract(errormessage, 'on resource: (user|role|group) ([^ ]+)', 1)
           AS denied_kind,
         regexp_extract(errormessage, 'on resource: (user|role|group) ([^ ]+)', 2)
           AS denied_name,
         coalesce(json_extract_scalar(requestparameters, '$.policyArn'),
                  json_extract_scalar(requestparameters, '$.policyName'),
                  json_extract_scalar(requestparameters, '$.groupName')) AS policy,
         outcome,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  eventsource = 'iam.amazonaws.com'
    AND  eventname IN ('AttachUserPolicy', 'PutUserPolicy', 'AttachRolePolicy', 'PutRolePolicy',
                       'AttachGroupPolicy', 'PutGroupPolicy', 'AddUserToGroup')
    AND  outcome IN ('ok', 'denied')
),
members AS (
  SELECT user_name,
         group_name,
         recipientaccountid,
         min(eventtime) AS joined_at
  FROM   changes
  WHERE  eventname = 'AddUserToGroup'
    AND  outcome = 'ok'
  GROUP  BY user_name, group_name, recipientaccountid
)
SELECT changes.eventtime,
       changes.principal_key AS actor,
       changes.eventname AS action,
       coalesce(changes.user_name, changes.role_name, changes.group_name, changes.denied_name)
         AS resource,
       changes.sourceipaddress,
       changes.recipientaccountid,
       changes.awsregion,
       changes.eventid,
       changes.policy,
       changes.outcome,
       members.joined_at AS in_group_since
FROM   changes
LEFT   JOIN members
  ON   members.group_name = coalesce(changes.group_name, changes.denied_name)
 AND   members.user_name = changes.caller_user
 AND   members.recipientaccountid = changes.recipientaccountid
 AND   changes.eventname IN ('AttachGroupPolicy', 'PutGroupPolicy')
 AND   members.joined_at <= changes.eventtime
WHERE  (changes.caller_user = changes.user_name
        OR changes.caller_role = changes.role_name
        OR members.joined_at IS NOT NULL
        OR (changes.denied_kind = 'user' AND changes.denied_name = changes.caller_user)
        OR (changes.denied_kind = 'role' AND changes.denied_name = changes.caller_role))
  AND  (:since = '' OR changes.eventtime >= :since)
  AND  (:until = '' OR changes.eventtime <= :until)
ORDER  BY changes.eventtime, changes.eventid

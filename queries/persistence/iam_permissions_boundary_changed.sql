-- title: Permissions boundary removed or replaced
-- description: A boundary caps what a user or role may do, whatever its policies say. Lifting it
--   from oneself, or from a user one controls, is a step up that no policy change shows.
-- hit: `change` is `removed` or `put`; `own` says that the target is the caller's own user or
--   role.
-- caveat: A boundary that is put may be wider or narrower than the one before: `boundary` names
--   it, its policy is not in the event. For denied attempts the target is taken from the error
--   message.
-- severity: high
-- attack: TA0004:T1098.003
-- attack: TA0003:T1098.003
-- service: IAM
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
-- false_positive: Infrastructure as code that gives every role it makes a boundary (`put`).

WITH changes AS (
  SELECT eventtime,
         principal_key,
         eventname,
         coalesce(json_extract_scalar(requestparameters, '$.userName'),
                  json_extract_scalar(requestparameters, '$.roleName'),
                  regexp_extract(errormessage, 'on resource: (?:user |role )?([^ ]+)', 1))
           AS target,
         coalesce(useridentity.username, useridentity.sessioncontext.sessionissuer.username)
           AS caller,
         CASE WHEN eventname LIKE '%User%' THEN useridentity.type = 'IAMUser'
              ELSE useridentity.type = 'AssumedRole'
         END AS same_kind,
         json_extract_scalar(requestparameters, '$.permissionsBoundary') AS boundary,
         outcome,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  eventsource = 'iam.amazonaws.com'
    AND  eventname IN ('DeleteUserPermissionsBoundary', 'DeleteRolePermissionsBoundary',
                       'PutUserPermissionsBoundary', 'PutRolePermissionsBoundary')
    AND  outcome IN ('ok', 'denied')
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
)
SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       target AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       CASE WHEN eventname LIKE 'Delete%' THEN 'removed' ELSE 'put' END AS change,
       coalesce(same_kind AND target = caller, false) AS own,
       outcome,
       boundary
FROM   changes
ORDER  BY eventtime, eventid

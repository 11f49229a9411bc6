-- title: Users, roles, groups and instance profiles created
-- description: Every identity that was created in IAM, by whom, and whether it is still there.
--   The list to clean up after an intrusion: whoever was in may have left a role or a user
--   behind.
-- hit: One identity. `deleted_at` says when it was removed again; where it is empty, it was there
--   when the logs end.
-- caveat: Roles that AWS services make for themselves (CreateServiceLinkedRole) are listed too.
--   An identity deleted and made again has a row for each time.
-- attack: TA0003:T1136.003
-- service: IAM
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: kind varchar = '' -- user, role, group or instance profile; all where empty
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/id.html

WITH changes AS (
  SELECT eventtime,
         principal_key,
         eventname,
         sourceipaddress,
         recipientaccountid,
         eventid,
         CASE WHEN eventname LIKE '%User' THEN 'user'
              WHEN eventname LIKE '%Group' THEN 'group'
              WHEN eventname LIKE '%InstanceProfile' THEN 'instance profile'
              ELSE 'role'
         END AS kind,
         coalesce(json_extract_scalar(requestparameters, '$.userName'),
                  json_extract_scalar(requestparameters, '$.groupName'),
                  json_extract_scalar(requestparameters, '$.instanceProfileName'),
                  json_extract_scalar(requestparameters, '$.roleName'),
                  json_extract_scalar(responseelements, '$.role.roleName')) AS name,
         coalesce(json_extract_scalar(responseelements, '$.user.arn'),
                  json_extract_scalar(responseelements, '$.group.arn'),
                  json_extract_scalar(responseelements, '$.instanceProfile.arn'),
                  json_extract_scalar(responseelements, '$.role.arn')) AS arn
  FROM   cloudtrail_logs
  WHERE  eventsource = 'iam.amazonaws.com'
    AND  eventname IN ('CreateUser', 'CreateGroup', 'CreateRole', 'CreateServiceLinkedRole',
                       'CreateInstanceProfile', 'DeleteUser', 'DeleteGroup', 'DeleteRole',
                       'DeleteServiceLinkedRole', 'DeleteInstanceProfile')
    AND  errorcode IS NULL
)
SELECT made.eventtime,
       made.principal_key,
       made.kind,
       made.name,
       made.arn,
       made.eventname,
       made.sourceipaddress,
       made.recipientaccountid,
       min(gone.eventtime) AS deleted_at,
       min_by(gone.principal_key, gone.eventtime) AS deleted_by,
       made.eventid
FROM   changes AS made
LEFT   JOIN changes AS gone
  ON   gone.eventname LIKE 'Delete%'
 AND   gone.recipientaccountid = made.recipientaccountid
 AND   gone.kind = made.kind
 AND   gone.name = made.name
 AND   gone.eventtime >= made.eventtime
WHERE  made.eventname LIKE 'Create%'
  AND  (:kind = '' OR made.kind = :kind)
  AND  (:since = '' OR made.eventtime >= :since)
  AND  (:until = '' OR made.eventtime <= :until)
GROUP  BY 1, 2, 3, 4, 5, 6, 7, 8, 11
ORDER  BY made.eventtime, made.eventid

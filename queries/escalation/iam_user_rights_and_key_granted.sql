-- title: User given rights, and a credential taken for it, by the same caller
-- description: Whoever may not touch their own permissions raises another user's instead, and
--   makes a key or password for that user. Either step alone is administration; both by one
--   caller within an hour are a way around a restriction.
-- hit: The caller can act as `resource` with `policy`: `credential` is what it took, at
--   `credential_at`, before or after.
-- caveat: Setting up a new user looks the same (`user_is_new`). A key that is used shows in
--   `iam_access_key_created`.
-- severity: high
-- attack: TA0004:T1098.003
-- attack: TA0003:T1098.001
-- service: IAM
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: minutes bigint = 60 -- within how many minutes the steps must follow
-- reference: https://pathfinding.cloud/paths/iam-015
-- reference: https://pathfinding.cloud/paths/iam-018
-- false_positive: Onboarding: a new user with its rights and first key (`user_is_new`).

WITH calls AS (
  SELECT eventtime,
         event_ts,
         principal_key,
         eventname,
         useridentity.username AS caller_user,
         json_extract_scalar(requestparameters, '$.userName') AS user_name,
         coalesce(json_extract_scalar(requestparameters, '$.policyArn'),
                  json_extract_scalar(requestparameters, '$.policyName'),
                  json_extract_scalar(requestparameters, '$.groupName')) AS policy,
         json_extract_scalar(responseelements, '$.accessKey.accessKeyId') AS new_key,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  eventsource = 'iam.amazonaws.com'
    AND  eventname IN ('AttachUserPolicy', 'PutUserPolicy', 'AddUserToGroup', 'CreateAccessKey',
                       'CreateLoginProfile', 'UpdateLoginProfile', 'CreateUser')
    AND  errorcode IS NULL
)
SELECT rights.eventtime,
       rights.principal_key AS actor,
       rights.eventname AS action,
       rights.user_name AS resource,
       rights.sourceipaddress,
       rights.recipientaccountid,
       rights.awsregion,
       rights.eventid,
       rights.policy,
       min_by(taken.eventname, taken.eventtime) FILTER (WHERE taken.eventname <> 'CreateUser')
         AS credential,
       min(taken.eventtime) FILTER (WHERE taken.eventname <> 'CreateUser') AS credential_at,
       min(taken.new_key) AS new_key,
       bool_or(taken.eventname = 'CreateUser') AS user_is_new
FROM   calls AS rights
JOIN   calls AS taken
  ON   taken.principal_key = rights.principal_key
 AND   taken.recipientaccountid = rights.recipientaccountid
 AND   taken.user_name = rights.user_name
 AND   taken.event_ts >= date_add('minute', - :minutes, rights.event_ts)
 AND   taken.event_ts <= date_add('minute', :minutes, rights.event_ts)
WHERE  rights.eventname IN ('AttachUserPolicy', 'PutUserPolicy', 'AddUserToGroup')
  AND  taken.eventname IN ('CreateAccessKey', 'CreateLoginProfile', 'UpdateLoginProfile',
                           'CreateUser')
  AND  rights.user_name <> coalesce(rights.caller_user, '')
  AND  (:since = '' OR rights.eventtime >= :since)
  AND  (:until = '' OR rights.eventtime <= :until)
GROUP  BY 1, 2, 3, 4, 5, 6, 7, 8, 9
HAVING count(*) FILTER (WHERE taken.eventname <> 'CreateUser') > 0
ORDER  BY rights.eventtime, rights.eventid

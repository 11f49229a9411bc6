-- title: IAM user created and what it was given
-- description: New IAM users, with the keys, password, policies and groups they were given within
--   `minutes` minutes. An account made to come back through is created and equipped in one go.
-- hit: A user that did not exist before. One with a key or password and a policy is ready for use
--   by whoever made it.
-- caveat: Rights that the user got later, or through a group's policies, are not in the row.
--   Identity Center users are no IAM users.
-- severity: low
-- attack: TA0003:T1136.003
-- service: IAM
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: minutes bigint = 60 -- within how many minutes after it a gift counts
-- reference: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html
-- false_positive: Onboarding, infrastructure as code, SES SMTP users made by the console
--   (ses-smtp-user.…).

WITH users AS (
  SELECT eventtime,
         event_ts,
         principal_key,
         eventname,
         coalesce(json_extract_scalar(responseelements, '$.user.userName'),
                  json_extract_scalar(requestparameters, '$.userName')) AS new_user,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  eventsource = 'iam.amazonaws.com'
    AND  eventname = 'CreateUser'
    AND  errorcode IS NULL
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
gifts AS (
  SELECT event_ts,
         eventname,
         recipientaccountid,
         json_extract_scalar(requestparameters, '$.userName') AS to_user,
         CASE eventname
              WHEN 'CreateAccessKey'
              THEN json_extract_scalar(responseelements, '$.accessKey.accessKeyId')
              WHEN 'AddUserToGroup' THEN json_extract_scalar(requestparameters, '$.groupName')
              WHEN 'AttachUserPolicy'
              THEN json_extract_scalar(requestparameters, '$.policyArn')
              WHEN 'PutUserPolicy' THEN json_extract_scalar(requestparameters, '$.policyName')
         END AS gift
  FROM   cloudtrail_logs
  WHERE  eventsource = 'iam.amazonaws.com'
    AND  eventname IN ('CreateAccessKey', 'CreateLoginProfile', 'AddUserToGroup',
                       'AttachUserPolicy', 'PutUserPolicy')
    AND  errorcode IS NULL
)
SELECT users.eventtime,
       users.principal_key AS actor,
       users.eventname AS action,
       users.new_user AS resource,
       users.sourceipaddress,
       users.recipientaccountid,
       users.awsregion,
       users.eventid,
       array_agg(gifts.gift ORDER BY gifts.event_ts)
         FILTER (WHERE gifts.eventname = 'CreateAccessKey') AS access_keys,
       coalesce(bool_or(gifts.eventname = 'CreateLoginProfile'), false) AS console_password,
       array_agg(gifts.gift ORDER BY gifts.event_ts)
         FILTER (WHERE gifts.eventname IN ('AttachUserPolicy', 'PutUserPolicy')) AS policies,
       array_agg(gifts.gift ORDER BY gifts.event_ts)
         FILTER (WHERE gifts.eventname = 'AddUserToGroup') AS groups
FROM   users
LEFT   JOIN gifts
  ON   gifts.to_user = users.new_user
 AND   gifts.recipientaccountid = users.recipientaccountid
 AND   gifts.event_ts >= users.event_ts
 AND   gifts.event_ts <= date_add('minute', :minutes, users.event_ts)
GROUP  BY 1, 2, 3, 4, 5, 6, 7, 8
ORDER  BY users.eventtime, users.eventid

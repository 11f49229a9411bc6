-- title: Console password set for another user
-- description: A password for the console that somebody created or replaced for a user that is
--   not the caller. For a user that only had keys this opens a second way in; replacing one locks
--   its owner out and takes over the account.
-- hit: Someone else knows this user's password. `signed_in_at` is the user's first successful
--   console sign-in within `hours` hours after it: then the password has been used.
-- caveat: Passwords that users change for themselves are ChangePassword and give no row (see
--   `password_history`). A sign-in that another region's or account's trail records may be
--   missing.
-- severity: medium
-- attack: TA0003:T1098.001
-- attack: TA0004:T1098.001
-- service: IAM
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: hours bigint = 24 -- within how many hours a sign-in counts as use
-- reference: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateLoginProfile.html
-- reference: https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateLoginProfile.html
-- reference: https://pathfinding.cloud/paths/iam-004
-- false_positive: Onboarding and forgotten passwords: the help desk sets passwords every day;
--   look at who acts and whether reset_required is true.

WITH passwords AS (
  SELECT eventtime,
         event_ts,
         principal_key,
         eventname,
         json_extract_scalar(requestparameters, '$.userName') AS for_user,
         json_extract_scalar(requestparameters, '$.passwordResetRequired') AS reset_required,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  eventsource = 'iam.amazonaws.com'
    AND  eventname IN ('CreateLoginProfile', 'UpdateLoginProfile')
    AND  errorcode IS NULL
    AND  (useridentity.type <> 'IAMUser'
          OR coalesce(json_extract_scalar(requestparameters, '$.userName'),
                      useridentity.username) <> useridentity.username)
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
logins AS (
  SELECT event_ts,
         eventtime,
         useridentity.username AS login_user,
         sourceipaddress,
         recipientaccountid
  FROM   cloudtrail_logs
  WHERE  eventsource = 'signin.amazonaws.com'
    AND  eventname = 'ConsoleLogin'
    AND  json_extract_scalar(responseelements, '$.ConsoleLogin') = 'Success'
)
SELECT passwords.eventtime,
       passwords.principal_key AS actor,
       passwords.eventname AS action,
       passwords.for_user AS resource,
       passwords.sourceipaddress,
       passwords.recipientaccountid,
       passwords.awsregion,
       passwords.eventid,
       passwords.reset_required,
       min(logins.eventtime) AS signed_in_at,
       min_by(logins.sourceipaddress, logins.eventtime) AS signed_in_from
FROM   passwords
LEFT   JOIN logins
  ON   logins.login_user = passwords.for_user
 AND   logins.recipientaccountid = passwords.recipientaccountid
 AND   logins.event_ts >= passwords.event_ts
 AND   logins.event_ts <= date_add('hour', :hours, passwords.event_ts)
GROUP  BY 1, 2, 3, 4, 5, 6, 7, 8, 9
ORDER  BY passwords.eventtime, passwords.eventid

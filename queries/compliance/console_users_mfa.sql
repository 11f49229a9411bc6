-- title: Console users and their second factor
-- description: Each IAM user, and root, that signed in to the console, with how often with MFA and
--   how often without. The list to hand to whoever answers for the accounts.
-- hit: One user of one account; those that got in without MFA come first.
-- caveat: Users that did not sign in within these logs are not listed, nor are people who come
--   through single sign-on. Whether a user has an MFA device, IAM's credential report says.
-- service: IAM
-- service: AWS Management Console
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html

WITH logins AS (
  SELECT recipientaccountid,
         CASE WHEN useridentity.type = 'Root' THEN 'root' ELSE useridentity.username END AS who,
         eventtime,
         src_ip,
         json_extract_scalar(responseelements, '$.ConsoleLogin') = 'Success' AS got_in,
         coalesce(lower(json_extract_scalar(additionaleventdata, '$.MFAUsed')), 'no') = 'yes' AS mfa
  FROM   cloudtrail_logs
  WHERE  eventsource = 'signin.amazonaws.com'
    AND  eventname = 'ConsoleLogin'
    AND  useridentity.type IN ('IAMUser', 'Root')
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
)
SELECT recipientaccountid,
       who,
       count(*) FILTER (WHERE got_in AND NOT mfa) AS without_mfa,
       count(*) FILTER (WHERE got_in AND mfa) AS with_mfa,
       count(*) FILTER (WHERE NOT got_in) AS failed,
       count(DISTINCT src_ip) AS addresses,
       max(eventtime) FILTER (WHERE got_in AND NOT mfa) AS last_without_mfa,
       max(eventtime) FILTER (WHERE got_in) AS last_sign_in
FROM   logins
GROUP  BY recipientaccountid, who
HAVING count(*) FILTER (WHERE got_in) > 0
ORDER  BY without_mfa DESC, with_mfa DESC, recipientaccountid, who

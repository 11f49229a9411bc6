-- title: Sign-in that succeeded after failures
-- description: A user signed in to the console right after several failures: a password was
--   guessed, or remembered at last. Root is looked at too.
-- hit: The success; `failures` is how many attempts of that user failed in the hour before, from
--   how many addresses.
-- caveat: Failures with a user name that does not exist are recorded without the name and are not
--   counted here (see `console_passwords_tried`), nor are those at an identity provider. Fewer
--   failures than the threshold, or over days, do not show.
-- severity: high
-- attack: TA0006:T1110.001
-- attack: TA0001:T1078.004
-- service: AWS Management Console
-- param: failures bigint = 3 -- how many failures in the hour before
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html
-- false_positive: a person who mistypes or tries old passwords, at the usual address

WITH attempts AS (
  SELECT eventtime,
         event_ts,
         recipientaccountid,
         CASE WHEN useridentity.type = 'Root' THEN 'root' ELSE useridentity.username END AS who,
         json_extract_scalar(responseelements, '$.ConsoleLogin') AS result,
         lower(json_extract_scalar(additionaleventdata, '$.MFAUsed')) AS mfa,
         sourceipaddress,
         awsregion,
         eventid,
         useragent
  FROM   cloudtrail_logs
  WHERE  eventsource = 'signin.amazonaws.com'
    AND  eventname = 'ConsoleLogin'
)
SELECT success.eventtime,
       success.who AS actor,
       'ConsoleLogin after failures' AS action,
       concat('console of ', success.recipientaccountid) AS resource,
       success.sourceipaddress,
       success.recipientaccountid,
       success.awsregion,
       success.eventid,
       count(*) AS failures,
       count(DISTINCT failure.sourceipaddress) AS failed_from_addresses,
       bool_or(failure.sourceipaddress = success.sourceipaddress) AS failed_from_same_address,
       min(failure.eventtime) AS first_failure,
       success.mfa,
       success.useragent
FROM   attempts success
JOIN   attempts failure
  ON   failure.recipientaccountid = success.recipientaccountid
 AND   failure.who = success.who
 AND   failure.result = 'Failure'
 AND   failure.event_ts BETWEEN success.event_ts - INTERVAL '1' HOUR AND success.event_ts
WHERE  success.result = 'Success'
  AND  (:since = '' OR success.eventtime >= :since)
  AND  (:until = '' OR success.eventtime <= :until)
GROUP  BY success.eventtime, success.who, success.sourceipaddress, success.recipientaccountid,
       success.awsregion, success.eventid, success.mfa, success.useragent
HAVING count(*) >= :failures
ORDER  BY success.eventtime, success.eventid

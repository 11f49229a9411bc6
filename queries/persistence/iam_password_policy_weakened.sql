-- title: Password policy weakened or deleted
-- description: A password policy that demands less than before: shorter, fewer kinds of
--   characters, older passwords, reuse; or none at all. It prepares for passwords that are
--   guessed, or that never change.
-- hit: `weakened` names what became weaker against the policy last seen in the logs, or against
--   `min_length` where none was seen.
-- caveat: The first change in the logs has nothing to compare with but its length. Attempts that
--   were denied are listed; their request is often not recorded.
-- severity: medium
-- attack: TA0003:T1556
-- attack: TA0005:T1556
-- service: IAM
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: min_length bigint = 14 -- what counts as short where no earlier policy is known
-- reference: https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccountPasswordPolicy.html
-- reference: https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-iam.html
-- false_positive: A baseline that sets the policy anew in several steps.

WITH changes AS (
  SELECT eventtime,
         principal_key,
         eventname,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid,
         outcome,
         try_cast(json_extract_scalar(requestparameters, '$.minimumPasswordLength') AS bigint)
           AS length,
         coalesce(json_extract_scalar(requestparameters, '$.requireSymbols'), 'false') = 'true'
           AS symbols,
         coalesce(json_extract_scalar(requestparameters, '$.requireNumbers'), 'false') = 'true'
           AS numbers,
         coalesce(json_extract_scalar(requestparameters, '$.requireUppercaseCharacters'),
                  'false') = 'true' AS uppercase,
         coalesce(json_extract_scalar(requestparameters, '$.requireLowercaseCharacters'),
                  'false') = 'true' AS lowercase,
         coalesce(try_cast(json_extract_scalar(requestparameters, '$.maxPasswordAge') AS bigint),
                  99999) AS max_age,
         coalesce(try_cast(json_extract_scalar(requestparameters, '$.passwordReusePrevention')
                           AS bigint), 0) AS remembered
  FROM   cloudtrail_logs
  WHERE  eventsource = 'iam.amazonaws.com'
    AND  eventname IN ('UpdateAccountPasswordPolicy', 'DeleteAccountPasswordPolicy')
    AND  outcome IN ('ok', 'denied')
),
compared AS (
  SELECT changes.*,
         lag(eventname) OVER before AS old_event,
         lag(length) OVER before AS old_length,
         lag(symbols) OVER before AS old_symbols,
         lag(numbers) OVER before AS old_numbers,
         lag(uppercase) OVER before AS old_uppercase,
         lag(lowercase) OVER before AS old_lowercase,
         lag(max_age) OVER before AS old_max_age,
         lag(remembered) OVER before AS old_remembered
  FROM   changes
  WINDOW before AS (PARTITION BY recipientaccountid, outcome ORDER BY eventtime, eventid)
),
judged AS (
  SELECT compared.*,
         CASE WHEN outcome = 'denied' THEN 'unknown: denied'
              WHEN eventname = 'DeleteAccountPasswordPolicy' THEN 'no policy'
              ELSE array_join(ARRAY[
                CASE WHEN coalesce(length, 6) < coalesce(old_length, :min_length)
                     THEN 'length' END,
                CASE WHEN old_symbols AND NOT symbols THEN 'symbols' END,
                CASE WHEN old_numbers AND NOT numbers THEN 'numbers' END,
                CASE WHEN old_uppercase AND NOT uppercase THEN 'uppercase' END,
                CASE WHEN old_lowercase AND NOT lowercase THEN 'lowercase' END,
                CASE WHEN old_event = 'UpdateAccountPasswordPolicy' AND max_age > old_max_age
                     THEN 'age' END,
                CASE WHEN remembered < old_remembered THEN 'reuse' END], ', ')
         END AS weakened
  FROM   compared
)
SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       recipientaccountid AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       weakened,
       length,
       old_length
FROM   judged
WHERE  weakened <> ''
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

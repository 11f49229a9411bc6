-- title: Disabled IAM access key switched on again
-- description: An access key that was inactive and that somebody activated. Whoever may not
--   create keys, or finds two there already, can revive an old one; a key that responders
--   disabled must stay so.
-- hit: A key can be used again. `disabled_at` is when it was switched off in the logs at hand,
--   `calls` counts its use afterwards.
-- caveat: Activating a key that was active already is recorded alike. `disabled_at` is empty
--   where that was before the logs begin.
-- severity: low
-- attack: TA0003:T1098.001
-- service: IAM
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html
-- false_positive: Key rotation that was undone because something still used the old key.

WITH switched AS (
  SELECT eventtime,
         principal_key,
         eventname,
         useridentity.username AS caller_user,
         json_extract_scalar(requestparameters, '$.userName') AS for_user,
         json_extract_scalar(requestparameters, '$.accessKeyId') AS key_id,
         json_extract_scalar(requestparameters, '$.status') AS status,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  eventsource = 'iam.amazonaws.com'
    AND  eventname = 'UpdateAccessKey'
    AND  errorcode IS NULL
),
activated AS (
  SELECT on_again.eventtime,
         on_again.principal_key,
         on_again.eventname,
         coalesce(on_again.for_user, on_again.caller_user) AS for_user,
         on_again.key_id,
         on_again.sourceipaddress,
         on_again.recipientaccountid,
         on_again.awsregion,
         on_again.eventid,
         max(off.eventtime) AS disabled_at,
         max_by(off.principal_key, off.eventtime) AS disabled_by
  FROM   switched AS on_again
  LEFT   JOIN switched AS off
    ON   off.key_id = on_again.key_id
   AND   off.status = 'Inactive'
   AND   off.eventtime <= on_again.eventtime
  WHERE  on_again.status = 'Active'
    AND  (:since = '' OR on_again.eventtime >= :since)
    AND  (:until = '' OR on_again.eventtime <= :until)
  GROUP  BY 1, 2, 3, 4, 5, 6, 7, 8, 9
),
uses AS (
  SELECT activated.eventid,
         count(*) AS calls
  FROM   activated
  JOIN   cloudtrail_logs AS used
    ON   used.useridentity.accesskeyid = activated.key_id
   AND   used.eventtime >= activated.eventtime
  GROUP  BY activated.eventid
)
SELECT activated.eventtime,
       activated.principal_key AS actor,
       activated.eventname AS action,
       activated.key_id AS resource,
       activated.sourceipaddress,
       activated.recipientaccountid,
       activated.awsregion,
       activated.eventid,
       activated.for_user,
       activated.disabled_at,
       activated.disabled_by,
       coalesce(uses.calls, 0) AS calls
FROM   activated
LEFT   JOIN uses
  ON   uses.eventid = activated.eventid
ORDER  BY activated.eventtime, activated.eventid

-- title: IAM access key created for another user
-- description: A long-term access key that somebody made for a user that is not the caller, or
--   for root. It keeps access after the first credentials are revoked, and takes over whatever
--   the other user may do.
-- hit: Someone other than the user now holds a key of that user. Where `first_used` has a value
--   the key was used: `first_used_from` is the address, `calls` what to read next with
--   `access_key_activity`.
-- caveat: A key that a user makes for itself gives no row (see `access_key_lifecycle`). Use in an
--   account or region whose logs are not in the cache is not counted.
-- severity: medium
-- attack: TA0003:T1098.001
-- service: IAM
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html
-- reference: https://pathfinding.cloud/paths/iam-002
-- false_positive: Administrators and onboarding scripts that hand out keys; key rotation by a
--   tool with a role of its own.

WITH created AS (
  SELECT eventtime,
         principal_key,
         eventname,
         useridentity.type AS caller_type,
         useridentity.username AS caller_user,
         useridentity.accesskeyid AS with_key,
         coalesce(json_extract_scalar(responseelements, '$.accessKey.userName'),
                  json_extract_scalar(requestparameters, '$.userName')) AS for_user,
         json_extract_scalar(responseelements, '$.accessKey.accessKeyId') AS new_key,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  eventsource = 'iam.amazonaws.com'
    AND  eventname = 'CreateAccessKey'
    AND  errorcode IS NULL
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
uses AS (
  SELECT useridentity.accesskeyid AS used_key,
         min(eventtime) AS first_used,
         min_by(sourceipaddress, eventtime) AS first_used_from,
         count(*) AS calls
  FROM   cloudtrail_logs
  WHERE  useridentity.accesskeyid IN (SELECT new_key FROM created)
  GROUP  BY useridentity.accesskeyid
)
SELECT created.eventtime,
       created.principal_key AS actor,
       created.eventname AS action,
       coalesce(created.for_user, 'root') AS resource,
       created.sourceipaddress,
       created.recipientaccountid,
       created.awsregion,
       created.eventid,
       created.with_key,
       created.new_key,
       uses.first_used,
       uses.first_used_from,
       coalesce(uses.calls, 0) AS calls
FROM   created
LEFT   JOIN uses
  ON   uses.used_key = created.new_key
WHERE  created.caller_type <> 'IAMUser'
   OR  coalesce(created.for_user, created.caller_user) <> created.caller_user
ORDER  BY created.eventtime, created.eventid

-- title: The life of each access key
-- description: Every access key that was created, switched on or off, or deleted: for whom, by
--   whom, and its use. Answers who created keys, which of them are still active, and whether a
--   key was used after it should have been gone.
-- hit: One key. `last_used` after `deleted_at`, or a `created_by` that is not the user, deserves
--   a look.
-- caveat: A key made before the logs begin has no `created_at`. Use in accounts or regions whose
--   logs are missing is not counted. A key that root made for itself has no `for_user`.
-- attack: TA0003:T1098.001
-- service: IAM
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: user varchar = '' -- keys of one user; all where empty
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html

WITH changes AS (
  SELECT coalesce(json_extract_scalar(responseelements, '$.accessKey.accessKeyId'),
                  json_extract_scalar(requestparameters, '$.accessKeyId')) AS key_id,
         coalesce(json_extract_scalar(responseelements, '$.accessKey.userName'),
                  json_extract_scalar(requestparameters, '$.userName'),
                  useridentity.username) AS for_user,
         CASE eventname
              WHEN 'CreateAccessKey' THEN 'Active'
              WHEN 'DeleteAccessKey' THEN 'deleted'
              ELSE json_extract_scalar(requestparameters, '$.status')
         END AS status,
         eventtime,
         eventname,
         principal_key,
         useridentity.accesskeyid AS with_key,
         sourceipaddress,
         recipientaccountid
  FROM   cloudtrail_logs
  WHERE  eventsource = 'iam.amazonaws.com'
    AND  eventname IN ('CreateAccessKey', 'UpdateAccessKey', 'DeleteAccessKey')
    AND  errorcode IS NULL
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
keys AS (
  SELECT recipientaccountid,
         key_id,
         max(for_user) AS for_user,
         min(eventtime) FILTER (WHERE eventname = 'CreateAccessKey') AS created_at,
         min(principal_key) FILTER (WHERE eventname = 'CreateAccessKey') AS created_by,
         min(with_key) FILTER (WHERE eventname = 'CreateAccessKey') AS created_with,
         min(sourceipaddress) FILTER (WHERE eventname = 'CreateAccessKey') AS created_from,
         max_by(status, eventtime) AS status,
         max(eventtime) FILTER (WHERE eventname = 'UpdateAccessKey') AS switched_at,
         max_by(principal_key, eventtime) FILTER (WHERE eventname = 'UpdateAccessKey')
           AS switched_by,
         max(eventtime) FILTER (WHERE eventname = 'DeleteAccessKey') AS deleted_at,
         max(principal_key) FILTER (WHERE eventname = 'DeleteAccessKey') AS deleted_by
  FROM   changes
  WHERE  key_id IS NOT NULL
  GROUP  BY recipientaccountid, key_id
),
uses AS (
  SELECT useridentity.accesskeyid AS used_key,
         min(eventtime) AS first_used,
         max(eventtime) AS last_used,
         count(*) AS calls,
         count(DISTINCT sourceipaddress) AS addresses
  FROM   cloudtrail_logs
  WHERE  useridentity.accesskeyid IN (SELECT key_id FROM keys)
  GROUP  BY useridentity.accesskeyid
)
SELECT keys.recipientaccountid,
       keys.for_user,
       keys.key_id,
       keys.status,
       keys.created_at,
       keys.created_by,
       keys.created_with,
       keys.created_from,
       keys.switched_at,
       keys.switched_by,
       keys.deleted_at,
       keys.deleted_by,
       uses.first_used,
       uses.last_used,
       coalesce(uses.calls, 0) AS calls,
       coalesce(uses.addresses, 0) AS addresses
FROM   keys
LEFT   JOIN uses
  ON   uses.used_key = keys.key_id
WHERE  (:user = '' OR keys.for_user = :user)
ORDER  BY keys.recipientaccountid, keys.for_user, keys.created_at, keys.key_id

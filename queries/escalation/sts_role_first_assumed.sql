-- title: Role assumed for the first time by this caller
-- description: A principal that assumes a role it never assumed before in the logs. Chained from
--   role to role, that is how an intruder moves towards more rights, and into other accounts.
-- hit: First time for this pair. `chained` says that the caller was itself a role session;
--   `calls` counts what was done with the session. Other accounts' roles (`resource`) matter
--   most.
-- caveat: Needs history: pairs first seen in the first `baseline_hours` hours of the logs are not
--   reported; give more where the logs go further back. Sessions that services make, and roles of
--   Identity Center, are left out.
-- severity: low
-- attack: TA0004:T1548.005
-- attack: TA0008:T1550.001
-- service: AWS STS
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: baseline_hours bigint = 12 -- hours at the beginning of the logs that only teach what is
--   usual
-- reference: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
-- reference: https://pathfinding.cloud/paths/sts-001
-- false_positive: New projects and new colleagues; tools that are run seldom.

WITH assumed AS (
  SELECT eventtime,
         event_ts,
         principal_key,
         eventname,
         useridentity.type = 'AssumedRole' AS chained,
         target_role AS role_arn,
         issued_key AS new_key,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid,
         row_number() OVER (PARTITION BY principal_key, target_role
                            ORDER BY eventtime, eventid) AS nth
  FROM   cloudtrail_logs
  WHERE  eventsource = 'sts.amazonaws.com'
    AND  eventname = 'AssumeRole'
    AND  errorcode IS NULL
    AND  useridentity.type IN ('IAMUser', 'AssumedRole', 'FederatedUser', 'Root')
    AND  useridentity.invokedby IS NULL
),
history AS (
  SELECT min(event_ts) AS begins
  FROM   cloudtrail_logs
),
firsts AS (
  SELECT assumed.*
  FROM   assumed
  CROSS  JOIN history
  WHERE  nth = 1
    AND  event_ts >= date_add('hour', :baseline_hours, begins)
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
uses AS (
  SELECT useridentity.accesskeyid AS used_key,
         count(*) AS calls
  FROM   cloudtrail_logs
  WHERE  useridentity.accesskeyid IN (SELECT new_key FROM firsts)
  GROUP  BY useridentity.accesskeyid
)
SELECT firsts.eventtime,
       firsts.principal_key AS actor,
       firsts.eventname AS action,
       firsts.role_arn AS resource,
       firsts.sourceipaddress,
       firsts.recipientaccountid,
       firsts.awsregion,
       firsts.eventid,
       firsts.chained,
       firsts.new_key AS issued_key,
       coalesce(uses.calls, 0) AS calls
FROM   firsts
LEFT   JOIN uses
  ON   uses.used_key = firsts.new_key
ORDER  BY firsts.eventtime, firsts.eventid

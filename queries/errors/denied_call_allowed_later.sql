-- title: Denied call that succeeds after a change of permissions
-- description: A principal was refused, somebody changed permissions, and the same call by the same
--   principal succeeded. That is how privileges are taken: try, grant oneself, try again.
-- hit: The first success after a refusal; `changes` are the changes of policies, groups and trust
--   in that account between the two, with who made them.
-- caveat: The change need not be what made the difference: the second call may ask for another
--   resource. Changes of resource policies (buckets, keys) and of the organization's policies are
--   not looked for.
-- severity: medium
-- attack: TA0004:T1098.003
-- attack: TA0004:T1548.005
-- service: IAM
-- param: without_change boolean = false -- also where no change lies between refusal and success
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
-- false_positive: an administrator helps a colleague who lacks a permission

WITH refused AS (
  SELECT DISTINCT principal_key, recipientaccountid, eventsource, eventname
  FROM   cloudtrail_logs
  WHERE  outcome = 'denied'
),
calls AS (
  SELECT made.eventtime,
         made.event_ts,
         made.principal_key,
         made.eventsource,
         made.eventname,
         made.outcome,
         made.sourceipaddress,
         made.recipientaccountid,
         made.awsregion,
         made.eventid,
         made.useragent,
         lag(made.outcome) OVER (PARTITION BY made.principal_key, made.recipientaccountid,
                                              made.eventsource, made.eventname
                                 ORDER BY made.event_ts, made.eventid) AS previous_outcome,
         lag(made.eventtime) OVER (PARTITION BY made.principal_key, made.recipientaccountid,
                                                made.eventsource, made.eventname
                                   ORDER BY made.event_ts, made.eventid) AS denied_at,
         lag(made.event_ts) OVER (PARTITION BY made.principal_key, made.recipientaccountid,
                                               made.eventsource, made.eventname
                                  ORDER BY made.event_ts, made.eventid) AS denied_ts
  FROM   cloudtrail_logs made
  JOIN   refused
    ON   refused.principal_key = made.principal_key
   AND   refused.recipientaccountid = made.recipientaccountid
   AND   refused.eventsource = made.eventsource
   AND   refused.eventname = made.eventname
  WHERE  made.outcome IN ('ok', 'denied')
),
permission_changes AS (
  SELECT event_ts,
         recipientaccountid,
         concat(eventname, ' by ', principal_key) AS change
  FROM   cloudtrail_logs
  WHERE  eventsource = 'iam.amazonaws.com'
    AND  outcome = 'ok'
    AND  eventname IN ('AttachUserPolicy', 'AttachRolePolicy', 'AttachGroupPolicy', 'PutUserPolicy',
                       'PutRolePolicy', 'PutGroupPolicy', 'CreatePolicyVersion',
                       'SetDefaultPolicyVersion', 'AddUserToGroup', 'UpdateAssumeRolePolicy',
                       'DetachUserPolicy', 'DetachRolePolicy', 'DetachGroupPolicy',
                       'DeleteUserPolicy', 'DeleteRolePolicy', 'DeleteGroupPolicy',
                       'DeleteUserPermissionsBoundary', 'DeleteRolePermissionsBoundary',
                       'PutUserPermissionsBoundary', 'PutRolePermissionsBoundary')
)
SELECT calls.eventtime,
       calls.principal_key AS actor,
       calls.eventname AS action,
       calls.eventsource AS resource,
       calls.sourceipaddress,
       calls.recipientaccountid,
       calls.awsregion,
       calls.eventid,
       calls.denied_at,
       array_join(array_sort(array_agg(DISTINCT permission_changes.change)), ', ') AS changes,
       calls.useragent
FROM   calls
LEFT   JOIN permission_changes
  ON   permission_changes.recipientaccountid = calls.recipientaccountid
 AND   permission_changes.event_ts BETWEEN calls.denied_ts AND calls.event_ts
WHERE  calls.outcome = 'ok'
  AND  calls.previous_outcome = 'denied'
  AND  (:without_change OR permission_changes.change IS NOT NULL)
  AND  (:since = '' OR calls.eventtime >= :since)
  AND  (:until = '' OR calls.eventtime <= :until)
GROUP  BY calls.eventtime, calls.principal_key, calls.eventname, calls.eventsource,
       calls.sourceipaddress, calls.recipientaccountid, calls.awsregion, calls.eventid,
       calls.denied_at, calls.useragent
ORDER  BY calls.eventtime, calls.eventid

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

WITH mixed AS (
  SELECT principal_key, recipientaccountid, eventsource, eventname
  FROM   cloudtrail_logs
  WHERE  outcome IN ('ok', 'denied')
  GROUP  BY principal_key, recipientaccountid, eventsource, eventname
  HAVING bool_or(outcome = 'denied') AND bool_or(outcome = 'ok')
),
sequences AS (
  SELECT made.event_ts,
         made.recipientaccountid,
         made.eventid,
         made.outcome,
         lag(made.outcome) OVER (PARTITION BY made.principal_key, made.recipientaccountid,
                                              made.eventsource, made.eventname
                                 ORDER BY made.event_ts, made.eventid) AS previous_outcome,
         lag(made.event_ts) OVER (PARTITION BY made.principal_key, made.recipientaccountid,
                                               made.eventsource, made.eventname
                                  ORDER BY made.event_ts, made.eventid) AS denied_ts
  FROM   cloudtrail_logs made
  JOIN   mixed
    ON   mixed.principal_key = made.principal_key
   AND   mixed.recipientaccountid = made.recipientaccountid
   AND   mixed.eventsource = made.eventsource
   AND   mixed.eventname = made.eventname
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
),
gains AS (
  SELECT sequences.eventid,
         sequences.recipientaccountid,
         sequences.denied_ts,
         array_join(array_sort(array_agg(DISTINCT permission_changes.change)), ', ') AS changes
  FROM   sequences
  LEFT   JOIN permission_changes
    ON   permission_changes.recipientaccountid = sequences.recipientaccountid
   AND   permission_changes.event_ts BETWEEN sequences.denied_ts AND sequences.event_ts
  WHERE  sequences.outcome = 'ok'
    AND  sequences.previous_outcome = 'denied'
    AND  (:without_change OR permission_changes.change IS NOT NULL)
  GROUP  BY sequences.eventid, sequences.recipientaccountid, sequences.denied_ts
)
SELECT logs.eventtime,
       logs.principal_key AS actor,
       logs.eventname AS action,
       logs.eventsource AS resource,
       logs.sourceipaddress,
       logs.recipientaccountid,
       logs.awsregion,
       logs.eventid,
       date_format(gains.denied_ts, '%Y-%m-%dT%H:%i:%sZ') AS denied_at,
       gains.changes,
       logs.useragent
FROM   cloudtrail_logs logs
JOIN   gains
  ON   gains.eventid = logs.eventid
 AND   gains.recipientaccountid = logs.recipientaccountid
WHERE  (:since = '' OR logs.eventtime >= :since)
  AND  (:until = '' OR logs.eventtime <= :until)
ORDER  BY logs.eventtime, logs.eventid

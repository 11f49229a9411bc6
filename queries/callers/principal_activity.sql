-- title: What a principal did
-- description: Every call of a user, role or service, in order: the first thing to read once a name
--   is suspected. For a role, give one session's name to follow a single one of its sessions.
-- hit: One call, made by that principal or with credentials that it was given as a role.
-- caveat: What it did through sessions of other roles stands under their names: follow the keys it
--   was issued with `trace_access_key`. Data events (objects, functions, tables) are there only
--   where the trail records them.
-- attack: TA0001:T1078.004
-- service: AWS CloudTrail
-- param: principal varchar -- the ARN of a user, role or session, as in LIKE
-- param: session varchar = '%' -- only sessions of this name, as in LIKE
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html

SELECT eventtime,
       principal_key,
       session_name,
       eventsource,
       eventname,
       outcome,
       errorcode,
       sourceipaddress,
       useragent,
       useridentity.accesskeyid AS access_key,
       awsregion,
       recipientaccountid,
       requestparameters,
       eventid
FROM   cloudtrail_logs
WHERE  (principal_key LIKE :principal OR useridentity.arn LIKE :principal)
  AND  coalesce(session_name, '') LIKE :session
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

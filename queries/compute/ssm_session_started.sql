-- title: Session on an instance through Systems Manager
-- description: Shell and port-forwarding sessions of Session Manager: who, onto which instance,
--   with what document, from when to when.
-- hit: A session that was opened, or tried; `minutes` is NULL where its end is not in the logs.
-- caveat: What was typed is not in CloudTrail, but in the session's log, if one was set up.
--   Sessions that end by themselves have no TerminateSession. Port forwarding shows in `document`.
-- severity: low
-- attack: TA0008:T1021.007
-- attack: TA0002:T1651
-- service: AWS Systems Manager
-- param: target varchar = '%' -- the instance, as in LIKE
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-auditing.html
-- false_positive: Administrators, whose daily way to a shell this is.

WITH ends AS (
  SELECT json_extract_scalar(requestparameters, '$.sessionId') AS session_id,
         recipientaccountid AS account,
         max(event_ts) FILTER (WHERE eventname = 'TerminateSession') AS ended,
         count_if(eventname = 'ResumeSession') AS resumed
  FROM   cloudtrail_logs
  WHERE  eventsource = 'ssm.amazonaws.com'
    AND  eventname IN ('TerminateSession', 'ResumeSession')
    AND  errorcode IS NULL
  GROUP  BY json_extract_scalar(requestparameters, '$.sessionId'), recipientaccountid
)
SELECT s.eventtime,
       s.principal_key AS actor,
       s.eventname AS action,
       json_extract_scalar(s.requestparameters, '$.target') AS resource,
       s.sourceipaddress,
       s.recipientaccountid,
       s.awsregion,
       s.eventid,
       s.outcome,
       s.errorcode,
       s.session_name,
       json_extract_scalar(s.responseelements, '$.sessionId') AS session_id,
       coalesce(json_extract_scalar(s.requestparameters, '$.documentName'),
                'SSM-SessionManagerRunShell') AS document,
       date_diff('minute', s.event_ts, e.ended) AS minutes,
       coalesce(e.resumed, 0) AS resumed,
       json_extract_scalar(s.requestparameters, '$.reason') AS reason,
       s.useragent
FROM   cloudtrail_logs s
LEFT   JOIN ends e
  ON   e.session_id = json_extract_scalar(s.responseelements, '$.sessionId')
  AND  e.account = s.recipientaccountid
WHERE  s.eventsource = 'ssm.amazonaws.com'
  AND  s.eventname = 'StartSession'
  AND  coalesce(json_extract_scalar(s.requestparameters, '$.target'), '') LIKE :target
  AND  (:since = '' OR s.eventtime >= :since)
  AND  (:until = '' OR s.eventtime <= :until)
ORDER  BY s.eventtime, s.eventid

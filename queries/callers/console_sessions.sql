-- title: Console sign-ins and what was done in them
-- description: Each successful sign-in to the console with the calls that its session made: how
--   many, how many changed something, from which addresses. Begins where `console_logins` ends.
-- hit: One sign-in; `changed` names the first ten calls of its session, by name, that changed
--   something.
-- caveat: Calls of IAM users and root are attached by the session's creation time, which is the
--   sign-in's. Those of roles by name and time: sign-ins of one session name within twelve hours
--   are not kept apart for certain. The console itself makes many reading calls that nobody asked
--   for.
-- attack: TA0001:T1078.004
-- service: AWS Management Console
-- param: who varchar = '%' -- only these principals, by ARN, as in LIKE
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html

WITH logins AS (
  SELECT eventtime,
         event_ts,
         useridentity.type AS identity_type,
         useridentity.arn AS arn,
         sourceipaddress,
         useragent,
         lower(json_extract_scalar(additionaleventdata, '$.MFAUsed')) AS mfa,
         recipientaccountid,
         eventid,
         lead(event_ts) OVER (PARTITION BY useridentity.arn
                              ORDER BY event_ts, eventid) AS next_login
  FROM   cloudtrail_logs
  WHERE  eventsource = 'signin.amazonaws.com'
    AND  eventname = 'ConsoleLogin'
    AND  outcome = 'ok'
),
calls AS (
  SELECT event_ts,
         eventtime,
         eventname,
         useridentity.arn AS arn,
         useridentity.type AS identity_type,
         replace(replace(useridentity.sessioncontext.attributes.creationdate, '-', ''), ':', '')
           AS session_began,
         sessioncredentialfromconsole = 'true' AS from_console,
         src_ip,
         outcome,
         is_write
  FROM   cloudtrail_logs
  WHERE  key_kind = 'temporary'
)
SELECT logins.eventtime,
       logins.arn AS who,
       logins.sourceipaddress,
       logins.useragent,
       logins.mfa,
       count(calls.eventtime) AS calls,
       count(calls.eventtime) FILTER (WHERE calls.is_write AND calls.outcome = 'ok') AS changes,
       count(calls.eventtime) FILTER (WHERE calls.outcome = 'denied') AS denied,
       count(DISTINCT calls.src_ip) AS addresses,
       max(calls.eventtime) AS last_call,
       array_join(slice(array_sort(array_agg(DISTINCT calls.eventname)
                                   FILTER (WHERE calls.is_write AND calls.outcome = 'ok')), 1, 10),
                  ', ') AS changed,
       logins.recipientaccountid,
       logins.eventid
FROM   logins
LEFT   JOIN calls
  ON   calls.arn = logins.arn
 AND   ((logins.identity_type <> 'AssumedRole'
         AND calls.session_began = replace(replace(logins.eventtime, '-', ''), ':', ''))
        OR (logins.identity_type = 'AssumedRole'
            AND calls.from_console
            AND calls.event_ts >= logins.event_ts
            AND calls.event_ts < coalesce(logins.next_login, logins.event_ts + INTERVAL '12' HOUR)))
WHERE  coalesce(logins.arn, '') LIKE :who
  AND  (:since = '' OR logins.eventtime >= :since)
  AND  (:until = '' OR logins.eventtime <= :until)
GROUP  BY logins.eventtime, logins.arn, logins.sourceipaddress, logins.useragent, logins.mfa,
       logins.recipientaccountid, logins.eventid
ORDER  BY logins.eventtime, logins.eventid

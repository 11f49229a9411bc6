-- title: Who touched a resource
-- description: Who else was there: for a bucket, key, instance, role or any other id or ARN, which
--   principals did what to it, how often, and with what outcome.
-- hit: One principal and API that named the resource in the record's resources, request or
--   response.
-- caveat: It is a search in text, and reads every row: give a whole id. Calls that reach a resource
--   without naming it (a list of all, a deletion of the stack around it) do not show; data events
--   only where the trail records them. For the events one by one see `entity_timeline`.
-- service: AWS CloudTrail
-- param: resource varchar -- an ARN, name or id, whole or a part of it
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

SELECT principal_key,
       eventsource,
       eventname,
       recipientaccountid,
       count(*) AS calls,
       count(*) FILTER (WHERE outcome = 'ok') AS ok,
       count(*) FILTER (WHERE outcome = 'denied') AS denied,
       bool_or(is_write) AS changes,
       count(DISTINCT src_ip) AS addresses,
       min(eventtime) AS first_seen,
       max(eventtime) AS last_seen
FROM   cloudtrail_logs
WHERE  (strpos(requestparameters, :resource) > 0
        OR strpos(responseelements, :resource) > 0
        OR any_match(resources, r -> strpos(r.arn, :resource) > 0))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY principal_key, eventsource, eventname, recipientaccountid
ORDER  BY changes DESC, calls DESC, principal_key, eventsource, eventname, recipientaccountid

-- title: People's changes outside working hours
-- description: Changes made by people (console, single sign-on, users' keys) at night or on
--   weekends, by person and day. Intruders keep their own hours.
-- hit: One person and day with changes outside the given hours.
-- caveat: The hours are UTC: shift them to where the people live, and mind daylight saving time.
--   Programs that use a person's key work at night too. On-call engineers do as well.
-- attack: TA0001:T1078.004
-- service: AWS CloudTrail
-- param: from_hour bigint = 6 -- where the working day begins, in UTC
-- param: to_hour bigint = 20 -- where it ends: the first hour that is outside, in UTC
-- param: weekends boolean = true -- whether Saturday and Sunday are outside altogether
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

SELECT substr(eventtime, 1, 10) AS day,
       date_format(event_ts, '%a') AS weekday,
       principal_key,
       session_name,
       recipientaccountid,
       count(*) AS changes,
       count(DISTINCT eventname) AS apis,
       count(DISTINCT src_ip) AS addresses,
       min(eventtime) AS first_seen,
       max(eventtime) AS last_seen,
       array_join(slice(array_sort(array_agg(DISTINCT eventname)), 1, 10), ', ') AS changed
FROM   cloudtrail_logs
WHERE  is_write
  AND  outcome = 'ok'
  AND  useridentity.invokedby IS NULL
  AND  src_ip IS NOT NULL
  AND  (useridentity.type IN ('IAMUser', 'Root', 'IdentityCenterUser')
        OR principal_key LIKE '%:role/aws-reserved/sso.amazonaws.com/%'
        OR sessioncredentialfromconsole = 'true')
  AND  (hour(event_ts) < :from_hour
        OR hour(event_ts) >= :to_hour
        OR (:weekends AND day_of_week(event_ts) >= 6))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY substr(eventtime, 1, 10), date_format(event_ts, '%a'), principal_key, session_name,
       recipientaccountid
ORDER  BY day, changes DESC, principal_key, session_name, recipientaccountid

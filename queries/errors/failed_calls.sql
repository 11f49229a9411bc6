-- title: Calls that were denied or failed
-- description: Failed calls by principal, API and error. Someone who does not know what a stolen
--   credential may do tries: many APIs denied to one principal in a short time.
-- hit: One principal, API and error, with how often and from how many addresses.
-- caveat: Some services answer errors to ordinary questions ("there is no such policy"); denied
--   calls are the telling ones. Why they were denied: `denials_explained`. A call whose signature
--   or key was wrong is in no log.
-- attack: TA0007:T1580
-- service: AWS CloudTrail
-- service: IAM
-- hit: One principal, API and error, with how often and from how many addresses.
-- caveat: Some services answer errors to ordinary questions ("there is no such policy"); denied
--   calls are the telling ones. Why they were denied: `denials_explained`. A call whose signature
--   or key was wrong is in no log.
-- attack: TA0007:T1580
-- service: AWS CloudTrail
-- service: IAM
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: principal varchar = '%' -- only principals that match, as in LIKE
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html

SELECT principal_key,
       eventsource,
       eventname,
       errorcode,
       count(*) AS calls,
       count(DISTINCT sourceipaddress) AS addresses,
       min(eventtime) AS first_seen,
       max(eventtime) AS last_seen
FROM   cloudtrail_logs
WHERE  errorcode IS NOT NULL
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
  AND  coalesce(principal_key, '') LIKE :principal
GROUP  BY principal_key, eventsource, eventname, errorcode
ORDER  BY calls DESC, principal_key, eventsource, eventname, errorcode

-- title: Calls that were denied or failed
-- description: Failed calls by principal, API and error. Someone who does not know what a stolen
--   credential may do tries: many APIs denied to one principal in a short time.
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

-- title: Calls that were denied or failed
-- description: Failed calls by principal, API and error. Someone who does not know what a stolen
--   credential may do tries: many APIs denied to one principal in a short time.
-- param: since varchar = '1970-01-01T00:00:00Z' -- earliest eventtime, inclusive
-- param: until varchar = '9999-12-31T23:59:59Z' -- latest eventtime, inclusive
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
  AND  eventtime BETWEEN :since AND :until
  AND  coalesce(principal_key, '') LIKE :principal
GROUP  BY principal_key, eventsource, eventname, errorcode
ORDER  BY calls DESC, principal_key, eventsource, eventname, errorcode

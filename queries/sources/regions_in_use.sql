-- title: Which regions are in use
-- description: Each account and region with how much was changed there, by how many, and when.
--   Regions with few callers, or with reading only, are where one would hide.
-- hit: One region of one account; the least used come first.
-- caveat: Global services log to us-east-1. The console and inventory tools read all regions by
--   themselves. A region without a row is quiet or not logged: see `coverage_by_day`.
-- attack: TA0005:T1535
-- service: AWS CloudTrail
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html

SELECT recipientaccountid,
       awsregion,
       count(*) AS calls,
       count(*) FILTER (WHERE is_write AND outcome = 'ok') AS changes,
       count(*) FILTER (WHERE outcome = 'denied') AS denied,
       count(DISTINCT principal_key) AS principals,
       count(DISTINCT eventsource) AS services,
       count(DISTINCT substr(eventtime, 1, 10)) AS days,
       min(eventtime) AS first_seen,
       max(eventtime) AS last_seen,
       array_join(slice(array_sort(array_agg(DISTINCT eventname)
                                   FILTER (WHERE is_write AND outcome = 'ok')), 1, 10),
                  ', ') AS changed
FROM   cloudtrail_logs
WHERE  coalesce(useridentity.type, 'AWSService') <> 'AWSService'
  AND  useridentity.invokedby IS NULL
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY recipientaccountid, awsregion
ORDER  BY recipientaccountid, changes, calls, awsregion

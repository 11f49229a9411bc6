-- title: Who called what most
-- description: The principals with the most calls, how many of them failed, from how many
--   addresses and when. A principal that is new or suddenly busy stands out.
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: top bigint = 50 -- how many principals

SELECT principal_key,
       count(*) AS calls,
       count(*) FILTER (WHERE outcome <> 'ok') AS failed,
       count(DISTINCT eventname) AS apis,
       count(DISTINCT sourceipaddress) AS addresses,
       min(eventtime) AS first_seen,
       max(eventtime) AS last_seen
FROM   cloudtrail_logs
WHERE  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY principal_key
ORDER  BY calls DESC, principal_key
LIMIT  :top

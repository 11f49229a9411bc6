-- title: Who called what most
-- description: The principals with the most calls, how many of them failed, from how many addresses
--   and when. A principal that is new or suddenly busy stands out.
-- hit: One principal; a role is one, whatever its sessions.
-- caveat: AWS's services and their roles call much and mean little: `caller_kinds` tells them
--   apart. Whoever calls little is at the bottom, and a careful intruder calls little.
-- service: AWS CloudTrail
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: top bigint = 50 -- how many principals
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html

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

-- title: First and last seen
-- description: For each principal, access key, address, client, region or API when it first and
--   last appears, and how often. Newest first: what came up during the incident is on top.
-- hit: One value of the chosen dimension.
-- caveat: First seen means first in these logs. Whether it is new, only logs from well before can
--   tell: `new_since` compares.
-- service: AWS CloudTrail
-- param: dimension varchar = 'principal' -- principal, session, key, address, client, region, event
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

WITH dimensions AS (
  SELECT CASE :dimension
           WHEN 'principal' THEN principal_key
           WHEN 'session' THEN useridentity.arn
           WHEN 'key' THEN useridentity.accesskeyid
           WHEN 'address' THEN sourceipaddress
           WHEN 'client' THEN useragent
           WHEN 'region' THEN awsregion
           WHEN 'event' THEN concat(service, ':', event_name_base)
         END AS value,
         eventtime,
         outcome,
         is_write,
         recipientaccountid
  FROM   cloudtrail_logs
  WHERE  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
)
SELECT value,
       min(eventtime) AS first_seen,
       max(eventtime) AS last_seen,
       count(*) AS calls,
       count(*) FILTER (WHERE is_write AND outcome = 'ok') AS changes,
       count(*) FILTER (WHERE outcome = 'denied') AS denied,
       count(DISTINCT substr(eventtime, 1, 10)) AS days,
       count(DISTINCT recipientaccountid) AS accounts
FROM   dimensions
WHERE  value IS NOT NULL
GROUP  BY value
ORDER  BY first_seen DESC, value

-- title: How far a key reached
-- description: All that was done with an access key and with every session that grew from it, three
--   generations down, by account, region and service: what has to be looked at, and how much of it.
-- hit: One service in one account and region that the key, or a session of it, called.
-- caveat: A session in an account whose logs are not here counts for nothing; `from_generation`
--   above zero needs the responses of AssumeRole and its kin in the logs. Data events are there
--   only where the trail records them. Console sessions are not followed.
-- attack: TA0001:T1078.004
-- attack: TA0005:T1550.001
-- service: AWS STS
-- service: AWS CloudTrail
-- param: key varchar -- the access key id to begin with, such as AKIAIOSFODNN7EXAMPLE
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html

WITH issued AS (
  SELECT DISTINCT useridentity.accesskeyid AS parent_key, issued_key
  FROM   cloudtrail_logs
  WHERE  issued_key IS NOT NULL
),
children AS (
  SELECT issued_key AS access_key
  FROM   issued
  WHERE  parent_key = :key
),
grandchildren AS (
  SELECT issued.issued_key AS access_key
  FROM   issued
  JOIN   children ON issued.parent_key = children.access_key
),
third AS (
  SELECT issued.issued_key AS access_key
  FROM   issued
  JOIN   grandchildren ON issued.parent_key = grandchildren.access_key
),
tree AS (
  SELECT access_key, min(generation) AS generation
  FROM   (SELECT 0 AS generation, :key AS access_key
          UNION ALL
          SELECT 1, access_key FROM children
          UNION ALL
          SELECT 2, access_key FROM grandchildren
          UNION ALL
          SELECT 3, access_key FROM third) all_keys
  GROUP  BY access_key
),
calls AS (
  SELECT tree.generation,
         logs.recipientaccountid,
         logs.awsregion,
         logs.service,
         logs.eventname,
         logs.outcome,
         logs.is_write,
         logs.eventtime,
         logs.principal_key,
         element_at(logs.resources, 1).arn AS resource
  FROM   cloudtrail_logs logs
  JOIN   tree ON tree.access_key = logs.useridentity.accesskeyid
  WHERE  (:since = '' OR logs.eventtime >= :since)
  AND  (:until = '' OR logs.eventtime <= :until)
)
SELECT recipientaccountid,
       awsregion,
       service,
       count(*) FILTER (WHERE is_write AND outcome = 'ok') AS changes,
       count(*) AS calls,
       count(*) FILTER (WHERE outcome = 'denied') AS denied,
       count(DISTINCT resource) AS resources,
       array_join(slice(array_sort(array_agg(DISTINCT eventname)
                                   FILTER (WHERE is_write AND outcome = 'ok')), 1, 10),
                  ', ') AS changed,
       array_join(slice(array_sort(array_agg(DISTINCT principal_key)), 1, 5), ', ')
         AS as_principals,
       min(generation) AS from_generation,
       max(generation) AS to_generation,
       min(eventtime) AS first_seen,
       max(eventtime) AS last_seen
FROM   calls
GROUP  BY recipientaccountid, awsregion, service
ORDER  BY changes DESC, calls DESC, recipientaccountid, awsregion, service

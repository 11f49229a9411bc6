-- title: Which resources a principal touched
-- description: The resources that records name by ARN, for one principal or address: buckets and
--   objects, keys, secrets, roles, functions, with how often each was read or changed. The list of
--   what may have been seen or spoiled.
-- hit: One resource with all that was done to it.
-- caveat: Only some services fill in the record's resources (S3, KMS, Secrets Manager, STS,
--   DynamoDB, Lambda's data events); EC2 and IAM do not: see `state_changes` for those. Objects are
--   there only where the trail records data events.
-- attack: TA0009:T1530
-- service: Amazon S3
-- service: AWS KMS
-- service: AWS Secrets Manager
-- param: principal varchar -- only principals that match, as in LIKE
-- param: address varchar = '%' -- only source IP addresses that match, as in LIKE
-- param: top bigint = 1000 -- how many resources
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

WITH uses AS (
  SELECT resource_arn,
         resource_type,
         owner,
         eventname,
         principal_key,
         count(*) AS calls,
         count(*) FILTER (WHERE is_write AND outcome = 'ok') AS changes,
         count(*) FILTER (WHERE outcome = 'denied') AS denied,
         min(eventtime) AS first_seen,
         max(eventtime) AS last_seen
  FROM   cloudtrail_logs
  CROSS  JOIN UNNEST(resources) AS touched (resource_arn, owner, resource_type)
  WHERE  resource_arn IS NOT NULL
    AND  coalesce(principal_key, '') LIKE :principal
    AND  coalesce(sourceipaddress, '') LIKE :address
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
  GROUP  BY resource_arn, resource_type, owner, eventname, principal_key
)
SELECT resource_arn AS resource,
       resource_type AS type,
       owner,
       sum(calls) AS calls,
       sum(changes) AS changes,
       sum(denied) AS denied,
       count(DISTINCT principal_key) AS principals,
       min(first_seen) AS first_seen,
       max(last_seen) AS last_seen,
       array_join(slice(array_sort(array_agg(DISTINCT eventname)), 1, 10), ', ') AS done
FROM   uses
GROUP  BY resource_arn, resource_type, owner
ORDER  BY changes DESC, calls DESC, resource, type, owner
LIMIT  :top

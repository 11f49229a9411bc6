-- title: Secrets read, by whom
-- description: Each secret of AWS Secrets Manager with who read it: how often, how often
--   refused, from where and when. Secrets that a compromised principal read must be changed.
-- hit: The principal got the secret's value `reads` times; `denied` counts attempts.
-- caveat: BatchGetSecretValue records a GetSecretValue for each secret it returns, and only
--   those are counted. Refused calls may not name the secret. Reads through the caching agent of
--   an application count once for many uses.
-- attack: TA0006:T1555.006
-- service: AWS Secrets Manager
-- param: principal varchar = '%' -- principal_key, as in LIKE
-- param: secret varchar = '%' -- name or ARN of the secret, as in LIKE
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/secretsmanager/latest/userguide/cloudtrail_log_entries.html

WITH reads AS (
  SELECT eventtime, principal_key, sourceipaddress, recipientaccountid, awsregion, outcome,
         regexp_replace(json_extract_scalar(requestparameters, '$.secretId'),
                        '^arn:.*:secret:(.*)-[A-Za-z0-9]{6}$', '$1') AS secret
  FROM   cloudtrail_logs
  WHERE  eventsource = 'secretsmanager.amazonaws.com'
    AND  eventname = 'GetSecretValue'
    AND  coalesce(principal_key, '') LIKE :principal
    AND  coalesce(json_extract_scalar(requestparameters, '$.secretId'), '') LIKE :secret
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
)
SELECT secret,
       principal_key,
       count(*) FILTER (WHERE outcome = 'ok') AS reads,
       count(*) FILTER (WHERE outcome = 'denied') AS denied,
       count(*) FILTER (WHERE outcome NOT IN ('ok', 'denied')) AS failed,
       array_join(array_agg(DISTINCT sourceipaddress ORDER BY sourceipaddress), ', ') AS addresses,
       recipientaccountid,
       awsregion,
       min(eventtime) AS first_seen,
       max(eventtime) AS last_seen
FROM   reads
GROUP  BY secret, principal_key, recipientaccountid, awsregion
ORDER  BY last_seen DESC, secret, principal_key, recipientaccountid, awsregion

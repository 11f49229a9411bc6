-- title: Secrets read in bulk
-- description: Hours in which one principal read many different secrets, was refused many, or
--   asked for a batch of them. Applications read the few they need; an intruder reads all.
-- hit: So many secrets were asked for in that hour; `read` of them were handed out.
-- caveat: Secrets of a batch are counted through the GetSecretValue that each gives. Hours begin
--   at the full hour. Infrastructure as code reads every secret it manages.
-- severity: high
-- attack: TA0006:T1555.006
-- service: AWS Secrets Manager
-- param: secrets bigint = 5 -- so many different secrets in an hour are many
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html
-- false_positive: Infrastructure as code; backup of secrets; applications that start and fetch
--   their secrets in a batch.

WITH reads AS (
  SELECT eventtime, event_ts, principal_key, eventname, sourceipaddress, recipientaccountid,
         awsregion, eventid, outcome,
         regexp_replace(json_extract_scalar(requestparameters, '$.secretId'),
                        '^arn:.*:secret:(.*)-[A-Za-z0-9]{6}$', '$1') AS secret
  FROM   cloudtrail_logs
  WHERE  eventsource = 'secretsmanager.amazonaws.com'
    AND  eventname IN ('GetSecretValue', 'BatchGetSecretValue')
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
)
SELECT min(eventtime) AS eventtime,
       principal_key AS actor,
       array_join(array_agg(DISTINCT eventname ORDER BY eventname), ', ') AS action,
       nullif(array_join(slice(array_agg(DISTINCT secret ORDER BY secret),
                               1, 10), ', '), '') AS resource,
       array_join(array_agg(DISTINCT sourceipaddress
                            ORDER BY sourceipaddress), ', ') AS sourceipaddress,
       recipientaccountid,
       awsregion,
       min_by(eventid, concat(eventtime, eventid)) AS eventid,
       count(DISTINCT secret) AS secrets,
       count_if(eventname = 'GetSecretValue' AND outcome = 'ok') AS read,
       count_if(outcome = 'denied') AS denied,
       count_if(eventname = 'BatchGetSecretValue') AS batches,
       max(eventtime) AS last_seen
FROM   reads
GROUP  BY principal_key, recipientaccountid, awsregion, date_trunc('hour', event_ts)
HAVING count(DISTINCT secret) >= :secrets
    OR count_if(outcome = 'denied') >= :secrets
    OR count_if(eventname = 'BatchGetSecretValue') > 0
ORDER  BY eventtime, eventid

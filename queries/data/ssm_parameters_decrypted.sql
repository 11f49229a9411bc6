-- title: Parameters read with decryption
-- description: Reads of Systems Manager parameters that asked for the plain text of secure
--   strings, by principal and hour, with how many and which.
-- hit: The principal was given, or asked for, those values in plain text; what it read must be
--   changed if it was compromised.
-- caveat: withDecryption is asked for by habit, also for parameters that are no secrets.
--   GetParametersByPath names the path, not what lay under it. Hours begin at the full hour.
-- severity: low
-- attack: TA0006:T1555.006
-- service: AWS Systems Manager
-- param: parameters bigint = 10 -- fewest different parameters or paths in an hour
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html
-- false_positive: Infrastructure as code and applications that read their configuration when
--   they start.

WITH reads AS (
  SELECT eventtime, event_ts, principal_key, eventname, sourceipaddress, recipientaccountid,
         awsregion, eventid, outcome,
         coalesce(CAST(json_extract(requestparameters, '$.names') AS array(varchar)),
                  ARRAY[coalesce(json_extract_scalar(requestparameters, '$.name'),
                                 json_extract_scalar(requestparameters, '$.path'))]) AS names
  FROM   cloudtrail_logs
  WHERE  eventsource = 'ssm.amazonaws.com'
    AND  eventname IN ('GetParameter', 'GetParameters', 'GetParametersByPath',
                       'GetParameterHistory')
    AND  json_extract_scalar(requestparameters, '$.withDecryption') = 'true'
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
)
SELECT min(eventtime) AS eventtime,
       principal_key AS actor,
       array_join(array_agg(DISTINCT eventname ORDER BY eventname), ', ') AS action,
       array_join(slice(array_agg(DISTINCT p.name ORDER BY p.name), 1, 10), ', ') AS resource,
       array_join(array_agg(DISTINCT sourceipaddress
                            ORDER BY sourceipaddress), ', ') AS sourceipaddress,
       recipientaccountid,
       awsregion,
       min_by(eventid, concat(eventtime, eventid)) AS eventid,
       count(DISTINCT p.name) AS parameters,
       count(DISTINCT eventid) AS calls,
       count(DISTINCT CASE WHEN outcome = 'denied' THEN p.name END) AS denied,
       max(eventtime) AS last_seen
FROM   reads
CROSS  JOIN UNNEST(names) AS p(name)
GROUP  BY principal_key, recipientaccountid, awsregion, date_trunc('hour', event_ts)
HAVING count(DISTINCT p.name) >= :parameters
ORDER  BY eventtime, eventid

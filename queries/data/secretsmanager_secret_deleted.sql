-- title: Secret deleted without time to recover
-- description: Secrets deleted by force or with the shortest time to recover. Applications that
--   need them fail, and a value that an intruder has copied may be the last one.
-- hit: The secret is gone, or will be in `recovery_days` days; or somebody tried to bring that
--   about.
-- caveat: RestoreSecret undoes a deletion within its window; by force it cannot be undone.
-- severity: medium
-- attack: TA0040:T1485
-- attack: TA0040:T1531
-- service: AWS Secrets Manager
-- param: days bigint = 7 -- a window of so many days or fewer is short
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html
-- false_positive: Stacks torn down by infrastructure as code, which deletes by force.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       json_extract_scalar(requestparameters, '$.secretId') AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       CASE WHEN json_extract_scalar(requestparameters, '$.forceDeleteWithoutRecovery') = 'true'
         THEN 0
            ELSE CAST(json_extract_scalar(requestparameters, '$.recoveryWindowInDays') AS bigint)
       END AS recovery_days,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 'secretsmanager.amazonaws.com'
  AND  eventname = 'DeleteSecret'
  AND  (json_extract_scalar(requestparameters, '$.forceDeleteWithoutRecovery') = 'true'
        OR CAST(json_extract_scalar(requestparameters, '$.recoveryWindowInDays') AS bigint)
             <= :days)
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

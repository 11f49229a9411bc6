-- title: Log groups deleted or cut short
-- description: CloudWatch log groups and streams deleted, retention set to few days, and
--   subscriptions removed that carry logs to another account or a SIEM.
-- hit: Logs are gone, will be soon, or no longer reach those who watch them; or somebody tried
--   to bring that about.
-- caveat: Retention that is set on a new group is usual; look whether the group held data.
--   Denied calls come without parameters. What was in the logs cannot be told from CloudTrail.
-- severity: medium
-- attack: TA0005:T1562.008
-- attack: TA0005:T1070
-- service: Amazon CloudWatch Logs
-- param: days bigint = 7 -- retention of so many days or fewer is a hit
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteLogGroup.html
-- false_positive: Stacks torn down; short retention chosen to save cost.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.logGroupName'),
                json_extract_scalar(requestparameters, '$.logGroupIdentifier')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       json_extract_scalar(requestparameters, '$.logStreamName') AS log_stream,
       json_extract_scalar(requestparameters, '$.retentionInDays') AS retention_days,
       json_extract_scalar(requestparameters, '$.filterName') AS subscription,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 'logs.amazonaws.com'
  AND  (eventname IN ('DeleteLogGroup', 'DeleteLogStream', 'DeleteSubscriptionFilter',
                      'DeleteAccountPolicy', 'DeleteDestination')
        OR (eventname = 'PutRetentionPolicy'
            AND CAST(json_extract_scalar(requestparameters, '$.retentionInDays') AS bigint)
                  <= :days))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

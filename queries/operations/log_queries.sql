-- title: Who searched the logs, and where the results went
-- description: Queries over logs with Athena, CloudTrail Lake, CloudWatch Logs and the event
--   history, with the place their results were written to. An intruder who reads the logs learns
--   what is seen, and a place for results outside of the account carries data away.
-- hit: One query, or one reading of results.
-- caveat: Athena's query text is mostly hidden by AWS, so one cannot see that it was over logs:
--   `about` has the database or log group. Reading log files straight from the bucket shows as data
--   events of S3.
-- attack: TA0007:T1654
-- attack: TA0009:T1530
-- service: Amazon Athena
-- service: AWS CloudTrail
-- service: Amazon CloudWatch Logs
-- param: principal varchar = '%' -- only principals that match, as in LIKE
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/athena/latest/ug/monitor-with-cloudtrail.html
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/query-lake-cli.html

SELECT eventtime,
       principal_key,
       session_name,
       service,
       eventname,
       outcome,
       coalesce(json_extract_scalar(requestparameters, '$.queryExecutionContext.database'),
                json_extract_scalar(requestparameters, '$.eventDataStore'),
                json_extract_scalar(requestparameters, '$.logGroupName'),
                json_extract_scalar(requestparameters, '$.logGroupIdentifier'),
                json_extract_scalar(requestparameters, '$.logGroupNames[0]'),
                json_extract_scalar(requestparameters, '$.lookupAttributes[0].attributeValue'))
         AS about,
       coalesce(json_extract_scalar(requestparameters, '$.queryString'),
                json_extract_scalar(requestparameters, '$.queryStatement'),
                json_extract_scalar(requestparameters, '$.filterPattern')) AS text,
       coalesce(json_extract_scalar(requestparameters, '$.resultConfiguration.outputLocation'),
                json_extract_scalar(requestparameters, '$.deliveryS3Uri')) AS results_to,
       json_extract_scalar(requestparameters, '$.workGroup') AS workgroup,
       coalesce(json_extract_scalar(responseelements, '$.queryExecutionId'),
                json_extract_scalar(requestparameters, '$.queryExecutionId'),
                json_extract_scalar(responseelements, '$.queryId'),
                json_extract_scalar(requestparameters, '$.queryId')) AS query_id,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid
FROM   cloudtrail_logs
WHERE  ((eventsource = 'athena.amazonaws.com'
         AND eventname IN ('StartQueryExecution', 'GetQueryResults', 'GetQueryResultsStream'))
        OR (eventsource = 'cloudtrail.amazonaws.com'
            AND eventname IN ('StartQuery', 'GetQueryResults', 'LookupEvents'))
        OR (eventsource = 'logs.amazonaws.com'
            AND eventname IN ('StartQuery', 'GetQueryResults', 'FilterLogEvents', 'GetLogEvents',
                              'CreateExportTask', 'StartLiveTail')))
  AND  useridentity.invokedby IS NULL
  AND  coalesce(principal_key, '') LIKE :principal
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

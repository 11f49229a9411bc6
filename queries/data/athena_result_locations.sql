-- title: Where Athena results went
-- description: Athena queries by principal, workgroup and the place their results were written
--   to, with changes of workgroups' places and reads of results. With Athena, data of a lake
--   leaves in one query.
-- hit: Results of `queries` queries lie at `location`. A location in a bucket that nobody knows
--   is the finding.
-- caveat: The text of queries is hidden in CloudTrail. Where no location is given the
--   workgroup's own holds, and `location` is NULL. UNLOAD may write elsewhere, and results may be
--   fetched from S3 directly.
-- attack: TA0009:T1530
-- attack: TA0010:T1537
-- service: Amazon Athena
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/athena/latest/ug/monitor-with-cloudtrail.html

SELECT principal_key,
       coalesce(json_extract_scalar(requestparameters, '$.workGroup'),
                json_extract_scalar(requestparameters, '$.name'), 'primary') AS workgroup,
       coalesce(json_extract_scalar(requestparameters, '$.resultConfiguration.outputLocation'),
                json_extract_scalar(requestparameters,
                                    '$.configuration.resultConfiguration.outputLocation'),
                json_extract_scalar(requestparameters,
                                    '$.configurationUpdates.resultConfigurationUpdates.outputLocation')) AS location,
       count_if(eventname = 'StartQueryExecution') AS queries,
       count_if(eventname IN ('CreateWorkGroup', 'UpdateWorkGroup')) AS workgroup_changes,
       count_if(outcome <> 'ok') AS failed,
       array_join(array_agg(DISTINCT json_extract_scalar(requestparameters,
                                                         '$.queryExecutionContext.database')
                  ORDER BY json_extract_scalar(requestparameters,
                                               '$.queryExecutionContext.database')),
                                               ', ') AS databases,
       array_join(array_agg(DISTINCT sourceipaddress ORDER BY sourceipaddress), ', ') AS addresses,
       min(eventtime) AS first_seen,
       max(eventtime) AS last_seen
FROM   cloudtrail_logs
WHERE  eventsource = 'athena.amazonaws.com'
  AND  eventname IN ('StartQueryExecution', 'CreateWorkGroup', 'UpdateWorkGroup')
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY 1, 2, 3
ORDER  BY queries DESC, principal_key, workgroup, location

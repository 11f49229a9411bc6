-- title: Trail stopped, deleted or weakened
-- description: Calls that end or reduce what CloudTrail records: logging stopped, a trail or
--   event data store deleted, a trail cut to one region, without global services, without digests,
--   or moved to another bucket or key.
-- hit: Somebody ended or reduced recording, or tried to; `change` says how. Failed attempts
--   count: they show intent.
-- caveat: An UpdateTrail that only repeats what already held gives a row too, as the record does
--   not carry the earlier state; infrastructure as code does that. Denied calls often come without
--   parameters. No row does not mean that recording was whole: a trail in another account may have
--   been stopped, and nothing after the stop is in this log.
-- severity: high
-- attack: TA0005:T1562.008
-- service: AWS CloudTrail
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_UpdateTrail.html
-- false_positive: Administrators who move a trail to an organization trail; infrastructure as
--   code that sets every field again.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.name'),
                json_extract_scalar(requestparameters, '$.eventDataStore')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       CASE eventname
            WHEN 'StopLogging' THEN 'logging stopped'
            WHEN 'DeleteTrail' THEN 'trail deleted'
            WHEN 'DeleteEventDataStore' THEN 'event data store deleted'
            WHEN 'StopEventDataStoreIngestion' THEN 'ingestion stopped'
            WHEN 'UpdateEventDataStore' THEN 'termination protection off'
            ELSE concat_ws(', ',
                 CASE WHEN requestparameters IS NULL THEN 'parameters not recorded' END,
                 CASE WHEN regexp_like(requestparameters, '"isMultiRegionTrail"\s*:\s*false')
                      THEN 'one region only' END,
                 CASE
                   WHEN regexp_like(requestparameters, '"includeGlobalServiceEvents"\s*:\s*false')
                      THEN 'no global services' END,
                 CASE WHEN regexp_like(requestparameters, '"enableLogFileValidation"\s*:\s*false')
                      THEN 'no digest files' END,
                 CASE WHEN regexp_like(requestparameters, '"isOrganizationTrail"\s*:\s*false')
                      THEN 'no organization trail' END,
                 CASE WHEN regexp_like(requestparameters, '"cloudWatchLogsLogGroupArn"\s*:\s*""')
                      THEN 'no CloudWatch Logs' END,
                 concat('bucket ', json_extract_scalar(requestparameters, '$.s3BucketName')),
                 concat('key ', json_extract_scalar(requestparameters, '$.kmsKeyId')))
       END AS change,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 'cloudtrail.amazonaws.com'
  AND  (eventname IN ('StopLogging', 'DeleteTrail', 'DeleteEventDataStore',
                      'StopEventDataStoreIngestion')
        OR (eventname = 'UpdateEventDataStore'
            AND json_extract_scalar(requestparameters, '$.terminationProtectionEnabled') = 'false')
        OR (eventname = 'UpdateTrail'
            AND (requestparameters IS NULL
                 OR regexp_like(requestparameters,
                      '"(isMultiRegionTrail|includeGlobalServiceEvents|enableLogFileValidation|isOrganizationTrail)"\s*:\s*false')
                 OR json_extract_scalar(requestparameters, '$.cloudWatchLogsLogGroupArn') = ''
                 OR json_extract_scalar(requestparameters, '$.s3BucketName') IS NOT NULL
                 OR json_extract_scalar(requestparameters, '$.kmsKeyId') IS NOT NULL)))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

-- title: Data Pipeline defined and activated
-- description: A pipeline runs commands on an instance with the roles that its definition names.
--   The service is closed to new customers, so its use is rare.
-- hit: The caller wrote the definition of `resource` and activated it at `activated_at`: what it
--   says runs with the roles it names.
-- caveat: The definition is in `objects` only as far as CloudTrail keeps it.
-- severity: medium
-- attack: TA0004:T1548.005
-- service: AWS Data Pipeline
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: minutes bigint = 60 -- within how many minutes the steps must follow
-- reference: https://docs.aws.amazon.com/datapipeline/latest/APIReference/API_PutPipelineDefinition.html
-- reference: https://pathfinding.cloud/paths/datapipeline-001
-- false_positive: Accounts that still run pipelines.

WITH calls AS (
  SELECT eventtime,
         event_ts,
         principal_key,
         eventname,
         json_extract_scalar(requestparameters, '$.pipelineId') AS pipeline,
         json_format(json_extract(requestparameters, '$.pipelineObjects')) AS objects,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  eventsource = 'datapipeline.amazonaws.com'
    AND  eventname IN ('PutPipelineDefinition', 'ActivatePipeline')
    AND  errorcode IS NULL
)
SELECT defined.eventtime,
       defined.principal_key AS actor,
       defined.eventname AS action,
       defined.pipeline AS resource,
       defined.sourceipaddress,
       defined.recipientaccountid,
       defined.awsregion,
       defined.eventid,
       min(activated.eventtime) AS activated_at,
       defined.objects
FROM   calls AS defined
JOIN   calls AS activated
  ON   activated.eventname = 'ActivatePipeline'
 AND   activated.pipeline = defined.pipeline
 AND   activated.principal_key = defined.principal_key
 AND   activated.event_ts >= defined.event_ts
 AND   activated.event_ts <= date_add('minute', :minutes, defined.event_ts)
WHERE  defined.eventname = 'PutPipelineDefinition'
  AND  (:since = '' OR defined.eventtime >= :since)
  AND  (:until = '' OR defined.eventtime <= :until)
GROUP  BY 1, 2, 3, 4, 5, 6, 7, 8, 10
ORDER  BY defined.eventtime, defined.eventid

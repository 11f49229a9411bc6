-- title: Start script of a notebook instance changed
-- description: A lifecycle configuration is a script that runs as root when a notebook starts.
--   Attaching one, or changing it, and restarting the notebook runs code with its role without
--   ever opening it.
-- hit: `resource` (a configuration or a notebook) was changed; `started_at` is when the same
--   caller then started a notebook.
-- caveat: The script is in the request only as base64, and may be left out.
-- severity: medium
-- attack: TA0004:T1548.005
-- attack: TA0003:T1037
-- service: Amazon SageMaker AI
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: minutes bigint = 60 -- within how many minutes the steps must follow
-- reference: https://docs.aws.amazon.com/sagemaker/latest/dg/notebook-lifecycle-config.html
-- reference: https://pathfinding.cloud/paths/sagemaker-005
-- false_positive: Platform teams that install packages on notebooks this way.

WITH calls AS (
  SELECT eventtime,
         event_ts,
         principal_key,
         eventname,
         coalesce(json_extract_scalar(requestparameters, '$.notebookInstanceName'),
                  json_extract_scalar(requestparameters,
                                      '$.notebookInstanceLifecycleConfigName')) AS name,
         json_extract_scalar(requestparameters, '$.lifecycleConfigName') AS configuration,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  eventsource = 'sagemaker.amazonaws.com'
    AND  eventname IN ('CreateNotebookInstanceLifecycleConfig',
                       'UpdateNotebookInstanceLifecycleConfig', 'UpdateNotebookInstance',
                       'StartNotebookInstance')
    AND  errorcode IS NULL
)
SELECT changed.eventtime,
       changed.principal_key AS actor,
       changed.eventname AS action,
       changed.name AS resource,
       changed.sourceipaddress,
       changed.recipientaccountid,
       changed.awsregion,
       changed.eventid,
       changed.configuration,
       min_by(started.name, started.eventtime) AS started_notebook,
       min(started.eventtime) AS started_at
FROM   calls AS changed
LEFT   JOIN calls AS started
  ON   started.eventname = 'StartNotebookInstance'
 AND   started.principal_key = changed.principal_key
 AND   started.recipientaccountid = changed.recipientaccountid
 AND   started.awsregion = changed.awsregion
 AND   started.event_ts >= changed.event_ts
 AND   started.event_ts <= date_add('minute', :minutes, changed.event_ts)
WHERE  (changed.eventname LIKE '%LifecycleConfig'
        OR (changed.eventname = 'UpdateNotebookInstance'
            AND changed.configuration IS NOT NULL))
  AND  (:since = '' OR changed.eventtime >= :since)
  AND  (:until = '' OR changed.eventtime <= :until)
GROUP  BY 1, 2, 3, 4, 5, 6, 7, 8, 9
ORDER  BY changed.eventtime, changed.eventid

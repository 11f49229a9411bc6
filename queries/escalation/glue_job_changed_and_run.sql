-- title: Glue job written and run by the same caller
-- description: A job runs a script from S3 with the job's role. Making a job needs a role to
--   pass; changing the script of an existing one, or its role, and running it may need much less.
-- hit: `resource` was created or changed, and started at `run_at` by the same caller (or given a
--   trigger). `script` is what runs.
-- caveat: A script replaced in its bucket changes the job without any event of Glue.
-- severity: medium
-- attack: TA0004:T1548.005
-- service: AWS Glue
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: minutes bigint = 60 -- within how many minutes the steps must follow
-- reference: https://docs.aws.amazon.com/glue/latest/webapi/API_CreateJob.html
-- reference: https://pathfinding.cloud/paths/glue-003
-- reference: https://pathfinding.cloud/paths/glue-005
-- false_positive: Data engineers at work on a job.

WITH calls AS (
  SELECT eventtime,
         event_ts,
         principal_key,
         eventname,
         coalesce(json_extract_scalar(requestparameters, '$.jobName'),
                  json_extract_scalar(requestparameters, '$.actions[0].jobName'),
                  json_extract_scalar(requestparameters, '$.name')) AS job,
         coalesce(json_extract_scalar(requestparameters, '$.role'),
                  json_extract_scalar(requestparameters, '$.jobUpdate.role')) AS role,
         coalesce(json_extract_scalar(requestparameters, '$.command.scriptLocation'),
                  json_extract_scalar(requestparameters, '$.jobUpdate.command.scriptLocation'))
           AS script,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  eventsource = 'glue.amazonaws.com'
    AND  eventname IN ('CreateJob', 'UpdateJob', 'StartJobRun', 'CreateTrigger')
    AND  errorcode IS NULL
)
SELECT changed.eventtime,
       changed.principal_key AS actor,
       changed.eventname AS action,
       changed.job AS resource,
       changed.sourceipaddress,
       changed.recipientaccountid,
       changed.awsregion,
       changed.eventid,
       changed.role,
       changed.script,
       min_by(run.eventname, run.eventtime) AS run_by,
       min(run.eventtime) AS run_at
FROM   calls AS changed
JOIN   calls AS run
  ON   run.eventname IN ('StartJobRun', 'CreateTrigger')
 AND   run.job = changed.job
 AND   run.principal_key = changed.principal_key
 AND   run.recipientaccountid = changed.recipientaccountid
 AND   run.event_ts >= changed.event_ts
 AND   run.event_ts <= date_add('minute', :minutes, changed.event_ts)
WHERE  changed.eventname IN ('CreateJob', 'UpdateJob')
  AND  (:since = '' OR changed.eventtime >= :since)
  AND  (:until = '' OR changed.eventtime <= :until)
GROUP  BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
ORDER  BY changed.eventtime, changed.eventid

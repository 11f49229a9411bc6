-- title: Build started with its commands, source, image or role overridden
-- description: StartBuild may replace what a project builds for this one run. Whoever may start a
--   build can thus run commands with the project's role, and see its secrets.
-- hit: `overridden` names what the caller replaced in `resource` for that build.
-- caveat: Environment variables are overridden in ordinary pipelines too; they count only with
--   `variables = true`. The log of the build shows what ran.
-- severity: medium
-- attack: TA0004:T1548.005
-- service: AWS CodeBuild
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: variables boolean = false -- also builds that override environment variables only
-- reference: https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html
-- reference: https://pathfinding.cloud/paths/codebuild-004
-- false_positive: Pipelines that keep buildspecs outside the project.

WITH builds AS (
  SELECT eventtime,
         principal_key,
         eventname,
         json_extract_scalar(requestparameters, '$.projectName') AS project,
         array_join(ARRAY[
           CASE WHEN json_extract_scalar(requestparameters, '$.buildspecOverride') IS NOT NULL
                THEN 'buildspec' END,
           CASE WHEN coalesce(json_extract_scalar(requestparameters, '$.sourceLocationOverride'),
                              json_extract_scalar(requestparameters, '$.sourceTypeOverride'))
                     IS NOT NULL
                THEN 'source' END,
           CASE WHEN json_extract_scalar(requestparameters, '$.imageOverride') IS NOT NULL
                THEN 'image' END,
           CASE WHEN json_extract_scalar(requestparameters, '$.serviceRoleOverride') IS NOT NULL
                THEN 'role' END,
           CASE WHEN json_extract_scalar(requestparameters, '$.debugSessionEnabled') = 'true'
                THEN 'debug session' END,
           CASE WHEN :variables
                     AND json_extract(requestparameters, '$.environmentVariablesOverride')
                         IS NOT NULL
                THEN 'variables' END], ', ') AS overridden,
         json_extract_scalar(requestparameters, '$.buildspecOverride') AS buildspec,
         coalesce(json_extract_scalar(requestparameters, '$.serviceRoleOverride'),
                  json_extract_scalar(responseelements, '$.build.serviceRole'),
                  json_extract_scalar(responseelements, '$.buildBatch.serviceRole')) AS role,
         outcome,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  eventsource = 'codebuild.amazonaws.com'
    AND  eventname IN ('StartBuild', 'StartBuildBatch', 'RetryBuild')
    AND  outcome IN ('ok', 'denied')
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
)
SELECT builds.eventtime,
       builds.principal_key AS actor,
       builds.eventname AS action,
       builds.project AS resource,
       builds.sourceipaddress,
       builds.recipientaccountid,
       builds.awsregion,
       builds.eventid,
       builds.outcome,
       builds.overridden,
       builds.role,
       builds.buildspec
FROM   builds
WHERE  builds.overridden <> ''
ORDER  BY builds.eventtime, builds.eventid

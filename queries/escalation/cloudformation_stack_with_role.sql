-- title: Stack run with a role, and what the role changed in IAM
-- description: A stack that is given a role acts with that role's rights, not the caller's.
--   Whoever may pass a strong role can write a template that makes an administrator.
-- hit: `resource` was created or changed with `role`. `iam_changes` lists what that role then
--   changed in IAM through CloudFormation, within the hour.
-- caveat: Stacks remember their role: an update without one in the request still uses it. `role`
--   is then empty and gives no row. The template is not in the log.
-- severity: medium
-- attack: TA0004:T1548.005
-- service: AWS CloudFormation
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: minutes bigint = 60 -- within how many minutes the steps must follow
-- reference: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html
-- reference: https://pathfinding.cloud/paths/cloudformation-001
-- false_positive: Pipelines that deploy with a service role, as is recommended.

WITH stacks AS (
  SELECT eventtime,
         event_ts,
         principal_key,
         eventname,
         coalesce(json_extract_scalar(requestparameters, '$.stackName'),
                  json_extract_scalar(requestparameters, '$.stackSetName')) AS stack,
         coalesce(json_extract_scalar(requestparameters, '$.roleARN'),
                  json_extract_scalar(requestparameters, '$.administrationRoleARN')) AS role,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  eventsource = 'cloudformation.amazonaws.com'
    AND  eventname IN ('CreateStack', 'UpdateStack', 'CreateChangeSet', 'CreateStackSet',
                       'UpdateStackSet', 'CreateStackInstances')
    AND  errorcode IS NULL
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
effects AS (
  SELECT event_ts,
         eventname,
         principal_key
  FROM   cloudtrail_logs
  WHERE  eventsource = 'iam.amazonaws.com'
    AND  readonly = 'false'
    AND  errorcode IS NULL
    AND  useridentity.invokedby = 'cloudformation.amazonaws.com'
)
SELECT stacks.eventtime,
       stacks.principal_key AS actor,
       stacks.eventname AS action,
       stacks.stack AS resource,
       stacks.sourceipaddress,
       stacks.recipientaccountid,
       stacks.awsregion,
       stacks.eventid,
       stacks.role,
       count(effects.eventname) AS iam_calls,
       array_agg(DISTINCT effects.eventname ORDER BY effects.eventname)
         FILTER (WHERE effects.eventname IS NOT NULL) AS iam_changes
FROM   stacks
LEFT   JOIN effects
  ON   effects.principal_key = stacks.role
 AND   effects.event_ts >= stacks.event_ts
 AND   effects.event_ts <= date_add('minute', :minutes, stacks.event_ts)
WHERE  stacks.role IS NOT NULL
GROUP  BY 1, 2, 3, 4, 5, 6, 7, 8, 9
ORDER  BY stacks.eventtime, stacks.eventid

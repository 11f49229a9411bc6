-- title: User data of an instance replaced
-- description: User data runs as root at boot. Whoever may stop an instance, replace its user
--   data and start it again runs code there with the instance's role, and keeps doing so at every
--   boot if it says so.
-- hit: The script of `resource` was replaced. With `stopped_at` before and `started_at` after it
--   by the same caller, it has run.
-- caveat: CloudTrail hides the new user data; DescribeInstanceAttribute shows it as long as the
--   instance is there.
-- severity: high
-- attack: TA0004:T1037
-- attack: TA0003:T1037
-- service: Amazon EC2
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: minutes bigint = 60 -- within how many minutes the steps must follow
-- reference: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html
-- reference: https://pathfinding.cloud/paths/ec2-002
-- false_positive: Administrators who repair an instance that does not boot.

WITH calls AS (
  SELECT eventtime,
         event_ts,
         principal_key,
         eventname,
         coalesce(json_extract_scalar(requestparameters, '$.instanceId'),
                  regexp_extract(json_format(json_extract(requestparameters, '$.instancesSet')),
                                 'i-[0-9a-f]+')) AS instance,
         json_format(json_extract(requestparameters, '$.instancesSet')) AS instances,
         coalesce(json_extract_scalar(requestparameters, '$.userData'),
                  json_extract_scalar(requestparameters, '$.userData.value'),
                  CASE WHEN json_extract_scalar(requestparameters, '$.attribute') = 'userData'
                       THEN 'hidden'
                  END) IS NOT NULL AS user_data,
         outcome,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  eventsource = 'ec2.amazonaws.com'
    AND  eventname IN ('ModifyInstanceAttribute', 'StopInstances', 'StartInstances')
    AND  outcome IN ('ok', 'denied')
)
SELECT replaced.eventtime,
       replaced.principal_key AS actor,
       replaced.eventname AS action,
       replaced.instance AS resource,
       replaced.sourceipaddress,
       replaced.recipientaccountid,
       replaced.awsregion,
       replaced.eventid,
       replaced.outcome,
       max(around.eventtime) FILTER (WHERE around.eventname = 'StopInstances') AS stopped_at,
       min(around.eventtime) FILTER (WHERE around.eventname = 'StartInstances') AS started_at
FROM   calls AS replaced
LEFT   JOIN calls AS around
  ON   around.principal_key = replaced.principal_key
 AND   around.outcome = 'ok'
 AND   strpos(around.instances, replaced.instance) > 0
 AND   ((around.eventname = 'StopInstances'
         AND around.event_ts <= replaced.event_ts
         AND around.event_ts >= date_add('minute', - :minutes, replaced.event_ts))
        OR (around.eventname = 'StartInstances'
            AND around.event_ts >= replaced.event_ts
            AND around.event_ts <= date_add('minute', :minutes, replaced.event_ts)))
WHERE  replaced.eventname = 'ModifyInstanceAttribute'
  AND  replaced.user_data
  AND  (:since = '' OR replaced.eventtime >= :since)
  AND  (:until = '' OR replaced.eventtime <= :until)
GROUP  BY 1, 2, 3, 4, 5, 6, 7, 8, 9
ORDER  BY replaced.eventtime, replaced.eventid

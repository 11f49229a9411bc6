-- title: Launch template given another version
-- description: Auto Scaling and fleets start whatever the template's default or latest version
--   says: another image, other user data, another profile. Changing it puts code on hosts one
--   could not launch oneself.
-- hit: `resource` got a version, or another default. `made_default_at` follows within the hour by
--   the same caller: the next instance is the caller's.
-- caveat: Groups that follow the latest version need no new default. User data is hidden;
--   `user_data` says only that the version has some.
-- severity: low
-- attack: TA0004:T1548.005
-- attack: TA0003:T1525
-- service: Amazon EC2
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: minutes bigint = 60 -- within how many minutes the steps must follow
-- reference: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplateVersion.html
-- reference: https://pathfinding.cloud/paths/ec2-004
-- false_positive: Every roll-out of a new image makes a version.

WITH calls AS (
  SELECT eventtime,
         event_ts,
         principal_key,
         eventname,
         coalesce(json_extract_scalar(requestparameters,
                                      '$.CreateLaunchTemplateVersionRequest.LaunchTemplateId'),
                  json_extract_scalar(requestparameters,
                                      '$.ModifyLaunchTemplateRequest.LaunchTemplateId'),
                  json_extract_scalar(requestparameters,
                                      '$.CreateLaunchTemplateVersionRequest.LaunchTemplateName'),
                  json_extract_scalar(requestparameters,
                                      '$.ModifyLaunchTemplateRequest.LaunchTemplateName'))
           AS template,
         coalesce(json_extract_scalar(responseelements,
                    '$.CreateLaunchTemplateVersionResponse.launchTemplateVersion.versionNumber'),
                  json_extract_scalar(requestparameters,
                                      '$.ModifyLaunchTemplateRequest.SetDefaultVersion'),
                  json_extract_scalar(requestparameters,
                                      '$.ModifyLaunchTemplateRequest.DefaultVersion')) AS version,
         json_extract(requestparameters,
                      '$.CreateLaunchTemplateVersionRequest.LaunchTemplateData') AS data,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  eventsource = 'ec2.amazonaws.com'
    AND  eventname IN ('CreateLaunchTemplateVersion', 'ModifyLaunchTemplate')
    AND  errorcode IS NULL
    AND  useridentity.invokedby IS NULL
)
SELECT changed.eventtime,
       changed.principal_key AS actor,
       changed.eventname AS action,
       changed.template AS resource,
       changed.sourceipaddress,
       changed.recipientaccountid,
       changed.awsregion,
       changed.eventid,
       changed.version,
       coalesce(json_extract_scalar(changed.data, '$.IamInstanceProfile.Name'),
                json_extract_scalar(changed.data, '$.IamInstanceProfile.Arn')) AS profile,
       json_extract_scalar(changed.data, '$.ImageId') AS image,
       json_extract(changed.data, '$.UserData') IS NOT NULL AS user_data,
       made.eventtime AS made_default_at
FROM   calls AS changed
LEFT   JOIN calls AS made
  ON   made.eventname = 'ModifyLaunchTemplate'
 AND   changed.eventname = 'CreateLaunchTemplateVersion'
 AND   made.template = changed.template
 AND   made.version = changed.version
 AND   made.principal_key = changed.principal_key
 AND   made.event_ts >= changed.event_ts
 AND   made.event_ts <= date_add('minute', :minutes, changed.event_ts)
WHERE  (:since = '' OR changed.eventtime >= :since)
  AND  (:until = '' OR changed.eventtime <= :until)
ORDER  BY changed.eventtime, changed.eventid, made_default_at

-- title: Instance given another role
-- description: A profile put on a running instance, replaced, or given another role: whoever has
--   a shell there has that role's credentials a minute later.
-- hit: `resource` (an instance, an association or a profile) now carries `profile` or `role`.
-- caveat: AddRoleToInstanceProfile counts only for profiles that the same caller did not create
--   within the hour before: creating a profile with its role is how roles are set up.
--   ReplaceIamInstanceProfileAssociation names the association, its response the instance.
-- severity: medium
-- attack: TA0004:T1548.005
-- service: Amazon EC2
-- service: IAM
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateIamInstanceProfile.html
-- reference: https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddRoleToInstanceProfile.html
-- false_positive: Systems Manager's quick setup, which gives instances a profile they lack.

WITH calls AS (
  SELECT eventtime,
         event_ts,
         principal_key,
         eventname,
         coalesce(json_extract_scalar(requestparameters,
                                      '$.AssociateIamInstanceProfileRequest.InstanceId'),
                  regexp_extract(responseelements, '"instanceId":"(i-[0-9a-f]+)"', 1),
                  json_extract_scalar(requestparameters,
                                '$.ReplaceIamInstanceProfileAssociationRequest.AssociationId'),
                  json_extract_scalar(requestparameters, '$.instanceProfileName')) AS target,
         json_extract_scalar(requestparameters, '$.instanceProfileName') AS profile_name,
         json_extract_scalar(requestparameters, '$.roleName') AS role_name,
         regexp_extract(json_format(coalesce(
             json_extract(requestparameters,
                          '$.AssociateIamInstanceProfileRequest.IamInstanceProfile'),
             json_extract(requestparameters,
                          '$.ReplaceIamInstanceProfileAssociationRequest.IamInstanceProfile'))),
           ':"([^"]+)"', 1) AS profile,
         outcome,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  outcome IN ('ok', 'denied')
    AND  ((eventsource = 'ec2.amazonaws.com'
           AND eventname IN ('AssociateIamInstanceProfile',
                             'ReplaceIamInstanceProfileAssociation'))
          OR (eventsource = 'iam.amazonaws.com'
              AND eventname IN ('AddRoleToInstanceProfile', 'CreateInstanceProfile')))
)
SELECT changed.eventtime,
       changed.principal_key AS actor,
       changed.eventname AS action,
       changed.target AS resource,
       changed.sourceipaddress,
       changed.recipientaccountid,
       changed.awsregion,
       changed.eventid,
       changed.outcome,
       changed.profile,
       changed.role_name AS role
FROM   calls AS changed
LEFT   JOIN calls AS made
  ON   made.eventname = 'CreateInstanceProfile'
 AND   made.outcome = 'ok'
 AND   made.profile_name = changed.profile_name
 AND   made.principal_key = changed.principal_key
 AND   made.event_ts <= changed.event_ts
 AND   made.event_ts >= date_add('hour', -1, changed.event_ts)
WHERE  changed.eventname <> 'CreateInstanceProfile'
  AND  made.eventid IS NULL
  AND  (:since = '' OR changed.eventtime >= :since)
  AND  (:until = '' OR changed.eventtime <= :until)
ORDER  BY changed.eventtime, changed.eventid

-- title: Instance launched with a role the caller had not used before
-- description: An instance carries its role to whoever controls it: launching one with a strong
--   profile gives the launcher that role's credentials through the metadata service.
-- hit: First launch of this profile by this caller in the logs. `role_calls` counts calls by the
--   instances' role sessions afterwards, from `called_from`: an address outside AWS means that
--   the credentials left the instance.
-- caveat: The profile names the role indirectly. Auto Scaling, EMR and other services launch for
--   others and are left out. A profile taken from a launch template does not stand in the
--   request: then there is no row.
-- severity: low
-- attack: TA0004:T1548.005
-- attack: TA0005:T1578.002
-- service: Amazon EC2
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/iam-roles-for-amazon-ec2.html
-- reference: https://pathfinding.cloud/paths/ec2-001
-- reference: https://pathfinding.cloud/paths/ec2-003
-- false_positive: New services and new team members; the first days of logs, where every pair is
--   the first.

WITH launches AS (
  SELECT eventtime,
         principal_key,
         eventname,
         coalesce(json_extract_scalar(requestparameters, '$.iamInstanceProfile.name'),
                  json_extract_scalar(requestparameters, '$.iamInstanceProfile.arn'),
                  json_extract_scalar(requestparameters,
                                      '$.launchSpecification.iamInstanceProfile.name'),
                  json_extract_scalar(requestparameters,
                                      '$.launchSpecification.iamInstanceProfile.arn')) AS profile,
         regexp_extract_all(responseelements, '"instanceId":"(i-[0-9a-f]+)"', 1) AS instances,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  eventsource = 'ec2.amazonaws.com'
    AND  eventname IN ('RunInstances', 'RequestSpotInstances')
    AND  errorcode IS NULL
    AND  useridentity.invokedby IS NULL
),
numbered AS (
  SELECT launches.*,
         row_number() OVER (PARTITION BY principal_key, recipientaccountid,
                                         regexp_extract(profile, '[^/]+$')
                            ORDER BY eventtime, eventid) AS nth
  FROM   launches
  WHERE  profile IS NOT NULL
),
started AS (
  SELECT eventid,
         instance
  FROM   numbered
  CROSS  JOIN UNNEST(instances) AS t(instance)
  WHERE  nth = 1
),
uses AS (
  SELECT started.eventid,
         count(*) AS role_calls,
         array_agg(DISTINCT used.sourceipaddress ORDER BY used.sourceipaddress) AS called_from
  FROM   started
  JOIN   cloudtrail_logs AS used
    ON   used.session_name = started.instance
  GROUP  BY started.eventid
)
SELECT numbered.eventtime,
       numbered.principal_key AS actor,
       numbered.eventname AS action,
       numbered.profile AS resource,
       numbered.sourceipaddress,
       numbered.recipientaccountid,
       numbered.awsregion,
       numbered.eventid,
       numbered.instances,
       coalesce(uses.role_calls, 0) AS role_calls,
       uses.called_from
FROM   numbered
LEFT   JOIN uses
  ON   uses.eventid = numbered.eventid
WHERE  numbered.nth = 1
  AND  (:since = '' OR numbered.eventtime >= :since)
  AND  (:until = '' OR numbered.eventtime <= :until)
ORDER  BY numbered.eventtime, numbered.eventid

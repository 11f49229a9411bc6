-- title: Roles Anywhere trust anchor or profile added
-- description: A certificate authority that may vouch for sessions of roles (trust anchor), or a
--   list of roles it may vouch for (profile), that was created, changed or enabled. Whoever holds
--   the authority's key gets role sessions from outside, without any key of AWS.
-- hit: `resource` is the anchor or profile. An anchor with `source` CERTIFICATE_BUNDLE trusts a
--   certificate that the caller uploaded; `sessions` counts what was issued through it since.
-- caveat: A session needs anchor, profile and a role that trusts rolesanywhere.amazonaws.com;
--   look for the other two.
-- severity: high
-- attack: TA0003:T1098.001
-- service: IAM Roles Anywhere
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/rolesanywhere/latest/userguide/introduction.html
-- reference: https://docs.aws.amazon.com/rolesanywhere/latest/APIReference/API_CreateTrustAnchor.html
-- false_positive: The team that connects servers outside AWS; an authority of AWS Private CA
--   (`source` AWS_ACM_PCA) is the usual form.

WITH changes AS (
  SELECT eventtime,
         event_ts,
         principal_key,
         eventname,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid,
         outcome,
         coalesce(json_extract_scalar(responseelements, '$.trustAnchor.trustAnchorArn'),
                  json_extract_scalar(responseelements, '$.profile.profileArn'),
                  json_extract_scalar(requestparameters, '$.trustAnchorId'),
                  json_extract_scalar(requestparameters, '$.profileId'),
                  json_extract_scalar(requestparameters, '$.name')) AS arn,
         coalesce(json_extract_scalar(requestparameters, '$.source.sourceType'),
                  json_extract_scalar(responseelements, '$.trustAnchor.source.sourceType'))
           AS source,
         coalesce(json_extract(requestparameters, '$.roleArns'),
                  json_extract(responseelements, '$.profile.roleArns')) AS roles
  FROM   cloudtrail_logs
  WHERE  eventsource = 'rolesanywhere.amazonaws.com'
    AND  eventname IN ('CreateTrustAnchor', 'UpdateTrustAnchor', 'EnableTrustAnchor',
                       'CreateProfile', 'UpdateProfile', 'EnableProfile')
    AND  outcome IN ('ok', 'denied')
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
sessions AS (
  SELECT event_ts,
         eventtime,
         json_extract_scalar(requestparameters, '$.trustAnchorArn') AS anchor,
         json_extract_scalar(requestparameters, '$.profileArn') AS profile
  FROM   cloudtrail_logs
  WHERE  eventsource = 'rolesanywhere.amazonaws.com'
    AND  eventname = 'CreateSession'
    AND  errorcode IS NULL
)
SELECT changes.eventtime,
       changes.principal_key AS actor,
       changes.eventname AS action,
       changes.arn AS resource,
       changes.sourceipaddress,
       changes.recipientaccountid,
       changes.awsregion,
       changes.eventid,
       changes.outcome,
       changes.source,
       try(CAST(changes.roles AS array(varchar))) AS roles,
       count(sessions.eventtime) AS sessions,
       min(sessions.eventtime) AS first_session
FROM   changes
LEFT   JOIN sessions
  ON   (sessions.anchor = changes.arn OR sessions.profile = changes.arn)
 AND   sessions.event_ts >= changes.event_ts
GROUP  BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
ORDER  BY changes.eventtime, changes.eventid

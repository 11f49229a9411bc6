-- title: SSH key pushed to an instance, or serial console opened
-- description: EC2 Instance Connect puts a key into an instance for a minute, the serial console
--   reaches it without any network. Both give a shell, and with it the instance's role, to
--   whoever has the permission.
-- hit: Somebody could open a shell on `resource`, as `os_user`. `instances` counts how many
--   instances this caller sent keys to within an hour around: more than a few is not
--   administration.
-- caveat: What was typed is in no log of AWS. EnableSerialConsoleAccess concerns the whole
--   account in that region.
-- severity: medium
-- attack: TA0008:T1021.008
-- attack: TA0003:T1098.004
-- service: Amazon EC2
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/ec2-instance-connect/latest/APIReference/API_SendSSHPublicKey.html
-- reference: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-serial-console.html
-- false_positive: Administrators who use Instance Connect from the console every day.

WITH pushes AS (
  SELECT eventtime,
         event_ts,
         principal_key,
         eventname,
         coalesce(json_extract_scalar(requestparameters, '$.instanceId'),
                  regexp_extract(errormessage, 'instance/(i-[0-9a-f]+)', 1),
                  recipientaccountid) AS instance,
         json_extract_scalar(requestparameters, '$.instanceOSUser') AS os_user,
         json_extract_scalar(requestparameters, '$.sSHPublicKey') AS public_key,
         outcome,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  ((eventsource = 'ec2-instance-connect.amazonaws.com'
           AND eventname IN ('SendSSHPublicKey', 'SendSerialConsoleSSHPublicKey'))
          OR (eventsource = 'ec2.amazonaws.com' AND eventname = 'EnableSerialConsoleAccess'))
    AND  outcome IN ('ok', 'denied')
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
)
SELECT pushes.eventtime,
       pushes.principal_key AS actor,
       pushes.eventname AS action,
       pushes.instance AS resource,
       pushes.sourceipaddress,
       pushes.recipientaccountid,
       pushes.awsregion,
       pushes.eventid,
       pushes.outcome,
       pushes.os_user,
       pushes.public_key,
       count(DISTINCT near.instance) AS instances
FROM   pushes
JOIN   pushes AS near
  ON   near.principal_key = pushes.principal_key
 AND   near.event_ts >= date_add('hour', -1, pushes.event_ts)
 AND   near.event_ts <= date_add('hour', 1, pushes.event_ts)
GROUP  BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
ORDER  BY pushes.eventtime, pushes.eventid

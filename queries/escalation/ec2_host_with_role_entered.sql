-- title: Shell or command on a host, and its role used afterwards
-- description: Session Manager, Run Command and pushed SSH keys lead onto a host; from there its
--   role's credentials are one request away. Calls by that role right after someone came in may
--   be that person's.
-- hit: Somebody entered `resource`, which has `role`. `calls_after` counts calls of the host's
--   role within `minutes` minutes, `apis` which; compare `calls_before`, the same time before.
-- caveat: Hosts work with their roles all day: what is new after the entry counts, not that there
--   are calls. A host whose role made no call in the logs gives no row (see
--   `ec2_ssh_key_pushed`). Commands sent by tag name no instance.
-- severity: medium
-- attack: TA0004:T1548.005
-- attack: TA0008:T1021.008
-- attack: TA0006:T1552.005
-- service: AWS Systems Manager
-- service: Amazon EC2
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: minutes bigint = 30 -- how many minutes before and after are compared
-- reference: https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager.html
-- reference: https://pathfinding.cloud/paths/ssm-001
-- reference: https://pathfinding.cloud/paths/ssm-002
-- reference: https://pathfinding.cloud/paths/ec2instanceconnect-003
-- false_positive: Administration of hosts whose role is busy.

WITH entries AS (
  SELECT eventtime,
         event_ts,
         principal_key,
         eventname,
         regexp_extract_all(coalesce(json_extract_scalar(requestparameters, '$.target'),
                                     json_extract_scalar(requestparameters, '$.instanceId'),
                                     json_format(json_extract(requestparameters,
                                                              '$.instanceIds'))),
                            'i-[0-9a-f]+') AS instances,
         json_extract_scalar(requestparameters, '$.documentName') AS document,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  ((eventsource = 'ssm.amazonaws.com' AND eventname IN ('StartSession', 'SendCommand'))
          OR (eventsource = 'ec2-instance-connect.amazonaws.com'
              AND eventname IN ('SendSSHPublicKey', 'SendSerialConsoleSSHPublicKey')))
    AND  errorcode IS NULL
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
hosts AS (
  SELECT entries.*,
         instance
  FROM   entries
  CROSS  JOIN UNNEST(instances) AS t(instance)
),
role_calls AS (
  SELECT session_name,
         principal_key AS role,
         event_ts,
         eventname,
         recipientaccountid
  FROM   cloudtrail_logs
  WHERE  useridentity.type = 'AssumedRole'
    AND  session_name IN (SELECT instance FROM hosts)
    AND  eventname NOT IN ('UpdateInstanceInformation', 'ListInstanceAssociations',
                           'UpdateInstanceAssociationStatus', 'PutInventory',
                           'PutComplianceItems', 'ListAssociations')
)
SELECT hosts.eventtime,
       hosts.principal_key AS actor,
       hosts.eventname AS action,
       hosts.instance AS resource,
       hosts.sourceipaddress,
       hosts.recipientaccountid,
       hosts.awsregion,
       hosts.eventid,
       min(role_calls.role) AS role,
       hosts.document,
       count(*) FILTER (WHERE role_calls.event_ts < hosts.event_ts) AS calls_before,
       count(*) FILTER (WHERE role_calls.event_ts >= hosts.event_ts) AS calls_after,
       array_agg(DISTINCT role_calls.eventname ORDER BY role_calls.eventname)
         FILTER (WHERE role_calls.event_ts >= hosts.event_ts) AS apis
FROM   hosts
JOIN   role_calls
  ON   role_calls.session_name = hosts.instance
 AND   role_calls.event_ts >= date_add('minute', - :minutes, hosts.event_ts)
 AND   role_calls.event_ts <= date_add('minute', :minutes, hosts.event_ts)
GROUP  BY hosts.eventtime, hosts.principal_key, hosts.eventname, hosts.instance,
          hosts.sourceipaddress, hosts.recipientaccountid, hosts.awsregion, hosts.eventid,
          hosts.document
HAVING count(*) FILTER (WHERE role_calls.event_ts >= hosts.event_ts) > 0
ORDER  BY hosts.eventtime, hosts.eventid, hosts.instance

-- title: Port forwarded through an instance
-- description: Sessions of Session Manager that forward a port or carry SSH: a way into the
--   network past every security group, to the instance or to a host behind it.
-- hit: A tunnel was opened, or tried; `parameters` has port and host where they are recorded.
-- caveat: What went through is not recorded; flow logs show the instance's traffic to hosts
--   behind it.
-- severity: medium
-- attack: TA0008:T1021.007
-- attack: TA0011:T1090.001
-- service: AWS Systems Manager
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-sessions-start.html
-- false_positive: Administrators who reach databases through a bastion this way.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       json_extract_scalar(requestparameters, '$.target') AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       json_extract_scalar(requestparameters, '$.documentName') AS document,
       json_format(json_extract(requestparameters, '$.parameters')) AS parameters,
       json_extract_scalar(responseelements, '$.sessionId') AS session_id,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 'ssm.amazonaws.com'
  AND  eventname = 'StartSession'
  AND  (json_extract_scalar(requestparameters, '$.documentName')
          IN ('AWS-StartPortForwardingSession', 'AWS-StartPortForwardingSessionToRemoteHost',
              'AWS-StartPortForwardingSessionToSocket', 'AWS-StartSSHSession')
        OR regexp_like(json_format(json_extract(requestparameters, '$.parameters')), 'portNumber'))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

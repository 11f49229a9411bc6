-- title: Protection against termination set
-- description: Instances that were protected against being terminated or stopped, or launched
--   so. Intruders protect their miners to make clearing up slow.
-- hit: The instance cannot be terminated, or stopped, until the flag is taken back.
-- caveat: Protection is good practice for servers that matter: look at who set it on what.
--   Attempts that failed count.
-- severity: low
-- attack: TA0040:T1496.001
-- service: Amazon EC2
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_ChangingDisableAPITermination.html
-- false_positive: Servers that are protected on purpose.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.instanceId'),
                array_join(regexp_extract_all(json_format(json_extract(responseelements,
                    '$.instancesSet')),
                '"instanceId"\s*:\s*"(i-[^"]+)"', 1), ', ')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       CASE WHEN json_extract_scalar(requestparameters, '$.disableApiStop.value') = 'true'
              OR json_extract_scalar(requestparameters, '$.disableApiStop') = 'true' THEN 'stop'
            ELSE 'termination' END AS protected_against,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 'ec2.amazonaws.com'
  AND  (eventname = 'ModifyInstanceAttribute'
        AND (json_extract_scalar(requestparameters, '$.disableApiTermination.value') = 'true'
             OR json_extract_scalar(requestparameters, '$.disableApiStop.value') = 'true'
             OR json_extract_scalar(requestparameters, '$.attribute') IN ('disableApiTermination',
                                                                          'disableApiStop')
             AND json_extract_scalar(requestparameters, '$.value') = 'true')
        OR eventname = 'RunInstances'
        AND (json_extract_scalar(requestparameters, '$.disableApiTermination') = 'true'
             OR json_extract_scalar(requestparameters, '$.disableApiStop') = 'true'))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

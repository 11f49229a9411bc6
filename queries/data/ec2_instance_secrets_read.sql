-- title: User data, passwords or consoles of instances read
-- description: Hours in which one principal asked for the user data, launch template data,
--   administrator password or console output of several instances. Scripts that instances run when
--   they start often hold passwords and keys.
-- hit: Those secrets were asked for; `read` of the calls succeeded. What user data holds must be
--   changed.
-- caveat: Infrastructure as code reads user data of the instances it manages. The Windows
--   password comes encrypted with the key pair. Instances that read their own user data do so
--   through the metadata service, which is not in CloudTrail.
-- severity: medium
-- attack: TA0006:T1552.001
-- attack: TA0007:T1580
-- service: Amazon EC2
-- param: instances bigint = 3 -- fewest different instances or templates in an hour
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceAttribute.html
-- false_positive: Infrastructure as code; scanners of configuration.

SELECT min(eventtime) AS eventtime,
       principal_key AS actor,
       eventname AS action,
       array_join(slice(array_agg(DISTINCT regexp_extract(requestparameters,
                                                          '"((?:i|lt)-[^"]*)"', 1)
                  ORDER BY regexp_extract(requestparameters, '"((?:i|lt)-[^"]*)"', 1)),
                        1, 10), ', ') AS resource,
       array_join(array_agg(DISTINCT sourceipaddress
                            ORDER BY sourceipaddress), ', ') AS sourceipaddress,
       recipientaccountid,
       awsregion,
       min_by(eventid, concat(eventtime, eventid)) AS eventid,
       count(DISTINCT requestparameters) AS instances,
       count_if(outcome = 'ok') AS read,
       count_if(outcome = 'denied') AS denied,
       max(eventtime) AS last_seen
FROM   cloudtrail_logs
WHERE  eventsource = 'ec2.amazonaws.com'
  AND  (eventname IN ('GetPasswordData', 'GetLaunchTemplateData', 'DescribeLaunchTemplateVersions',
                      'GetConsoleOutput', 'GetConsoleScreenshot')
        OR (eventname = 'DescribeInstanceAttribute'
            AND json_extract_scalar(requestparameters, '$.attribute') = 'userData'))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY principal_key, eventname, recipientaccountid, awsregion, date_trunc('hour', event_ts)
HAVING count(DISTINCT requestparameters) >= :instances
ORDER  BY eventtime, eventid

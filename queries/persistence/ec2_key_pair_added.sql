-- title: EC2 key pair created or imported, and where it was used
-- description: A key pair whose private half the caller holds. Instances launched with it let the
--   caller in; importing one leaves no trace of the key but its name and fingerprint.
-- hit: `launches` counts instances started with it afterwards, in that account and region.
-- caveat: A key pair alone opens nothing; instances that run already do not take it. Keys added
--   to an instance from inside are in no log.
-- severity: low
-- attack: TA0003:T1098.004
-- service: Amazon EC2
-- service: Amazon Lightsail
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ImportKeyPair.html
-- false_positive: Test environments that make a key pair for each run.

WITH pairs AS (
  SELECT eventtime,
         principal_key,
         eventname,
         eventsource,
         coalesce(json_extract_scalar(requestparameters, '$.keyName'),
                  json_extract_scalar(requestparameters, '$.keyPairName')) AS key_name,
         coalesce(json_extract_scalar(responseelements, '$.keyFingerprint'),
                  json_extract_scalar(responseelements, '$.keyPair.fingerprint')) AS fingerprint,
         outcome,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  eventsource IN ('ec2.amazonaws.com', 'lightsail.amazonaws.com')
    AND  eventname IN ('CreateKeyPair', 'ImportKeyPair')
    AND  outcome IN ('ok', 'denied')
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
launches AS (
  SELECT eventtime,
         coalesce(json_extract_scalar(requestparameters, '$.instancesSet.items[0].keyName'),
                  json_extract_scalar(requestparameters, '$.keyName')) AS key_name,
         recipientaccountid,
         awsregion
  FROM   cloudtrail_logs
  WHERE  eventsource = 'ec2.amazonaws.com'
    AND  eventname = 'RunInstances'
    AND  errorcode IS NULL
)
SELECT pairs.eventtime,
       pairs.principal_key AS actor,
       pairs.eventname AS action,
       pairs.key_name AS resource,
       pairs.sourceipaddress,
       pairs.recipientaccountid,
       pairs.awsregion,
       pairs.eventid,
       pairs.outcome,
       pairs.fingerprint,
       count(launches.eventtime) AS launches,
       min(launches.eventtime) AS first_launch
FROM   pairs
LEFT   JOIN launches
  ON   launches.key_name = pairs.key_name
 AND   launches.recipientaccountid = pairs.recipientaccountid
 AND   launches.awsregion = pairs.awsregion
 AND   launches.eventtime >= pairs.eventtime
 AND   pairs.eventsource = 'ec2.amazonaws.com'
GROUP  BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
ORDER  BY pairs.eventtime, pairs.eventid

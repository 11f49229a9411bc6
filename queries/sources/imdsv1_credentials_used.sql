-- title: Roles whose credentials came from IMDSv1
-- description: Instances that fetched their credentials from the metadata service in its first
--   version, which any request forged on the server's side can read. Where to look for stolen
--   credentials, and what to turn off.
-- hit: One role and instance whose credentials were handed out by IMDSv1.
-- caveat: The record tells how the credentials were delivered, not that they were stolen. Records
--   of before this field came, and sessions of anything but instances, have none.
-- attack: TA0006:T1552.005
-- service: Amazon EC2
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html

SELECT recipientaccountid,
       principal_key,
       session_name AS instance,
       count(*) AS calls,
       count(DISTINCT src_ip) AS addresses,
       count(DISTINCT awsregion) AS regions,
       count(*) FILTER (WHERE outcome = 'denied') AS denied,
       min(eventtime) AS first_seen,
       max(eventtime) AS last_seen
FROM   cloudtrail_logs
WHERE  useridentity.sessioncontext.ec2roledelivery = '1.0'
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY recipientaccountid, principal_key, session_name
ORDER  BY addresses DESC, calls DESC, recipientaccountid, principal_key, instance

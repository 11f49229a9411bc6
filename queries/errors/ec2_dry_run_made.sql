-- title: Permissions tried out with dry runs
-- description: EC2's DryRun flag asks whether a call would be allowed without making it. Tools that
--   find out what a stolen credential may do use it, and `resource` of these rows shows what they
--   learned.
-- hit: The call would have succeeded: the principal is allowed to do this, and now knows it.
-- caveat: A dry run that was not allowed looks like any refused call (Client.UnauthorizedOperation)
--   and is in `failed_calls`.
-- severity: low
-- attack: TA0007:T1580
-- service: Amazon EC2
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonParameters.html
-- false_positive: developers and pipelines that test their permissions before a deployment

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       concat('ec2:', eventname) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       useridentity.accesskeyid AS access_key,
       useragent,
       requestparameters
FROM   cloudtrail_logs
WHERE  eventsource = 'ec2.amazonaws.com'
  AND  errorcode = 'Client.DryRunOperation'
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

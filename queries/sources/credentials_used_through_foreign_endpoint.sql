-- title: Credentials used through another account's VPC endpoint
-- description: A call reached AWS through a VPC endpoint that belongs to another account than the
--   caller's: an intruder who runs his own account takes stolen credentials there, where no public
--   address shows.
-- hit: `actor` called through an endpoint of `endpoint_account`.
-- caveat: Endpoints that are shared within an organization from a central network account look the
--   same: name their accounts in `known`. The endpoint's account is recorded only since 2024 and
--   not by all services.
-- severity: high
-- attack: TA0006:T1552.005
-- attack: TA0001:T1078.004
-- service: Amazon VPC
-- service: IAM
-- param: known array(varchar) = '' -- accounts of one's own, whose endpoints are all right
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-iam.html
-- false_positive: endpoints in a shared network account

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       element_at(resources, 1).arn AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       vpcendpointaccountid AS endpoint_account,
       vpcendpointid AS endpoint,
       session_name,
       useridentity.accesskeyid AS access_key,
       eventsource,
       outcome,
       useragent
FROM   cloudtrail_logs
WHERE  regexp_like(vpcendpointaccountid, '^[0-9]{12}$')
  AND  vpcendpointaccountid <> actor_account
  AND  coalesce(useridentity.type, 'AWSService') NOT IN ('AWSService', 'AWSAccount')
  AND  NOT contains(:known, vpcendpointaccountid)
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

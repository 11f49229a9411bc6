-- title: Calls denied by a VPC endpoint
-- description: Calls from inside a VPC that its endpoint's policy refused, by caller, call and
--   endpoint: someone inside tries to reach what it must not, often a bucket of its own account.
-- hit: The endpoint stopped an attempt to reach another account's resources, or a principal that
--   is not allowed there.
-- caveat: Network activity events: absent unless the trail records them for that service.
--   Endpoints without a policy refuse nothing. Where the caller is of another account only its
--   account is known.
-- severity: medium
-- attack: TA0010:T1537
-- attack: TA0010:T1567.002
-- service: AWS PrivateLink
-- service: Amazon VPC
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-network-events-with-cloudtrail.html
-- false_positive: Applications that were forgotten when the policy was made.

SELECT min(eventtime) AS eventtime,
       principal_key AS actor,
       eventname AS action,
       vpcendpointid AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       min_by(eventid, concat(eventtime, eventid)) AS eventid,
       service,
       actor_account,
       vpcendpointaccountid AS endpoint_account,
       count(*) AS calls,
       min_by(errormessage, concat(eventtime, eventid)) AS errormessage,
       max(eventtime) AS last_seen
FROM   cloudtrail_logs
WHERE  ((eventcategory = 'NetworkActivity' AND errorcode = 'VpceAccessDenied')
        OR deny_type = 'VPC endpoint policy')
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY principal_key, eventname, vpcendpointid, sourceipaddress, recipientaccountid, awsregion,
          service, actor_account, vpcendpointaccountid
ORDER  BY eventtime, eventid

-- title: Foreign principals through our endpoints
-- description: Calls through VPC endpoints of ours by principals of accounts that are none of
--   ours: credentials from elsewhere that are used inside our network, as when somebody carries
--   data out to a bucket with keys of its own.
-- hit: Credentials of `actor_account` were used from inside the VPC of that endpoint.
-- caveat: Network activity events, and data events, show them: absent unless the trail records
--   them. Where a foreign principal calls a foreign resource only network activity events tell.
-- attack: TA0010:T1537
-- attack: TA0010:T1567.002
-- service: AWS PrivateLink
-- service: Amazon VPC
-- param: known array(varchar) = '' -- accounts that belong to us
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-network-events-with-cloudtrail.html

SELECT actor_account,
       vpcendpointid AS endpoint,
       vpcendpointaccountid AS endpoint_account,
       eventsource,
       eventname,
       outcome,
       count(*) AS calls,
       count(DISTINCT principal_key) AS principals,
       array_join(slice(array_agg(DISTINCT sourceipaddress ORDER BY sourceipaddress),
                        1, 10), ', ') AS addresses,
       min(eventtime) AS first_seen,
       max(eventtime) AS last_seen
FROM   cloudtrail_logs
WHERE  vpcendpointid IS NOT NULL
  AND  actor_account <> coalesce(vpcendpointaccountid, recipientaccountid)
  AND  useridentity.type <> 'AWSService'
  AND  NOT contains(:known, actor_account)
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY actor_account, vpcendpointid, vpcendpointaccountid, eventsource, eventname, outcome
ORDER  BY calls DESC, actor_account, endpoint, eventsource, eventname, outcome

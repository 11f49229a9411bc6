-- title: An instance's credentials used from a second address
-- description: EC2 hands a role's credentials to the instance alone. When a session named after an
--   instance calls from an address that is not the instance's, somebody took them out of it, mostly
--   through its metadata service.
-- hit: The first call of an instance's session from this address. Without `networks`, the address
--   differs from the first that the session's role and name were seen from; with it, it lies in
--   none of them.
-- caveat: Without `networks`, an instance that got another public address, or has several ways out,
--   shows too, and one of which only the thief's calls are in the logs does not. Calls through VPC
--   endpoints are left out: see `credentials_used_through_foreign_endpoint`. Whoever calls
--   AssumeRole may choose such a name for his session.
-- severity: high
-- attack: TA0006:T1552.005
-- service: Amazon EC2
-- service: IAM
-- param: networks array(varchar) = '' -- where instances come from: addresses and networks of NAT
--   gateways, elastic addresses
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-iam.html
-- false_positive: an instance that was stopped and started, and so got another public address

WITH origins AS (
  SELECT principal_key,
         session_name,
         src_ip,
         recipientaccountid,
         count(*) AS calls,
         count(*) FILTER (WHERE outcome = 'denied') AS denied,
         max(eventtime) AS last_seen,
         min(concat(eventtime, ' ', eventid)) AS first_call
  FROM   cloudtrail_logs
  WHERE  session_name LIKE 'i-%'
    AND  useridentity.type = 'AssumedRole'
    AND  useridentity.invokedby IS NULL
    AND  src_ip IS NOT NULL
    AND  vpcendpointid IS NULL
  GROUP  BY principal_key, session_name, src_ip, recipientaccountid
),
compared AS (
  SELECT session_name,
         src_ip,
         recipientaccountid,
         calls,
         denied,
         last_seen,
         split_part(first_call, ' ', 2) AS eventid,
         first_value(src_ip) OVER (PARTITION BY principal_key, session_name
                                   ORDER BY first_call) AS first_address
  FROM   origins
),
elsewhere AS (
  SELECT *
  FROM   compared
  WHERE  (cardinality(:networks) = 0 AND src_ip <> first_address)
     OR  (cardinality(:networks) > 0
          AND none_match(:networks,
                         n -> contains(CASE WHEN strpos(n, '/') > 0 THEN n
                                            WHEN strpos(n, ':') > 0 THEN concat(n, '/128')
                                            ELSE concat(n, '/32')
                                       END, CAST(src_ip AS ipaddress))))
)
SELECT logs.eventtime,
       logs.principal_key AS actor,
       logs.eventname AS action,
       elsewhere.session_name AS resource,
       logs.sourceipaddress,
       logs.recipientaccountid,
       logs.awsregion,
       logs.eventid,
       elsewhere.first_address,
       elsewhere.calls,
       elsewhere.denied,
       elsewhere.last_seen,
       logs.useragent
FROM   cloudtrail_logs logs
JOIN   elsewhere
  ON   elsewhere.eventid = logs.eventid
 AND   elsewhere.recipientaccountid = logs.recipientaccountid
WHERE  (:since = '' OR logs.eventtime >= :since)
  AND  (:until = '' OR logs.eventtime <= :until)
ORDER  BY logs.eventtime, logs.eventid

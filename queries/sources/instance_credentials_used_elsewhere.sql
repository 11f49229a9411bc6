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
         count(DISTINCT eventname) AS apis,
         min(eventtime) AS first_seen,
         max(eventtime) AS last_seen,
         min_by(eventname, concat(eventtime, eventid)) AS eventname,
         min_by(awsregion, concat(eventtime, eventid)) AS awsregion,
         min_by(eventid, concat(eventtime, eventid)) AS eventid,
         min_by(useragent, concat(eventtime, eventid)) AS useragent
  FROM   cloudtrail_logs
  WHERE  session_name LIKE 'i-%'
    AND  useridentity.type = 'AssumedRole'
    AND  useridentity.invokedby IS NULL
    AND  src_ip IS NOT NULL
    AND  vpcendpointid IS NULL
  GROUP  BY principal_key, session_name, src_ip, recipientaccountid
),
compared AS (
  SELECT principal_key,
         session_name,
         src_ip,
         recipientaccountid,
         calls,
         denied,
         apis,
         first_seen,
         last_seen,
         eventname,
         awsregion,
         eventid,
         useragent,
         first_value(src_ip) OVER (PARTITION BY principal_key, session_name
                                   ORDER BY first_seen, eventid) AS first_address
  FROM   origins
)
SELECT first_seen AS eventtime,
       principal_key AS actor,
       eventname AS action,
       session_name AS resource,
       src_ip AS sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       first_address,
       calls,
       denied,
       apis,
       last_seen,
       useragent
FROM   compared
WHERE  ((cardinality(:networks) = 0 AND src_ip <> first_address)
        OR (cardinality(:networks) > 0
            AND none_match(:networks,
                           n -> contains(CASE WHEN strpos(n, '/') > 0 THEN n
                                              WHEN strpos(n, ':') > 0 THEN concat(n, '/128')
                                              ELSE concat(n, '/32')
                                         END, CAST(src_ip AS ipaddress)))))
  AND  (:since = '' OR first_seen >= :since)
  AND  (:until = '' OR first_seen <= :until)
ORDER  BY eventtime, eventid

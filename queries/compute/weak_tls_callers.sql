-- title: Callers with weak TLS
-- description: Who called AWS with TLS before 1.2, or with a cipher without forward secrecy, by
--   principal, client and endpoint.
-- hit: So many calls came over a weak connection; the client is old, or something in between
--   weakens it.
-- caveat: Calls that services make, and very old events, carry no TLS details. AWS's endpoints
--   refuse TLS before 1.2 since 2024. What users of your own load balancers speak is not in
--   CloudTrail.
-- attack: TA0006:T1557
-- service: AWS CloudTrail
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

SELECT principal_key,
       tlsdetails.tlsversion AS tls_version,
       tlsdetails.ciphersuite AS cipher,
       tlsdetails.clientprovidedhostheader AS endpoint,
       useragent,
       count(*) AS calls,
       count(DISTINCT sourceipaddress) AS addresses,
       min(eventtime) AS first_seen,
       max(eventtime) AS last_seen
FROM   cloudtrail_logs
WHERE  tlsdetails.tlsversion IS NOT NULL
  AND  (tlsdetails.tlsversion IN ('SSLv3', 'TLSv1', 'TLSv1.0', 'TLSv1.1')
        OR (tlsdetails.tlsversion = 'TLSv1.2'
            AND NOT regexp_like(tlsdetails.ciphersuite, '^(TLS_)?(EC)?DHE')))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY principal_key, tlsdetails.tlsversion, tlsdetails.ciphersuite,
          tlsdetails.clientprovidedhostheader, useragent
ORDER  BY calls DESC, principal_key, tls_version, cipher, endpoint, useragent

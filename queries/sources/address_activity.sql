-- title: What came from an address or network
-- description: Every call from one source IP address or CIDR network, in order: who used it, with
--   which key and client. Give the address of the first suspicious call.
-- hit: One call from the address, or from within the network.
-- caveat: Behind one address there may be many people (an office, a VPN, a cloud). Calls that AWS's
--   services make on behalf of what came from here carry the service's name instead of the address,
--   and calls through a VPC endpoint a private address.
-- attack: TA0001:T1078.004
-- service: AWS CloudTrail
-- param: address varchar -- an IPv4 or IPv6 address, or a network such as 203.0.113.0/24
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

SELECT eventtime,
       src_ip,
       principal_key,
       session_name,
       useridentity.accesskeyid AS access_key,
       eventsource,
       eventname,
       outcome,
       errorcode,
       useragent,
       awsregion,
       recipientaccountid,
       requestparameters,
       eventid
FROM   cloudtrail_logs
WHERE  (src_ip = :address
        OR (strpos(:address, '/') > 0
            AND contains(CASE WHEN strpos(:address, '/') > 0 THEN :address ELSE '0.0.0.0/32' END,
                         CAST(src_ip AS ipaddress))))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

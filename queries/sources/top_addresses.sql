-- title: Where calls came from
-- description: The source IP addresses with how many principals, keys and accounts used each, and
--   how much was refused. One address that many principals share is an office, or one intruder with
--   many keys.
-- hit: One source IP address.
-- caveat: Calls of AWS's services have a name instead of an address and are left out. Which
--   country, network or provider an address belongs to, CloudTrail does not say.
-- attack: TA0001:T1078.004
-- service: AWS CloudTrail
-- param: principals bigint = 1 -- only addresses that at least so many principals used
-- param: top bigint = 50 -- how many addresses
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

SELECT src_ip,
       count(DISTINCT principal_key) AS principals,
       count(DISTINCT useridentity.accesskeyid) AS access_keys,
       count(DISTINCT recipientaccountid) AS accounts,
       count(*) AS calls,
       count(*) FILTER (WHERE is_write AND outcome = 'ok') AS changes,
       count(*) FILTER (WHERE outcome = 'denied') AS denied,
       count(*) FILTER (WHERE eventname = 'ConsoleLogin') AS sign_ins,
       min(eventtime) AS first_seen,
       max(eventtime) AS last_seen,
       array_join(slice(array_sort(array_agg(DISTINCT principal_key)), 1, 5), ', ')
         AS some_principals
FROM   cloudtrail_logs
WHERE  src_ip IS NOT NULL
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY src_ip
HAVING count(DISTINCT principal_key) >= :principals
ORDER  BY principals DESC, calls DESC, src_ip
LIMIT  :top

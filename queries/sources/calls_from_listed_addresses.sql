-- title: Calls from addresses of a list
-- description: Who called from addresses or networks of a list: of threat intelligence, of Tor
--   exits, of another incident. What a second list trusts is left out.
-- hit: One principal called from an address that the list names; `listed_as` is the entry.
-- caveat: A list is as good as its date: addresses change hands, and Tor exits and VPNs carry
--   honest people too. Entries that are neither an address nor a network end the query with an
--   error. Networks and accounts behind an address, CloudTrail does not know.
-- attack: TA0001:T1078.004
-- attack: TA0011:T1090.003
-- service: AWS CloudTrail
-- param: addresses array(varchar) -- addresses and networks to look for
-- param: trusted array(varchar) = '' -- addresses and networks to leave out
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_upload-lists.html

WITH addresses_seen AS (
  SELECT DISTINCT src_ip
  FROM   cloudtrail_logs
  WHERE  src_ip IS NOT NULL
),
hits AS (
  SELECT src_ip,
         element_at(filter(:addresses,
                           n -> contains(CASE WHEN strpos(n, '/') > 0 THEN n
                                  WHEN strpos(n, ':') > 0 THEN concat(n, '/128')
                                  ELSE concat(n, '/32')
                             END, CAST(src_ip AS ipaddress))), 1)
           AS entry
  FROM   addresses_seen
  WHERE  none_match(:trusted,
                    n -> contains(CASE WHEN strpos(n, '/') > 0 THEN n
                           WHEN strpos(n, ':') > 0 THEN concat(n, '/128')
                           ELSE concat(n, '/32')
                      END, CAST(src_ip AS ipaddress)))
)
SELECT hits.entry AS listed_as,
       logs.src_ip AS address,
       logs.principal_key,
       logs.recipientaccountid,
       count(*) AS calls,
       count(*) FILTER (WHERE logs.is_write AND logs.outcome = 'ok') AS changes,
       count(*) FILTER (WHERE logs.outcome = 'denied') AS denied,
       count(DISTINCT logs.useridentity.accesskeyid) AS access_keys,
       min(logs.eventtime) AS first_seen,
       max(logs.eventtime) AS last_seen,
       array_join(slice(array_sort(array_agg(DISTINCT logs.eventname)), 1, 10), ', ') AS called
FROM   cloudtrail_logs logs
JOIN   hits ON hits.src_ip = logs.src_ip
WHERE  hits.entry IS NOT NULL
  AND  (:since = '' OR logs.eventtime >= :since)
  AND  (:until = '' OR logs.eventtime <= :until)
GROUP  BY hits.entry, logs.src_ip, logs.principal_key, logs.recipientaccountid
ORDER  BY changes DESC, calls DESC, address, principal_key, recipientaccountid

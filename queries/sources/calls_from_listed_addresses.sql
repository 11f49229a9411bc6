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

WITH listed AS (
  SELECT DISTINCT entry,
         CASE WHEN strpos(entry, '/') > 0 THEN entry
              WHEN strpos(entry, ':') > 0 THEN concat(entry, '/128')
              ELSE concat(entry, '/32')
         END AS network
  FROM   UNNEST(:addresses) AS list (entry)
  WHERE  entry <> ''
),
trusted AS (
  SELECT CASE WHEN strpos(entry, '/') > 0 THEN entry
              WHEN strpos(entry, ':') > 0 THEN concat(entry, '/128')
              ELSE concat(entry, '/32')
         END AS network
  FROM   UNNEST(:trusted) AS list (entry)
  WHERE  entry <> ''
),
addresses_seen AS (
  SELECT DISTINCT src_ip
  FROM   cloudtrail_logs
  WHERE  src_ip IS NOT NULL
),
hits AS (
  SELECT addresses_seen.src_ip, min(listed.entry) AS entry
  FROM   addresses_seen
  JOIN   listed ON contains(listed.network, CAST(addresses_seen.src_ip AS ipaddress))
  WHERE  addresses_seen.src_ip NOT IN (
           SELECT own.src_ip
           FROM   addresses_seen own
           JOIN   trusted ON contains(trusted.network, CAST(own.src_ip AS ipaddress)))
  GROUP  BY addresses_seen.src_ip
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
WHERE  (:since = '' OR logs.eventtime >= :since)
  AND  (:until = '' OR logs.eventtime <= :until)
GROUP  BY hits.entry, logs.src_ip, logs.principal_key, logs.recipientaccountid
ORDER  BY changes DESC, calls DESC, address, principal_key, recipientaccountid

-- title: Access keys used from several addresses
-- description: Credentials that were used from more than one source IP address or with more than
--   one kind of client. A key that leaked is used by its owner and by somebody else.
-- hit: One access key with all that it was used from. Several addresses within minutes, or a
--   command line client beside a program's usual one, are what to look at first.
-- caveat: Mobile and home networks, address pools and proxies change addresses too; whether two
--   addresses belong together, CloudTrail does not say. A thief behind the owner's own network does
--   not show.
-- attack: TA0001:T1078.004
-- service: AWS CloudTrail
-- service: IAM
-- param: addresses bigint = 2 -- from how many addresses on
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/security-creds-programmatic-access.html

WITH uses AS (
  SELECT useridentity.accesskeyid AS access_key,
         src_ip,
         regexp_extract(useragent, '^\[?([^/ ,]+(?:/[0-9]+)?)', 1) AS client,
         awsregion,
         min(principal_key) AS principal_key,
         min(session_name) AS session_name,
         count(*) AS calls,
         count(*) FILTER (WHERE outcome = 'denied') AS denied,
         min(eventtime) AS first_seen,
         max(eventtime) AS last_seen
  FROM   cloudtrail_logs
  WHERE  useridentity.accesskeyid <> ''
    AND  useridentity.invokedby IS NULL
    AND  src_ip IS NOT NULL
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
  GROUP  BY useridentity.accesskeyid, src_ip,
         regexp_extract(useragent, '^\[?([^/ ,]+(?:/[0-9]+)?)', 1), awsregion
),
spread AS (
  SELECT access_key
  FROM   uses
  GROUP  BY access_key
  HAVING count(DISTINCT src_ip) >= :addresses
)
SELECT uses.access_key,
       min(uses.principal_key) AS principal,
       min(uses.session_name) AS session,
       count(DISTINCT uses.src_ip) AS addresses,
       count(DISTINCT uses.client) AS clients,
       count(DISTINCT uses.awsregion) AS regions,
       sum(uses.calls) AS calls,
       sum(uses.denied) AS denied,
       min(uses.first_seen) AS first_seen,
       max(uses.last_seen) AS last_seen,
       array_join(slice(array_sort(array_agg(DISTINCT uses.src_ip)), 1, 10), ', ')
         AS from_addresses,
       array_join(slice(array_sort(array_agg(DISTINCT uses.client)), 1, 10), ', ')
         AS with_clients
FROM   uses
JOIN   spread ON spread.access_key = uses.access_key
GROUP  BY uses.access_key
ORDER  BY addresses DESC, denied DESC, calls DESC, access_key

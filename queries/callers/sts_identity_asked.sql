-- title: Somebody asks who a key belongs to, from a new address
-- description: GetCallerIdentity is what one calls with a key just found: it always succeeds, and
--   names account and user. Here it is the very first call of that key from that address.
-- hit: The first thing this address did with this key was to ask whose it is; `other_addresses` is
--   from how many addresses the key had been used before.
-- caveat: Terraform, the CLI's profiles and many scripts begin like this, on new runners each time.
--   Tools for stolen keys know other first calls too. The first call in these logs need not be the
--   first ever.
-- severity: low
-- attack: TA0007:T1087.004
-- service: AWS STS
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
-- false_positive: deployment tools on machines or networks that change

WITH arrivals AS (
  SELECT useridentity.accesskeyid AS access_key,
         src_ip,
         min(concat(eventtime, ' ', eventid)) AS first_call
  FROM   cloudtrail_logs
  WHERE  useridentity.accesskeyid <> ''
    AND  src_ip IS NOT NULL
  GROUP  BY useridentity.accesskeyid, src_ip
),
counted AS (
  SELECT access_key,
         split_part(first_call, ' ', 2) AS eventid,
         row_number() OVER (PARTITION BY access_key ORDER BY first_call) - 1 AS other_addresses
  FROM   arrivals
)
SELECT logs.eventtime,
       logs.principal_key AS actor,
       logs.eventname AS action,
       counted.access_key AS resource,
       logs.sourceipaddress,
       logs.recipientaccountid,
       logs.awsregion,
       logs.eventid,
       counted.other_addresses,
       logs.key_kind,
       logs.useragent
FROM   cloudtrail_logs logs
JOIN   counted
  ON   counted.eventid = logs.eventid
 AND   counted.access_key = logs.useridentity.accesskeyid
WHERE  logs.eventsource = 'sts.amazonaws.com'
  AND  logs.eventname = 'GetCallerIdentity'
  AND  (:since = '' OR logs.eventtime >= :since)
  AND  (:until = '' OR logs.eventtime <= :until)
ORDER  BY logs.eventtime, logs.eventid

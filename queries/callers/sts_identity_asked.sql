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

WITH firsts AS (
  SELECT eventtime,
         principal_key,
         eventname,
         eventsource,
         useridentity.accesskeyid AS access_key,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid,
         useragent,
         key_kind,
         row_number() OVER (PARTITION BY useridentity.accesskeyid, src_ip
                            ORDER BY event_ts, eventid) AS call_no,
         event_ts
  FROM   cloudtrail_logs
  WHERE  useridentity.accesskeyid <> ''
    AND  src_ip IS NOT NULL
),
arrivals AS (
  SELECT *,
         row_number() OVER (PARTITION BY access_key
                            ORDER BY event_ts, eventid) - 1 AS other_addresses
  FROM   firsts
  WHERE  call_no = 1
)
SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       access_key AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       other_addresses,
       key_kind,
       useragent
FROM   arrivals
WHERE  eventsource = 'sts.amazonaws.com'
  AND  eventname = 'GetCallerIdentity'
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

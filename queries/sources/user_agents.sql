-- title: With which clients the account was used
-- description: The clients that callers name, rarest first: a tool that one principal used for an
--   hour stands beside the programs that run all day.
-- hit: One client with its major version, and who used it.
-- caveat: A user agent is what the caller says it is. Minor versions, operating systems and
--   plug-ins are cut off here: see `useragent` of the events. Calls of AWS's services are left out.
-- attack: TA0007:T1580
-- service: AWS CloudTrail
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

WITH calls AS (
  SELECT regexp_extract(useragent, '^\[?([^/ ,]+(?:/[0-9]+)?)', 1) AS client,
         useragent,
         principal_key,
         src_ip,
         outcome,
         is_write,
         eventtime
  FROM   cloudtrail_logs
  WHERE  src_ip IS NOT NULL
    AND  useragent IS NOT NULL
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
)
SELECT client,
       count(*) AS calls,
       count(DISTINCT useragent) AS variants,
       count(DISTINCT principal_key) AS principals,
       count(DISTINCT src_ip) AS addresses,
       count(*) FILTER (WHERE is_write AND outcome = 'ok') AS changes,
       count(*) FILTER (WHERE outcome = 'denied') AS denied,
       min(eventtime) AS first_seen,
       max(eventtime) AS last_seen,
       min(useragent) AS an_example
FROM   calls
GROUP  BY client
ORDER  BY calls, client

-- title: Change in a region that was not in use
-- description: The first change, done or tried, in a region where the account had changed nothing
--   for days. Miners and squatters go where nobody looks.
-- hit: The first such call; `quiet_since` is the change before it in that region, if there was one.
-- caveat: Global services (IAM, STS, CloudFront, Route 53) log to us-east-1, which may so seem in
--   use. The account must have been seen for as many days before: at the beginning of the logs
--   nothing shows. Regions that are not logged do not show at all.
-- severity: medium
-- attack: TA0005:T1535
-- service: AWS CloudTrail
-- param: days bigint = 7 -- for how many days the region was quiet
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
-- false_positive: a new region is being set up

WITH beginnings AS (
  SELECT recipientaccountid, min(event_ts) AS began
  FROM   cloudtrail_logs
  GROUP  BY recipientaccountid
),
days AS (
  SELECT recipientaccountid,
         awsregion,
         substr(eventtime, 1, 10) AS day,
         min(event_ts) AS first_ts,
         max(event_ts) AS last_ts,
         max(eventtime) AS last_eventtime,
         min(concat(eventtime, ' ', eventid)) AS first_change
  FROM   cloudtrail_logs
  WHERE  is_write
    AND  coalesce(useridentity.type, 'AWSService') <> 'AWSService'
    AND  useridentity.invokedby IS NULL
  GROUP  BY recipientaccountid, awsregion, substr(eventtime, 1, 10)
),
rests AS (
  SELECT recipientaccountid,
         first_ts,
         split_part(first_change, ' ', 2) AS eventid,
         lag(last_eventtime) OVER (PARTITION BY recipientaccountid, awsregion
                                   ORDER BY day) AS quiet_since,
         lag(last_ts) OVER (PARTITION BY recipientaccountid, awsregion
                            ORDER BY day) AS previous_ts
  FROM   days
),
awakenings AS (
  SELECT rests.recipientaccountid, rests.eventid, rests.quiet_since
  FROM   rests
  JOIN   beginnings ON beginnings.recipientaccountid = rests.recipientaccountid
  WHERE  date_diff('day', coalesce(rests.previous_ts, beginnings.began), rests.first_ts) >= :days
)
SELECT logs.eventtime,
       logs.principal_key AS actor,
       logs.eventname AS action,
       logs.awsregion AS resource,
       logs.sourceipaddress,
       logs.recipientaccountid,
       logs.awsregion,
       logs.eventid,
       logs.eventsource,
       logs.outcome,
       awakenings.quiet_since,
       logs.useragent
FROM   cloudtrail_logs logs
JOIN   awakenings
  ON   awakenings.eventid = logs.eventid
 AND   awakenings.recipientaccountid = logs.recipientaccountid
WHERE  (:since = '' OR logs.eventtime >= :since)
  AND  (:until = '' OR logs.eventtime <= :until)
ORDER  BY logs.eventtime, logs.eventid

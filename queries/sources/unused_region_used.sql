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
changes AS (
  SELECT logs.eventtime,
         logs.event_ts,
         logs.principal_key,
         logs.eventname,
         logs.eventsource,
         logs.sourceipaddress,
         logs.recipientaccountid,
         logs.awsregion,
         logs.eventid,
         logs.outcome,
         logs.useragent,
         beginnings.began,
         lag(logs.eventtime) OVER (PARTITION BY logs.recipientaccountid, logs.awsregion
                                   ORDER BY logs.event_ts, logs.eventid) AS quiet_since,
         lag(logs.event_ts) OVER (PARTITION BY logs.recipientaccountid, logs.awsregion
                                  ORDER BY logs.event_ts, logs.eventid) AS previous_ts
  FROM   cloudtrail_logs logs
  JOIN   beginnings ON beginnings.recipientaccountid = logs.recipientaccountid
  WHERE  logs.is_write
    AND  coalesce(logs.useridentity.type, 'AWSService') <> 'AWSService'
    AND  logs.useridentity.invokedby IS NULL
)
SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       awsregion AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       eventsource,
       outcome,
       quiet_since,
       useragent
FROM   changes
WHERE  date_diff('day', coalesce(previous_ts, began), event_ts) >= :days
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

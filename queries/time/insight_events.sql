-- title: What CloudTrail Insights noticed
-- description: Insights events: unusual rates of calls or errors that CloudTrail found by itself,
--   beginning and end joined, with how far from usual and, where AWS says, who and what it was.
-- hit: One unusual period of one API. The rates are calls (or errors) a minute.
-- caveat: Not for Athena: AWS's table has no column for insightDetails. Trails record Insights only
--   where switched on, some thirty minutes late, and only about rates of calls that change
--   something, and of errors.
-- service: AWS CloudTrail
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-insights-fields-trails.html

SELECT min(eventtime) FILTER (WHERE json_extract_scalar(insightdetails, '$.state') = 'Start')
         AS began,
       max(eventtime) FILTER (WHERE json_extract_scalar(insightdetails, '$.state') = 'End')
         AS ended,
       json_extract_scalar(insightdetails, '$.insightType') AS type,
       json_extract_scalar(insightdetails, '$.eventSource') AS eventsource,
       json_extract_scalar(insightdetails, '$.eventName') AS eventname,
       json_extract_scalar(insightdetails, '$.errorCode') AS errorcode,
       max(CAST(json_extract_scalar(insightdetails,
                  '$.insightContext.statistics.insight.average') AS double)) AS rate,
       max(CAST(json_extract_scalar(insightdetails,
                  '$.insightContext.statistics.baseline.average') AS double)) AS usual_rate,
       max(json_extract_scalar(insightdetails,
             '$.insightContext.attributions[0].insight[0].value')) AS mostly,
       recipientaccountid,
       awsregion,
       sharedeventid
FROM   cloudtrail_logs
WHERE  insightdetails IS NOT NULL
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY json_extract_scalar(insightdetails, '$.insightType'),
       json_extract_scalar(insightdetails, '$.eventSource'),
       json_extract_scalar(insightdetails, '$.eventName'),
       json_extract_scalar(insightdetails, '$.errorCode'),
       recipientaccountid, awsregion, sharedeventid
ORDER  BY coalesce(began, ended), sharedeventid

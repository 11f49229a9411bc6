-- title: Models probed or used out of the ordinary
-- description: Hours in which one principal called many models, in many regions, or failed
--   often: whoever sells access to models first tries which answer. A stolen key does so from an
--   unknown address.
-- hit: So many models, regions or failures in that hour; `invoked` is what was used, and paid
--   for.
-- caveat: Invocations are management events, streams and agents partly data events that most
--   trails lack. Prompts are never in CloudTrail. Hours begin at the full hour.
-- severity: medium
-- attack: TA0040:T1496.004
-- attack: TA0007:T1526
-- service: Amazon Bedrock
-- param: models bigint = 3 -- so many models in an hour
-- param: regions bigint = 2 -- or so many regions
-- param: failures bigint = 3 -- or so many failed calls
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/bedrock/latest/userguide/logging-using-cloudtrail.html
-- false_positive: Developers who compare models; tests in several regions.

SELECT min(eventtime) AS eventtime,
       principal_key AS actor,
       array_join(array_agg(DISTINCT eventname ORDER BY eventname), ', ') AS action,
       array_join(array_agg(DISTINCT json_extract_scalar(requestparameters, '$.modelId')
                  ORDER BY json_extract_scalar(requestparameters, '$.modelId')), ', ') AS resource,
       array_join(array_agg(DISTINCT sourceipaddress
                            ORDER BY sourceipaddress), ', ') AS sourceipaddress,
       recipientaccountid,
       array_join(array_agg(DISTINCT awsregion ORDER BY awsregion), ', ') AS awsregion,
       min_by(eventid, concat(eventtime, eventid)) AS eventid,
       count(*) AS calls,
       count_if(outcome = 'ok'
                AND (eventname LIKE 'InvokeModel%' OR eventname LIKE 'Converse%')) AS invoked,
       count(DISTINCT json_extract_scalar(requestparameters, '$.modelId')) AS models,
       count(DISTINCT awsregion) AS regions,
       count_if(outcome <> 'ok') AS failed,
       max(eventtime) AS last_seen
FROM   cloudtrail_logs
WHERE  eventsource = 'bedrock.amazonaws.com'
  AND  eventname IN ('InvokeModel', 'InvokeModelWithResponseStream', 'Converse', 'ConverseStream',
                     'GetFoundationModelAvailability', 'InvokeModelWithBidirectionalStream')
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY principal_key, recipientaccountid, date_trunc('hour', event_ts)
HAVING count(DISTINCT json_extract_scalar(requestparameters, '$.modelId')) >= :models
    OR count(DISTINCT awsregion) >= :regions
    OR count_if(outcome <> 'ok') >= :failures
ORDER  BY eventtime, eventid

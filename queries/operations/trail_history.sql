-- title: The state of each trail over time
-- description: Replays the calls that make, change, start, stop and delete trails, and says after
--   each what the trail was: logging or not, of all regions, with digests, into which bucket, with
--   which selectors. Tells for any moment whether something could have been recorded.
-- hit: One change of a trail, and the trail's state from then on.
-- caveat: What a trail was before the first call in these logs is not known and empty. Refused
--   calls are left out. A trail of the organization is changed in the management account or by its
--   delegate, and the call stands there. A call may be missing because the trail itself was off.
-- service: AWS CloudTrail
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html

WITH changes AS (
  SELECT eventtime,
         event_ts,
         CASE eventname WHEN 'CreateTrail' THEN 0 WHEN 'DeleteTrail' THEN 2 ELSE 1 END AS step,
         eventname,
         regexp_extract(coalesce(json_extract_scalar(requestparameters, '$.name'),
                                 json_extract_scalar(requestparameters, '$.trailName'),
                                 json_extract_scalar(responseelements, '$.trailARN')),
                        '([^/]+)$', 1) AS trail,
         CASE eventname WHEN 'StartLogging' THEN 'on'
                        WHEN 'StopLogging' THEN 'off'
                        WHEN 'CreateTrail' THEN 'not started'
                        WHEN 'DeleteTrail' THEN 'deleted'
         END AS logging,
         coalesce(json_extract_scalar(responseelements, '$.s3BucketName'),
                  json_extract_scalar(requestparameters, '$.s3BucketName')) AS bucket,
         coalesce(json_extract_scalar(responseelements, '$.isMultiRegionTrail'),
                  json_extract_scalar(requestparameters, '$.isMultiRegionTrail')) AS all_regions,
         coalesce(json_extract_scalar(responseelements, '$.logFileValidationEnabled'),
                  json_extract_scalar(requestparameters, '$.enableLogFileValidation')) AS digests,
         coalesce(json_extract_scalar(responseelements, '$.isOrganizationTrail'),
                  json_extract_scalar(requestparameters, '$.isOrganizationTrail')) AS organization,
         coalesce(json_extract_scalar(responseelements, '$.kmsKeyId'),
                  json_extract_scalar(requestparameters, '$.kmsKeyId')) AS kms_key,
         coalesce(json_format(json_extract(requestparameters, '$.eventSelectors')),
                  json_format(json_extract(requestparameters, '$.advancedEventSelectors')))
           AS selectors,
         principal_key,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  eventsource = 'cloudtrail.amazonaws.com'
    AND  eventname IN ('CreateTrail', 'UpdateTrail', 'DeleteTrail', 'StartLogging', 'StopLogging',
                       'PutEventSelectors', 'PutInsightSelectors')
    AND  outcome = 'ok'
),
named AS (
  SELECT *, concat(recipientaccountid, ' ', awsregion, ' ', trail) AS home
  FROM   changes
),
history AS (
  SELECT eventtime,
         trail,
         eventname,
         principal_key,
         sourceipaddress,
         last_value(logging) IGNORE NULLS OVER (PARTITION BY home
                                                ORDER BY event_ts, step, eventid) AS logging,
         last_value(all_regions) IGNORE NULLS OVER (PARTITION BY home
                                                    ORDER BY event_ts, step, eventid) AS all_regions,
         last_value(organization) IGNORE NULLS OVER (PARTITION BY home
                                                     ORDER BY event_ts, step, eventid) AS organization,
         last_value(digests) IGNORE NULLS OVER (PARTITION BY home
                                                ORDER BY event_ts, step, eventid) AS digests,
         last_value(bucket) IGNORE NULLS OVER (PARTITION BY home
                                               ORDER BY event_ts, step, eventid) AS bucket,
         last_value(kms_key) IGNORE NULLS OVER (PARTITION BY home
                                                ORDER BY event_ts, step, eventid) AS kms_key,
         last_value(selectors) IGNORE NULLS OVER (PARTITION BY home
                                                  ORDER BY event_ts, step, eventid) AS selectors,
         lead(eventtime) OVER (PARTITION BY home ORDER BY event_ts, step, eventid) AS until_eventtime,
         recipientaccountid,
         awsregion,
         step,
         eventid
  FROM   named
)
SELECT eventtime,
       trail,
       eventname,
       principal_key,
       sourceipaddress,
       logging,
       until_eventtime,
       all_regions,
       organization,
       digests,
       bucket,
       kms_key,
       selectors,
       recipientaccountid,
       awsregion,
       eventid
FROM   history
WHERE  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY recipientaccountid, awsregion, trail, eventtime, step, eventid

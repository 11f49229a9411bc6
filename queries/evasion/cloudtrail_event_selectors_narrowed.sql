-- title: Event selectors narrowed
-- description: PutEventSelectors calls after which a trail no longer records all management
--   events, and PutInsightSelectors calls that turn Insights off. The trail stays on and looks
--   healthy, which is the point.
-- hit: From that moment the trail misses what `change` says, or somebody tried to bring that
--   about.
-- caveat: Data events that are removed while management events stay are not shown: compare the
--   selectors that `selectors` holds with earlier ones. Denied calls often come without parameters
--   and are shown as such. Selectors set when the trail was created do not show here.
-- severity: high
-- attack: TA0005:T1562.008
-- service: AWS CloudTrail
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html
-- false_positive: A second trail that is meant for data events only; AWS KMS or RDS Data API
--   events excluded to save cost.

WITH calls AS (
  SELECT eventtime, principal_key, eventname, requestparameters, sourceipaddress,
         recipientaccountid, awsregion, eventid, outcome, errorcode,
         CAST(json_extract(requestparameters, '$.eventSelectors') AS array(json)) AS basic,
         CAST(json_extract(requestparameters,
                           '$.advancedEventSelectors') AS array(json)) AS advanced
  FROM   cloudtrail_logs
  WHERE  eventsource = 'cloudtrail.amazonaws.com'
    AND  eventname IN ('PutEventSelectors', 'PutInsightSelectors')
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
judged AS (
  SELECT *,
         CASE WHEN requestparameters IS NULL THEN 'parameters not recorded'
              WHEN eventname = 'PutInsightSelectors'
               AND json_size(requestparameters, '$.insightSelectors') = 0 THEN 'no Insights'
              WHEN cardinality(basic) > 0
               AND NOT any_match(basic, s ->
                     coalesce(json_extract_scalar(s, '$.includeManagementEvents'), 'true') = 'true'
                     AND coalesce(json_extract_scalar(s, '$.readWriteType'), 'All') = 'All')
              THEN 'not all management events'
              WHEN any_match(basic, s -> json_size(s, '$.excludeManagementEventSources') > 0)
              THEN 'sources excluded'
              WHEN cardinality(advanced) > 0
               AND NOT any_match(advanced, s -> strpos(json_format(s), '"Management"') > 0)
              THEN 'no management events'
              WHEN cardinality(advanced) > 0
               AND NOT any_match(advanced, s ->
                     strpos(json_format(s), '"Management"') > 0
                     AND cardinality(CAST(json_extract(s, '$.fieldSelectors') AS array(json))) = 1)
              THEN 'not all management events'
         END AS change
  FROM   calls
)
SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.trailName'),
                json_extract_scalar(requestparameters, '$.eventDataStore')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       change,
       json_format(coalesce(json_extract(requestparameters, '$.eventSelectors'),
                            json_extract(requestparameters, '$.advancedEventSelectors'),
                            json_extract(requestparameters, '$.insightSelectors'))) AS selectors
FROM   judged
WHERE  change IS NOT NULL
ORDER  BY eventtime, eventid

-- title: Which kinds of events are in the logs at all
-- description: Management, data, Insight and network activity events by service and, for data
--   events, type of resource, with when the first and last were seen. If S3 objects or Lambda
--   functions are not here, nothing can be said about who read or invoked them.
-- hit: One category, service and type of resource that was logged.
-- caveat: A type that is missing was not switched on, or not used. Selectors may cover single
--   buckets only: `resources` says about how many were seen. Records older than version 1.07 do
--   not say their category.
-- service: AWS CloudTrail
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html

WITH kinds AS (
  SELECT coalesce(eventcategory, 'not recorded') AS category,
         CASE WHEN eventcategory = 'Management' THEN 'all services' ELSE eventsource END AS service,
         CASE WHEN eventcategory = 'Data' THEN element_at(resources, 1).type END AS resource_type,
         element_at(resources, 1).arn AS resource,
         is_write,
         recipientaccountid,
         awsregion,
         eventtime
  FROM   cloudtrail_logs
  WHERE  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
)
SELECT category,
       service,
       resource_type,
       count(*) AS events,
       count(*) FILTER (WHERE is_write) AS writes,
       count(*) FILTER (WHERE NOT is_write) AS reads,
       approx_distinct(resource) AS resources,
       count(DISTINCT recipientaccountid) AS accounts,
       count(DISTINCT awsregion) AS regions,
       min(eventtime) AS first_seen,
       max(eventtime) AS last_seen
FROM   kinds
GROUP  BY category, service, resource_type
ORDER  BY category, events DESC, service, resource_type

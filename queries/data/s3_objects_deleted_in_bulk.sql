-- title: Objects deleted in masses
-- description: Hours in which one principal deleted many objects of a bucket, singly or in
--   batches, and how many of them for good (by version).
-- hit: Data was destroyed, or hidden behind delete markers where versioning is on; `versions`
--   deletions cannot be undone.
-- caveat: Data events: absent unless the trail records them for that bucket. A batch deletes up
--   to 1,000 objects and does not name them, so `batches` may stand for many more. Hours begin at
--   the full hour. Lifecycle rules delete without a call.
-- severity: high
-- attack: TA0040:T1485
-- service: Amazon S3
-- param: objects bigint = 100 -- so many DeleteObject calls in an hour are many
-- param: batches bigint = 5 -- or so many DeleteObjects calls
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
-- false_positive: Jobs that tidy up after themselves; applications that keep their state in S3.

SELECT min(eventtime) AS eventtime,
       principal_key AS actor,
       array_join(array_agg(DISTINCT eventname ORDER BY eventname), ', ') AS action,
       json_extract_scalar(requestparameters, '$.bucketName') AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       min_by(eventid, concat(eventtime, eventid)) AS eventid,
       count_if(eventname = 'DeleteObject' AND outcome = 'ok') AS deleted,
       count_if(eventname = 'DeleteObject' AND outcome = 'ok'
                AND json_extract_scalar(requestparameters, '$.versionId') IS NOT NULL) AS versions,
       count_if(eventname = 'DeleteObjects' AND outcome = 'ok') AS batches,
       count_if(outcome <> 'ok') AS failed,
       max(eventtime) AS last_seen
FROM   cloudtrail_logs
WHERE  eventsource = 's3.amazonaws.com'
  AND  eventname IN ('DeleteObject', 'DeleteObjects')
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY principal_key, json_extract_scalar(requestparameters, '$.bucketName'), sourceipaddress,
          recipientaccountid, awsregion, date_trunc('hour', event_ts)
HAVING count_if(eventname = 'DeleteObject') >= :objects
    OR count_if(eventname = 'DeleteObjects') >= :batches
ORDER  BY eventtime, eventid

-- title: S3 objects made public
-- description: Objects that were written, copied or changed with an ACL that lets everybody or
--   any AWS account read them, counted by principal and bucket.
-- hit: Those objects are potentially public; `first_key` is one of them.
-- caveat: Data events: absent unless the trail records them for that bucket. Public access
--   blocks and bucket-owner-enforced ownership overrule object ACLs.
-- severity: high
-- attack: TA0009:T1530
-- service: Amazon S3
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
-- false_positive: Buckets that serve public files through object ACLs.

SELECT min(eventtime) AS eventtime,
       principal_key AS actor,
       eventname AS action,
       json_extract_scalar(requestparameters, '$.bucketName') AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       min_by(eventid, concat(eventtime, eventid)) AS eventid,
       outcome,
       count(*) AS objects,
       min_by(json_extract_scalar(requestparameters, '$.key'),
              concat(eventtime, eventid)) AS first_key,
       max(eventtime) AS last_seen
FROM   cloudtrail_logs
WHERE  eventsource = 's3.amazonaws.com'
  AND  eventname IN ('PutObjectAcl', 'PutObject', 'CopyObject', 'CreateMultipartUpload')
  AND  regexp_like(requestparameters,
         '"x-amz-acl"\s*:\s*\[?\s*"(public-read|public-read-write|authenticated-read)"|groups/global/(AllUsers|AuthenticatedUsers)')
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY principal_key, eventname, json_extract_scalar(requestparameters, '$.bucketName'),
          sourceipaddress, recipientaccountid, awsregion, outcome
ORDER  BY eventtime, eventid

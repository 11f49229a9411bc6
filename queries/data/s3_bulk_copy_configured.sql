-- title: Bulk copy of a bucket set up
-- description: Replication, batch jobs and inventories: the ways to have S3 itself copy or list
--   a whole bucket, also into another account.
-- hit: A bucket's content, or the list of it, will go to `destination`; where `to_account` is
--   none of ours, that is exfiltration.
-- caveat: The destination account stands in the call only where the rule names it; a bucket's
--   name does not tell whose it is. What is copied later by replication is no call of a person.
-- severity: medium
-- attack: TA0010:T1537
-- service: Amazon S3
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication.html
-- false_positive: Replication for backup; inventories for cost reports.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.bucketName'),
                regexp_extract(requestparameters, '"Manifest.*?(arn:aws[^"]*)', 1)) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       array_join(array_distinct(regexp_extract_all(requestparameters,
         '"(?:Bucket|TargetResource)"\s*:\s*"(arn:aws[^"]+)"', 1)), ', ') AS destination,
       nullif(array_join(array_distinct(regexp_extract_all(requestparameters,
         '"Account(?:Id)?"\s*:\s*"?(\d{12})', 1)), ', '), '') AS to_account,
       coalesce(json_extract_scalar(requestparameters, '$.ReplicationConfiguration.Role'),
                regexp_extract(requestparameters, '"RoleArn"\s*:\s*"([^"]+)"', 1)) AS with_role,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource IN ('s3.amazonaws.com', 's3-control.amazonaws.com', 's3control.amazonaws.com')
  AND  eventname IN ('PutBucketReplication', 'PutBucketInventoryConfiguration',
                     'PutInventoryConfiguration', 'CreateJob')
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

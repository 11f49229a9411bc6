-- title: Trails that could not be set up or written
-- description: Failed calls that make or change a trail, with what was wrong in plain words, and
--   log files that CloudTrail could not deliver. Why there are no logs.
-- hit: One failure, with its likely `cause`.
-- caveat: Failed deliveries are recorded only where another trail records data events of the
--   bucket. A trail whose bucket's policy changes later stops without a word here: see
--   GetTrailStatus.
-- service: AWS CloudTrail
-- service: Amazon S3
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html

SELECT eventtime,
       principal_key,
       eventname,
       coalesce(json_extract_scalar(requestparameters, '$.name'),
                json_extract_scalar(requestparameters, '$.trailName')) AS trail,
       coalesce(json_extract_scalar(requestparameters, '$.s3BucketName'),
                json_extract_scalar(requestparameters, '$.bucketName')) AS bucket,
       errorcode,
       CASE WHEN errorcode = 'S3BucketDoesNotExistException' THEN 'there is no such bucket'
            WHEN errorcode LIKE 'InsufficientS3BucketPolicy%'
              THEN 'the bucket''s policy does not let CloudTrail write'
            WHEN errorcode LIKE 'InvalidS3BucketName%' OR errorcode LIKE 'InvalidS3Prefix%'
              THEN 'the bucket''s name or prefix is not valid'
            WHEN errorcode LIKE 'InsufficientEncryptionPolicy%' OR errorcode LIKE 'Kms%'
              OR errorcode LIKE 'InvalidKmsKeyId%'
              THEN 'the KMS key is missing, or does not let CloudTrail use it'
            WHEN errorcode LIKE 'InsufficientSnsTopicPolicy%'
              OR errorcode LIKE 'InvalidSnsTopicName%'
              THEN 'the SNS topic is wrong or does not let CloudTrail publish'
            WHEN errorcode LIKE 'CloudWatchLogs%' OR errorcode LIKE 'InvalidCloudWatchLogs%'
              THEN 'the log group or its role is wrong'
            WHEN errorcode LIKE 'TrailNotFound%' THEN 'there is no such trail in that region'
            WHEN errorcode LIKE 'TrailAlreadyExists%' THEN 'a trail of that name exists'
            WHEN errorcode LIKE 'MaximumNumberOfTrails%' THEN 'there are five trails in the region'
            WHEN errorcode LIKE 'InvalidHomeRegion%'
              THEN 'a trail is changed in its home region only'
            WHEN errorcode LIKE 'InvalidEventSelectors%' THEN 'the event selectors are not valid'
            WHEN eventsource = 's3.amazonaws.com' THEN 'CloudTrail could not write to the bucket'
            WHEN outcome = 'denied' THEN 'the caller may not do this'
            ELSE 'see the message'
       END AS cause,
       errormessage,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid
FROM   cloudtrail_logs
WHERE  outcome <> 'ok'
  AND  ((eventsource = 'cloudtrail.amazonaws.com'
         AND eventname IN ('CreateTrail', 'UpdateTrail', 'StartLogging', 'PutEventSelectors',
                           'PutInsightSelectors', 'CreateEventDataStore', 'UpdateEventDataStore'))
        OR (eventsource = 's3.amazonaws.com'
            AND eventname IN ('PutObject', 'GetBucketAcl')
            AND coalesce(useridentity.invokedby, sourceipaddress) = 'cloudtrail.amazonaws.com'))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

-- title: Event trigger added
-- description: A rule, schedule, subscription, bucket notification or event source that starts
--   code when something happens. It keeps an intruder's function running, or feeds it what others
--   write; a target in another account carries events out.
-- hit: `targets` run, or hear, when the trigger fires. `outside` is true where one belongs to an
--   account that is not the recipient's.
-- caveat: PutRule and PutTargets are two calls: the rule says when (`trigger_on`), the targets
--   say what. Triggers that AWS services set up for themselves are left out.
-- severity: low
-- attack: TA0003:T1546
-- service: AWS Lambda
-- service: Amazon EventBridge
-- service: Amazon S3
-- service: Amazon SNS
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: only_outside boolean = false -- only targets of other accounts
-- reference: https://docs.aws.amazon.com/lambda/latest/dg/lambda-services.html
-- reference: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
-- false_positive: Deployments: every event-driven application is made of these calls.

WITH triggers AS (
  SELECT eventtime,
         principal_key,
         event_name_base,
         coalesce(json_extract_scalar(requestparameters, '$.rule'),
                  json_extract_scalar(requestparameters, '$.name'),
                  json_extract_scalar(requestparameters, '$.topicArn'),
                  json_extract_scalar(requestparameters, '$.bucketName'),
                  json_extract_scalar(requestparameters, '$.eventSourceArn')) AS name,
         CASE WHEN eventsource IN ('events.amazonaws.com', 'scheduler.amazonaws.com')
              THEN coalesce(transform(try(CAST(json_extract(requestparameters, '$.targets')
                                               AS array(json))),
                                      one -> json_extract_scalar(one, '$.arn')),
                            ARRAY[json_extract_scalar(requestparameters, '$.target.arn')])
              WHEN eventsource = 'sns.amazonaws.com'
              THEN ARRAY[json_extract_scalar(requestparameters, '$.endpoint')]
              WHEN eventsource = 'lambda.amazonaws.com'
              THEN ARRAY[json_extract_scalar(requestparameters, '$.functionName')]
              ELSE regexp_extract_all(requestparameters,
                                      'arn:aws[a-z-]*:(?:lambda|sqs|sns):[^"]+')
         END AS target_list,
         coalesce(json_extract_scalar(requestparameters, '$.scheduleExpression'),
                  json_extract_scalar(requestparameters, '$.eventPattern'),
                  json_extract_scalar(requestparameters, '$.protocol')) AS trigger_on,
         outcome,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  ((eventsource = 'events.amazonaws.com' AND eventname IN ('PutRule', 'PutTargets'))
          OR (eventsource = 'scheduler.amazonaws.com'
              AND eventname IN ('CreateSchedule', 'UpdateSchedule'))
          OR (eventsource = 's3.amazonaws.com'
              AND eventname IN ('PutBucketNotification', 'PutBucketNotificationConfiguration'))
          OR (eventsource = 'sns.amazonaws.com' AND eventname = 'Subscribe')
          OR (eventsource = 'lambda.amazonaws.com'
              AND (eventname LIKE 'CreateEventSourceMapping%'
                   OR eventname LIKE 'UpdateEventSourceMapping%')))
    AND  outcome IN ('ok', 'denied')
    AND  useridentity.invokedby IS NULL
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
judged AS (
  SELECT triggers.*,
         any_match(target_list,
                   one -> regexp_extract(one, '^arn:[^:]+:[^:]+:[^:]*:([0-9]{12}):', 1)
                          <> recipientaccountid) AS outside
  FROM   triggers
)
SELECT eventtime,
       principal_key AS actor,
       event_name_base AS action,
       name AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       nullif(array_join(target_list, ', '), '') AS targets,
       trigger_on,
       coalesce(outside, false) AS outside,
       outcome
FROM   judged
WHERE  (NOT :only_outside OR outside)
ORDER  BY eventtime, eventid

-- title: Who invoked Lambda functions
-- description: Invocations by function and caller: how many, from how many addresses, how many
--   failed, when first and last. An intruder's way to use a function that was changed, or to see
--   what it answers.
-- hit: One caller of one function. People and unknown addresses among callers that are else
--   services deserve a look.
-- caveat: Invocations are data events, which most trails do not record: no rows then means
--   nothing. Function URLs are called without Invoke by somebody anonymous; event sources such as
--   queues invoke without a principal of their own.
-- attack: TA0002:T1648
-- service: AWS Lambda
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- param: function varchar = '%' -- the function's name or ARN, as in LIKE
-- reference: https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html

SELECT split_part(regexp_replace(json_extract_scalar(requestparameters, '$.functionName'),
                                 '^arn:[^:]+:lambda:[^:]*:[^:]*:function:', ''), ':', 1)
         AS function_name,
       principal_key,
       useridentity.invokedby AS invokedby,
       count(*) AS calls,
       count(*) FILTER (WHERE errorcode IS NOT NULL) AS failed,
       count(DISTINCT sourceipaddress) AS addresses,
       min_by(sourceipaddress, eventtime) AS first_from,
       max_by(sourceipaddress, eventtime) AS last_from,
       min(eventtime) AS first_seen,
       max(eventtime) AS last_seen,
       recipientaccountid,
       awsregion
FROM   cloudtrail_logs
WHERE  eventsource = 'lambda.amazonaws.com'
  AND  eventname LIKE 'Invoke%'
  AND  coalesce(json_extract_scalar(requestparameters, '$.functionName'), '') LIKE :function
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY 1, 2, 3, recipientaccountid, awsregion
ORDER  BY function_name, calls DESC, principal_key, invokedby, recipientaccountid, awsregion

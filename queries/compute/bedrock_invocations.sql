-- title: Use of models, by whom
-- description: Invocations of Bedrock models by principal, model and region: how often, how
--   often they failed, from where and when.
-- hit: The principal used the model `invocations` times; compare with what its application does.
-- caveat: Tokens and prompts are not in CloudTrail; model invocation logging has them. Streams,
--   agents and flows are partly data events that most trails lack.
-- attack: TA0040:T1496.004
-- service: Amazon Bedrock
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/bedrock/latest/userguide/logging-using-cloudtrail.html

SELECT principal_key,
       coalesce(json_extract_scalar(requestparameters, '$.modelId'),
                json_extract_scalar(requestparameters, '$.agentId'),
                json_extract_scalar(requestparameters, '$.knowledgeBaseId'),
                json_extract_scalar(requestparameters, '$.flowIdentifier')) AS model,
       awsregion,
       recipientaccountid,
       count(*) FILTER (WHERE outcome = 'ok') AS invocations,
       count(*) FILTER (WHERE outcome <> 'ok') AS failed,
       nullif(array_join(array_agg(DISTINCT errorcode ORDER BY errorcode), ', '), '') AS errors,
       array_join(array_agg(DISTINCT eventname ORDER BY eventname), ', ') AS apis,
       array_join(array_agg(DISTINCT sourceipaddress ORDER BY sourceipaddress), ', ') AS addresses,
       min(eventtime) AS first_seen,
       max(eventtime) AS last_seen
FROM   cloudtrail_logs
WHERE  eventsource = 'bedrock.amazonaws.com'
  AND  eventname IN ('InvokeModel', 'InvokeModelWithResponseStream',
                     'InvokeModelWithBidirectionalStream', 'Converse', 'ConverseStream',
                     'StartAsyncInvoke', 'CreateModelInvocationJob', 'InvokeAgent',
                     'InvokeInlineAgent', 'InvokeFlow', 'Retrieve', 'RetrieveAndGenerate')
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY principal_key, awsregion, recipientaccountid,
          coalesce(json_extract_scalar(requestparameters, '$.modelId'),
                   json_extract_scalar(requestparameters, '$.agentId'),
                   json_extract_scalar(requestparameters, '$.knowledgeBaseId'),
                   json_extract_scalar(requestparameters, '$.flowIdentifier'))
ORDER  BY invocations DESC, principal_key, model, awsregion, recipientaccountid

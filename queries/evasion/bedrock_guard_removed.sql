-- title: Bedrock logging or guardrails removed
-- description: Calls that switch off the logging of model invocations, or delete or change a
--   guardrail. Who abuses models switches the log off first.
-- hit: Prompts and answers are no longer recorded or filtered, or somebody tried to bring that
--   about.
-- caveat: UpdateGuardrail may strengthen as well as weaken. No row does not mean that invocation
--   logging was on: it is off by default.
-- severity: medium
-- attack: TA0005:T1562.008
-- service: Amazon Bedrock
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_DeleteModelInvocationLoggingConfiguration.html
-- false_positive: Teams that tune a guardrail.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.guardrailIdentifier'),
                json_extract_scalar(requestparameters, '$.guardrailId'),
                'model invocation logging') AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       requestparameters AS asked_for,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 'bedrock.amazonaws.com'
  AND  (eventname IN ('DeleteModelInvocationLoggingConfiguration', 'DeleteGuardrail',
                      'UpdateGuardrail')
        OR (eventname = 'PutModelInvocationLoggingConfiguration'
            AND NOT regexp_like(coalesce(requestparameters, ''),
                                'DataDeliveryEnabled"\s*:\s*true')))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

-- title: EventBridge rules disabled
-- description: Rules of Amazon EventBridge deleted, disabled or stripped of their targets. Rules
--   forward findings and react to changes; guard rails of an account often hang on one.
-- hit: Something no longer reacts to events, or somebody tried to bring that about.
-- caveat: What the rule did is in the PutRule and PutTargets that made it, perhaps before these
--   logs begin. Denied calls come without parameters. Calls by AWS services, which manage rules of
--   their own, are left out.
-- severity: medium
-- attack: TA0005:T1562.001
-- service: Amazon EventBridge
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DisableRule.html
-- false_positive: Stacks torn down or replaced; schedules that are paused.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.name'),
                json_extract_scalar(requestparameters, '$.rule')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       json_extract_scalar(requestparameters, '$.eventBusName') AS event_bus,
       json_format(json_extract(requestparameters, '$.ids')) AS targets,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 'events.amazonaws.com'
  AND  eventname IN ('DeleteRule', 'DisableRule', 'RemoveTargets', 'DeleteEventBus',
                     'DeauthorizeConnection')
  AND  useridentity.invokedby IS NULL
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

-- title: CloudWatch alarms silenced
-- description: Alarms deleted, their actions disabled or their state set by hand, and the metric
--   filters that feed them deleted. The CIS monitors on CloudTrail work through such filters and
--   alarms.
-- hit: An alarm no longer fires, or somebody tried to bring that about; `resource` names it.
-- caveat: More than three alarms of one call are in `asked_for`. Denied calls come without
--   parameters. A topic or subscription that was removed silences an alarm as well and is not seen
--   here. Auto Scaling deletes its own alarms; those calls are left out.
-- severity: medium
-- attack: TA0005:T1562.008
-- service: Amazon CloudWatch
-- service: Amazon CloudWatch Logs
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DisableAlarmActions.html
-- false_positive: Deployments that replace stacks; maintenance windows.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(array_join(slice(CAST(json_extract(requestparameters,
                                                   '$.alarmNames') AS array(varchar)), 1, 3), ', '),
                json_extract_scalar(requestparameters, '$.alarmName'),
                json_extract_scalar(requestparameters, '$.filterName')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       json_extract_scalar(requestparameters, '$.stateValue') AS state_set,
       requestparameters AS asked_for,
       useragent
FROM   cloudtrail_logs
WHERE  (eventsource = 'monitoring.amazonaws.com'
        AND eventname IN ('DeleteAlarms', 'DisableAlarmActions', 'SetAlarmState',
                          'DeleteAnomalyDetector', 'DeleteMetricStream', 'StopMetricStreams',
                          'DeleteInsightRules', 'DisableInsightRules')
        OR eventsource = 'logs.amazonaws.com'
        AND eventname IN ('DeleteMetricFilter'))
  AND  coalesce(useridentity.invokedby, '') NOT IN ('autoscaling.amazonaws.com',
                                                    'application-autoscaling.amazonaws.com')
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

-- title: Traffic mirroring set up
-- description: Sessions, targets and filters of VPC Traffic Mirroring: a copy of an interface's
--   packets goes to whoever runs the target.
-- hit: Traffic of `resource` is, or can be, read in passing; or somebody tried to bring that
--   about.
-- caveat: A target may lie in another account. Only a session sends packets: targets and filters
--   alone do nothing.
-- severity: high
-- attack: TA0010:T1020.001
-- attack: TA0006:T1040
-- service: Amazon VPC
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/vpc/latest/mirroring/what-is-traffic-mirroring.html
-- false_positive: Network monitoring products.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters,
                                    '$.CreateTrafficMirrorSessionRequest.NetworkInterfaceId'),
                json_extract_scalar(requestparameters,
                                    '$.CreateTrafficMirrorTargetRequest.NetworkInterfaceId'),
                json_extract_scalar(requestparameters,
                                    '$.CreateTrafficMirrorTargetRequest.NetworkLoadBalancerArn'),
                json_extract_scalar(requestparameters,
                                    '$.CreateTrafficMirrorFilterRuleRequest.TrafficMirrorFilterId'),
                json_extract_scalar(requestparameters,
                                    '$.ModifyTrafficMirrorSessionRequest.TrafficMirrorSessionId'),
                json_extract_scalar(responseelements,
                                    '$.CreateTrafficMirrorFilterResponse.trafficMirrorFilter.trafficMirrorFilterId')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       coalesce(json_extract_scalar(requestparameters,
                                    '$.CreateTrafficMirrorSessionRequest.TrafficMirrorTargetId'),
                json_extract_scalar(requestparameters,
                                    '$.ModifyTrafficMirrorSessionRequest.TrafficMirrorTargetId'))
                  AS sent_to,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 'ec2.amazonaws.com'
  AND  eventname IN ('CreateTrafficMirrorSession', 'ModifyTrafficMirrorSession',
                     'CreateTrafficMirrorTarget', 'CreateTrafficMirrorFilter',
                     'CreateTrafficMirrorFilterRule')
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

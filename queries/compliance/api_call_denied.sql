-- title: Unauthorized API call
-- description: Each refused call, as the CIS benchmark wants it watched. To see who was refused
--   much, begin with `failed_calls` or `calls_denied_in_bursts`.
-- hit: A principal was refused this call.
-- caveat: Left out, as by CIS, are log deliveries of AWS and HeadBucket, with which programs ask
--   whether a bucket is there. Refused data events are there only where the trail records them.
-- severity: informational
-- attack: TA0007:T1580
-- service: AWS CloudTrail
-- service: IAM
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
-- false_positive: nearly all: programs and people without a permission

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(element_at(resources, 1).arn,
                regexp_extract(errormessage, 'on resource: (\S+)', 1)) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       eventsource,
       errorcode,
       deny_type,
       deny_policy_arn,
       useragent
FROM   cloudtrail_logs
WHERE  outcome = 'denied'
  AND  sourceipaddress <> 'delivery.logs.amazonaws.com'
  AND  eventname <> 'HeadBucket'
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

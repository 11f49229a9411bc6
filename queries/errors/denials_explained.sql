-- title: Why calls were denied
-- description: Refused calls with the reason that AWS gave: which kind of policy said no, which
--   one, and whether it denied the call or only did not allow it. Answers the intruder's next
--   question, and the colleague's whose dashboard is empty (`service=monitoring` or `logs`).
-- hit: One principal, action and reason.
-- caveat: Not every service says why, and EC2 puts the reason into an encoded message that only
--   DecodeAuthorizationMessage opens. If several policies deny, AWS names one. The message is the
--   service's text, and AWS changes it.
-- service: IAM
-- service: Amazon CloudWatch
-- param: service varchar = '%' -- only services that match, as in LIKE: s3, monitoring
-- param: principal varchar = '%' -- only principals that match, as in LIKE
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html

SELECT principal_key,
       coalesce(deny_action, concat(service, ':', event_name_base)) AS refused,
       deny_type,
       deny_explicit,
       deny_policy_arn,
       recipientaccountid,
       count(*) AS calls,
       count(DISTINCT awsregion) AS regions,
       count(DISTINCT sourceipaddress) AS addresses,
       min(eventtime) AS first_seen,
       max(eventtime) AS last_seen,
       max_by(errormessage, concat(eventtime, eventid)) AS last_message
FROM   cloudtrail_logs
WHERE  outcome = 'denied'
  AND  coalesce(service, '') LIKE :service
  AND  coalesce(principal_key, '') LIKE :principal
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY principal_key, coalesce(deny_action, concat(service, ':', event_name_base)), deny_type,
       deny_explicit, deny_policy_arn, recipientaccountid
ORDER  BY calls DESC, principal_key, refused, deny_type, deny_explicit, deny_policy_arn,
       recipientaccountid

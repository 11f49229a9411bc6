-- title: Privileged session as root of a member account
-- description: AssumeRoot: an administrator of the organization took, or tried to take, a session
--   as the root user of a member account, limited to one of five tasks such as deleting its
--   bucket's or queue's policy. The way around a policy that locks everybody out.
-- hit: One call of AssumeRoot; `task` is the policy that limits the session, `issued_key` its key.
-- caveat: What the session then did is recorded in the member account; follow `issued_key` there. A
--   caller that was denied has no `issued_key`, and AWS may leave the parameters out.
-- severity: medium
-- attack: TA0004:T1078.004
-- service: AWS STS
-- service: AWS Organizations
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user-privileged-task.html
-- false_positive: central root access in its proper use, such as removing a wrong bucket policy

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       json_extract_scalar(requestparameters, '$.targetPrincipal') AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       coalesce(json_extract_scalar(requestparameters, '$.taskPolicyArn.arn'),
                json_extract_scalar(requestparameters, '$.taskPolicyArn')) AS task,
       outcome,
       errorcode,
       issued_key,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 'sts.amazonaws.com'
  AND  eventname = 'AssumeRoot'
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

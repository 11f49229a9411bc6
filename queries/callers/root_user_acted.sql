-- title: The root user acted
-- description: Every call and sign-in with the credentials of an account's root user. Root is above
--   all policies but the organization's; nearly nothing needs it.
-- hit: The root user did this, or tried to. With `access_key` that begins with AKIA, root has a
--   long-term key, which should not exist.
-- caveat: Calls that AWS makes for root, and its service events, are left out, as in the CIS
--   benchmark. Privileged root sessions of member accounts (AssumeRoot) are found by
--   `sts_root_session_assumed`. Sign-ins of root are recorded in us-east-1 or the console's region.
-- severity: high
-- attack: TA0001:T1078.004
-- service: IAM
-- service: AWS Management Console
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-tasks.html
-- reference: https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html
-- false_positive: the few tasks that need root: closing the account, changing its support plan or
--   its own settings

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       element_at(resources, 1).arn AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       eventsource,
       outcome,
       errorcode,
       readonly,
       useridentity.accesskeyid AS access_key,
       useridentity.sessioncontext.attributes.mfaauthenticated AS mfa,
       useragent
FROM   cloudtrail_logs
WHERE  useridentity.type = 'Root'
  AND  useridentity.invokedby IS NULL
  AND  coalesce(eventtype, '') <> 'AwsServiceEvent'
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

-- title: Organization guard rail lifted
-- description: Service and resource control policies detached, changed, deleted or switched off,
--   delegated administrators named, trusted services removed, an account leaving the
--   organization: what holds back even administrators is being taken away.
-- hit: `resource` (a policy, account or service) no longer holds, or holds something else.
--   Attempts are rows too: see `outcome`.
-- caveat: UpdatePolicy may tighten as well as loosen; its content is in `policy_statements`. The
--   events are delivered to the management account only, except LeaveOrganization.
-- severity: high
-- attack: TA0005:T1666
-- attack: TA0004:T1098.003
-- service: AWS Organizations
-- service: IAM
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_cloudtrail-integration.html
-- reference: https://docs.aws.amazon.com/organizations/latest/APIReference/API_DetachPolicy.html
-- false_positive: The team that runs the organization; pipelines that deploy service control
--   policies.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.policyId'),
                json_extract_scalar(requestparameters, '$.policyType'),
                json_extract_scalar(requestparameters, '$.accountId'),
                json_extract_scalar(requestparameters, '$.servicePrincipal'),
                recipientaccountid) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       json_extract_scalar(requestparameters, '$.targetId') AS target,
       json_extract_scalar(requestparameters, '$.servicePrincipal') AS for_service,
       errormessage
FROM   cloudtrail_logs
WHERE  ((eventsource = 'organizations.amazonaws.com'
         AND eventname IN ('DetachPolicy', 'DeletePolicy', 'UpdatePolicy', 'DisablePolicyType',
                           'DeleteResourcePolicy', 'PutResourcePolicy', 'LeaveOrganization',
                           'RemoveAccountFromOrganization', 'DeleteOrganization',
                           'RegisterDelegatedAdministrator',
                           'DeregisterDelegatedAdministrator', 'DisableAWSServiceAccess'))
        OR (eventsource = 'iam.amazonaws.com'
            AND eventname IN ('EnableOrganizationsRootSessions',
                              'EnableOrganizationsRootCredentialsManagement')))
  AND  outcome IN ('ok', 'denied')
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

-- title: Access granted through IAM Identity Center
-- description: A permission set given to a user or group for an account, policies put into
--   permission sets, and members added to groups of the directory. In the management account this
--   opens every account of the organization.
-- hit: `resource` got what `granted` says, on `target` where the call names an account.
-- caveat: Users and groups appear by their id only. An assignment takes effect some seconds later
--   and its outcome is an event of its own. Groups kept in step by SCIM or Active Directory
--   change without AddMemberToGroup.
-- severity: medium
-- attack: TA0003:T1098.003
-- attack: TA0004:T1098.003
-- service: AWS IAM Identity Center
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_CreateAccountAssignment.html
-- reference: https://docs.aws.amazon.com/singlesignon/latest/userguide/logging-using-cloudtrail.html
-- false_positive: The team that runs Identity Center, its automation, and provisioning (SCIM).

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.principalId'),
                json_extract_scalar(requestparameters, '$.groupId'),
                json_extract_scalar(requestparameters, '$.permissionSetArn'),
                json_extract_scalar(responseelements, '$.permissionSet.permissionSetArn'),
                json_extract_scalar(requestparameters, '$.name')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       coalesce(json_extract_scalar(requestparameters, '$.managedPolicyArn'),
                json_extract_scalar(requestparameters, '$.customerManagedPolicyReference.name'),
                json_extract_scalar(requestparameters, '$.inlinePolicy'),
                json_extract_scalar(requestparameters, '$.member.memberId'),
                json_extract_scalar(requestparameters, '$.memberId.userId'),
                json_extract_scalar(requestparameters, '$.permissionSetArn'),
                json_extract_scalar(requestparameters, '$.name')) AS granted,
       json_extract_scalar(requestparameters, '$.targetId') AS target
FROM   cloudtrail_logs
WHERE  eventsource IN ('sso.amazonaws.com', 'sso-directory.amazonaws.com',
                       'identitystore.amazonaws.com')
  AND  eventname IN ('CreateAccountAssignment', 'CreatePermissionSet',
                     'AttachManagedPolicyToPermissionSet', 'PutInlinePolicyToPermissionSet',
                     'AttachCustomerManagedPolicyReferenceToPermissionSet',
                     'DeletePermissionsBoundaryFromPermissionSet', 'AddMemberToGroup',
                     'CreateGroupMembership')
  AND  outcome IN ('ok', 'denied')
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

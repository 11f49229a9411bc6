-- title: Changes that the CIS benchmark wants watched
-- description: Every change of what the CIS AWS Foundations Benchmark sets monitors on: policies,
--   trails, keys, buckets, Config, network, organization. Choose one with `monitor`, or read them
--   all as the change log of the account's guard rails.
-- hit: Somebody made this change, or tried to; `monitor` says which of the benchmark's lists it is
--   on.
-- caveat: Most are ordinary work; the value is in who and when. Of refused calls the parameters,
--   and with them the resource, are often missing. Root use, refused calls and sign-ins have
--   queries of their own. Newer ways to the same end, such as rules of AWS Network Firewall, are on
--   none of the lists.
-- severity: informational
-- attack: TA0005:T1562
-- attack: TA0003:T1098
-- service: IAM
-- service: AWS CloudTrail
-- service: AWS KMS
-- service: Amazon S3
-- service: AWS Config
-- service: Amazon EC2
-- service: AWS Organizations
-- param: monitor varchar = '%' -- which list, as in LIKE: IAM policies, CloudTrail, KMS keys, S3
--   bucket policies, Config, security groups, network ACLs, gateways, route tables, VPCs,
--   Organizations
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html
-- false_positive: every planned change

WITH changes AS (
  SELECT CASE WHEN eventsource = 'iam.amazonaws.com' AND eventname IN (
                'DeleteGroupPolicy', 'DeleteRolePolicy', 'DeleteUserPolicy', 'PutGroupPolicy',
                'PutRolePolicy', 'PutUserPolicy', 'CreatePolicy', 'DeletePolicy',
                'CreatePolicyVersion', 'DeletePolicyVersion', 'AttachRolePolicy',
                'DetachRolePolicy', 'AttachUserPolicy', 'DetachUserPolicy', 'AttachGroupPolicy',
                'DetachGroupPolicy', 'SetDefaultPolicyVersion', 'PutUserPermissionsBoundary',
                'DeleteUserPermissionsBoundary', 'PutRolePermissionsBoundary',
                'DeleteRolePermissionsBoundary')
                THEN 'IAM policies'
              WHEN eventsource = 'cloudtrail.amazonaws.com' AND eventname IN (
                'CreateTrail', 'UpdateTrail', 'DeleteTrail', 'StartLogging', 'StopLogging',
                'PutEventSelectors')
                THEN 'CloudTrail'
              WHEN eventsource = 'kms.amazonaws.com' AND eventname IN (
                'DisableKey', 'ScheduleKeyDeletion')
                THEN 'KMS keys'
              WHEN eventsource = 's3.amazonaws.com' AND eventname IN (
                'PutBucketAcl', 'PutBucketPolicy', 'PutBucketCors', 'PutBucketLifecycle',
                'PutBucketReplication', 'DeleteBucketPolicy', 'DeleteBucketCors',
                'DeleteBucketLifecycle', 'DeleteBucketReplication')
                THEN 'S3 bucket policies'
              WHEN eventsource = 'config.amazonaws.com' AND eventname IN (
                'StopConfigurationRecorder', 'DeleteDeliveryChannel', 'PutDeliveryChannel',
                'PutConfigurationRecorder')
                THEN 'Config'
              WHEN eventsource = 'ec2.amazonaws.com' AND eventname IN (
                'AuthorizeSecurityGroupIngress', 'AuthorizeSecurityGroupEgress',
                'RevokeSecurityGroupIngress', 'RevokeSecurityGroupEgress', 'CreateSecurityGroup',
                'DeleteSecurityGroup', 'ModifySecurityGroupRules')
                THEN 'security groups'
              WHEN eventsource = 'ec2.amazonaws.com' AND eventname IN (
                'CreateNetworkAcl', 'CreateNetworkAclEntry', 'DeleteNetworkAcl',
                'DeleteNetworkAclEntry', 'ReplaceNetworkAclEntry', 'ReplaceNetworkAclAssociation')
                THEN 'network ACLs'
              WHEN eventsource = 'ec2.amazonaws.com' AND eventname IN (
                'CreateCustomerGateway', 'DeleteCustomerGateway', 'AttachInternetGateway',
                'CreateInternetGateway', 'DeleteInternetGateway', 'DetachInternetGateway')
                THEN 'gateways'
              WHEN eventsource = 'ec2.amazonaws.com' AND eventname IN (
                'CreateRoute', 'CreateRouteTable', 'ReplaceRoute', 'ReplaceRouteTableAssociation',
                'DeleteRouteTable', 'DeleteRoute', 'DisassociateRouteTable')
                THEN 'route tables'
              WHEN eventsource = 'ec2.amazonaws.com' AND eventname IN (
                'CreateVpc', 'DeleteVpc', 'ModifyVpcAttribute', 'AcceptVpcPeeringConnection',
                'CreateVpcPeeringConnection', 'DeleteVpcPeeringConnection',
                'RejectVpcPeeringConnection', 'AttachClassicLinkVpc', 'DetachClassicLinkVpc',
                'DisableVpcClassicLink', 'EnableVpcClassicLink')
                THEN 'VPCs'
              WHEN eventsource = 'organizations.amazonaws.com' AND eventname IN (
                'AcceptHandshake', 'AttachPolicy', 'CreateAccount', 'CreateOrganizationalUnit',
                'CreatePolicy', 'DeclineHandshake', 'DeleteOrganization',
                'DeleteOrganizationalUnit', 'DeletePolicy', 'DetachPolicy', 'DisablePolicyType',
                'EnablePolicyType', 'InviteAccountToOrganization', 'LeaveOrganization',
                'MoveAccount', 'RemoveAccountFromOrganization', 'UpdatePolicy',
                'UpdateOrganizationalUnit')
                THEN 'Organizations'
         END AS monitor,
         eventtime,
         principal_key,
         eventname,
         resources,
         requestparameters,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid,
         eventsource,
         outcome,
         errorcode,
         useragent
  FROM   cloudtrail_logs
  WHERE  eventsource IN ('iam.amazonaws.com', 'cloudtrail.amazonaws.com', 'kms.amazonaws.com',
                         's3.amazonaws.com', 'config.amazonaws.com', 'ec2.amazonaws.com',
                         'organizations.amazonaws.com')
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
)
SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(element_at(resources, 1).arn,
                json_extract_scalar(requestparameters, '$.userName'),
                json_extract_scalar(requestparameters, '$.roleName'),
                json_extract_scalar(requestparameters, '$.groupName'),
                json_extract_scalar(requestparameters, '$.policyArn'),
                json_extract_scalar(requestparameters, '$.policyName'),
                json_extract_scalar(requestparameters, '$.name'),
                json_extract_scalar(requestparameters, '$.trailName'),
                json_extract_scalar(requestparameters, '$.keyId'),
                json_extract_scalar(requestparameters, '$.bucketName'),
                json_extract_scalar(requestparameters, '$.groupId'),
                json_extract_scalar(requestparameters, '$.networkAclId'),
                json_extract_scalar(requestparameters, '$.routeTableId'),
                json_extract_scalar(requestparameters, '$.internetGatewayId'),
                json_extract_scalar(requestparameters, '$.customerGatewayId'),
                json_extract_scalar(requestparameters, '$.vpcPeeringConnectionId'),
                json_extract_scalar(requestparameters, '$.vpcId'),
                json_extract_scalar(requestparameters, '$.policyId'),
                json_extract_scalar(requestparameters, '$.accountId'),
                json_extract_scalar(requestparameters, '$.configurationRecorderName'),
                json_extract_scalar(requestparameters, '$.deliveryChannelName')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       monitor,
       eventsource,
       outcome,
       errorcode,
       useragent
FROM   changes
WHERE  monitor LIKE :monitor
ORDER  BY eventtime, eventid

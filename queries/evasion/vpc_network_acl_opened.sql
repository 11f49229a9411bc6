-- title: Network ACL opened
-- description: Entries of network ACLs that allow a range ending in /0, and deny entries that
--   were deleted or replaced. Network ACLs are the second fence of a subnet and seldom changed.
-- hit: The subnet's second fence lets more through, or somebody tried to bring that about.
-- caveat: A deleted entry does not say whether it allowed or denied: look for the call that made
--   it. Security groups still apply.
-- severity: low
-- attack: TA0005:T1562.007
-- service: Amazon VPC
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkAclEntry.html
-- false_positive: New VPCs, whose ACLs allow everything by default.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       json_extract_scalar(requestparameters, '$.networkAclId') AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       json_extract_scalar(requestparameters, '$.ruleNumber') AS rule_number,
       json_extract_scalar(requestparameters, '$.ruleAction') AS rule_action,
       json_extract_scalar(requestparameters, '$.egress') AS egress,
       coalesce(json_extract_scalar(requestparameters, '$.cidrBlock'),
                json_extract_scalar(requestparameters, '$.ipv6CidrBlock')) AS open_to,
       json_extract_scalar(requestparameters, '$.portRange.from') AS from_port,
       json_extract_scalar(requestparameters, '$.portRange.to') AS to_port,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 'ec2.amazonaws.com'
  AND  (eventname = 'DeleteNetworkAclEntry'
        OR (eventname IN ('CreateNetworkAclEntry', 'ReplaceNetworkAclEntry')
            AND json_extract_scalar(requestparameters, '$.ruleAction') = 'allow'
            AND coalesce(json_extract_scalar(requestparameters, '$.cidrBlock'),
                         json_extract_scalar(requestparameters, '$.ipv6CidrBlock')) LIKE '%/0'))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

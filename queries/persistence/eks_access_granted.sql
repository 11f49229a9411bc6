-- title: Access to an EKS cluster granted to a principal
-- description: An access entry lets an IAM principal into a cluster; an access policy says what
--   it may do there. Both are calls of AWS, which reach into Kubernetes without touching it.
-- hit: `resource` (an IAM role or user) may use `cluster`, with `policy` or the Kubernetes
--   `groups`. AmazonEKSClusterAdminPolicy is everything, the same as system:masters.
-- caveat: Access through the aws-auth map inside the cluster leaves no event of AWS, only one in
--   the cluster's own audit log. Denied attempts are rows too.
-- severity: medium
-- attack: TA0003:T1098.006
-- attack: TA0004:T1098.006
-- service: Amazon EKS
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html
-- reference: https://docs.aws.amazon.com/eks/latest/userguide/access-policies.html
-- false_positive: The team that runs clusters; node groups and Fargate profiles make entries for
--   their roles.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(try(url_decode(json_extract_scalar(requestparameters, '$.principalArn'))),
                json_extract_scalar(requestparameters, '$.principalArn')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       coalesce(json_extract_scalar(requestparameters, '$.name'),
                json_extract_scalar(requestparameters, '$.clusterName')) AS cluster,
       json_extract_scalar(requestparameters, '$.policyArn') AS policy,
       json_extract_scalar(requestparameters, '$.accessScope.type') AS scope,
       json_format(json_extract(requestparameters, '$.kubernetesGroups')) AS groups,
       coalesce(json_extract_scalar(requestparameters, '$.policyArn')
                  LIKE '%/AmazonEKSClusterAdminPolicy'
                OR strpos(json_format(json_extract(requestparameters, '$.kubernetesGroups')),
                          'system:masters') > 0, false) AS admin,
       coalesce(regexp_extract(json_extract_scalar(requestparameters, '$.principalArn'),
                               '[0-9]{12}')
                <> recipientaccountid, false) AS outside,
       outcome
FROM   cloudtrail_logs
WHERE  eventsource = 'eks.amazonaws.com'
  AND  eventname IN ('CreateAccessEntry', 'UpdateAccessEntry', 'AssociateAccessPolicy')
  AND  outcome IN ('ok', 'denied')
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

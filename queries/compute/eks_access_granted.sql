-- title: Access to an EKS cluster granted
-- description: Access entries and policies, identity providers, pod identities and endpoints of
--   Amazon EKS clusters: what lets a principal of AWS, or anybody with a token, rule Kubernetes.
-- hit: `let_in` got access to the cluster, or its endpoint was opened, or somebody tried to
--   bring that about.
-- caveat: Access through the old aws-auth map and inside Kubernetes is in the cluster's audit
--   log, not in CloudTrail. Whoever makes a cluster rules it.
-- severity: medium
-- attack: TA0003:T1098.006
-- service: Amazon EKS
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html
-- false_positive: Clusters set up by infrastructure as code.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.name'),
                json_extract_scalar(requestparameters, '$.clusterName')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       url_decode(coalesce(json_extract_scalar(requestparameters, '$.principalArn'),
                           json_extract_scalar(requestparameters, '$.roleArn'),
                           json_extract_scalar(requestparameters, '$.oidc.issuerUrl'))) AS let_in,
       coalesce(json_extract_scalar(requestparameters, '$.policyArn'),
                json_format(json_extract(requestparameters, '$.kubernetesGroups'))) AS rights,
       json_format(json_extract(requestparameters, '$.resourcesVpcConfig')) AS endpoint,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 'eks.amazonaws.com'
  AND  (eventname IN ('CreateAccessEntry', 'UpdateAccessEntry', 'AssociateAccessPolicy',
                      'AssociateIdentityProviderConfig', 'CreatePodIdentityAssociation',
                      'UpdatePodIdentityAssociation')
        OR (eventname = 'UpdateClusterConfig'
            AND regexp_like(requestparameters, '"endpointPublicAccess"\s*:\s*true|/0"')))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

-- title: Compute created outside of EC2
-- description: Clusters, tasks, jobs, notebooks, bundles and stacks of the other services that
--   run code: ECS, EKS, Batch, SageMaker, Lightsail, Glue, EMR, Auto Scaling, CloudFormation, App
--   Runner, CodeBuild, WorkSpaces.
-- hit: Somebody had code run there, or tried to. A service that nobody uses is the finding.
-- caveat: Lambda functions have queries of their own. Denied calls come without parameters.
--   Calls that services make for each other are left out.
-- severity: informational
-- attack: TA0040:T1496.001
-- attack: TA0005:T1578.002
-- service: Amazon ECS
-- service: AWS Batch
-- service: Amazon SageMaker
-- service: Amazon Lightsail
-- service: AWS Glue
-- service: Amazon EMR
-- service: AWS CloudFormation
-- param: except_services array(varchar) = '' -- services that are in use, such as ecs, cloudformation
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
-- false_positive: Every account that uses these services: name them in `except_services`.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.taskDefinition'),
                json_extract_scalar(requestparameters, '$.clusterName'),
                json_extract_scalar(requestparameters, '$.cluster'),
                json_extract_scalar(requestparameters, '$.serviceName'),
                json_extract_scalar(requestparameters, '$.family'),
                json_extract_scalar(requestparameters, '$.jobName'),
                json_extract_scalar(requestparameters, '$.notebookInstanceName'),
                json_extract_scalar(requestparameters, '$.trainingJobName'),
                json_extract_scalar(requestparameters, '$.processingJobName'),
                json_extract_scalar(requestparameters, '$.endpointName'),
                json_extract_scalar(requestparameters, '$.stackName'),
                json_extract_scalar(requestparameters, '$.autoScalingGroupName'),
                json_extract_scalar(requestparameters, '$.projectName'),
                json_extract_scalar(requestparameters, '$.computeEnvironmentName'),
                json_format(json_extract(requestparameters, '$.instanceNames')),
                json_extract_scalar(requestparameters, '$.name')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       service,
       outcome,
       errorcode,
       coalesce(json_extract_scalar(requestparameters, '$.instanceType'),
                json_extract_scalar(requestparameters, '$.bundleId'),
                json_extract_scalar(requestparameters, '$.resourceConfig.instanceType'),
                json_extract_scalar(requestparameters, '$.workerType')) AS size,
       coalesce(json_extract_scalar(requestparameters, '$.desiredCount'),
                json_extract_scalar(requestparameters, '$.count'),
                json_extract_scalar(requestparameters, '$.desiredCapacity'),
                json_extract_scalar(requestparameters, '$.resourceConfig.instanceCount')) AS number,
       useragent
FROM   cloudtrail_logs
WHERE  (eventsource = 'ecs.amazonaws.com'
        AND eventname IN ('CreateCluster', 'RegisterTaskDefinition', 'RunTask', 'StartTask',
                          'CreateService')
        OR eventsource = 'eks.amazonaws.com'
        AND eventname IN ('CreateCluster', 'CreateNodegroup', 'CreateFargateProfile')
        OR eventsource = 'batch.amazonaws.com'
        AND eventname IN ('CreateComputeEnvironment', 'RegisterJobDefinition', 'SubmitJob')
        OR eventsource = 'sagemaker.amazonaws.com'
        AND eventname IN ('CreateNotebookInstance', 'CreateTrainingJob', 'CreateProcessingJob',
                          'CreateEndpoint', 'CreateDomain', 'CreateApp',
                          'CreateHyperParameterTuningJob')
        OR eventsource = 'lightsail.amazonaws.com'
        AND eventname IN ('CreateInstances', 'CreateInstancesFromSnapshot',
                          'CreateContainerService')
        OR eventsource = 'autoscaling.amazonaws.com'
        AND eventname IN ('CreateAutoScalingGroup', 'CreateLaunchConfiguration')
        OR eventsource = 'cloudformation.amazonaws.com'
        AND eventname IN ('CreateStack', 'CreateStackSet', 'CreateStackInstances')
        OR eventsource = 'glue.amazonaws.com'
        AND eventname IN ('CreateDevEndpoint', 'UpdateDevEndpoint', 'CreateJob', 'CreateSession')
        OR eventsource = 'elasticmapreduce.amazonaws.com'
        AND eventname IN ('RunJobFlow')
        OR eventsource = 'codebuild.amazonaws.com'
        AND eventname IN ('CreateProject', 'StartBuild', 'StartBuildBatch')
        OR eventsource = 'apprunner.amazonaws.com'
        AND eventname IN ('CreateService')
        OR eventsource = 'workspaces.amazonaws.com'
        AND eventname IN ('CreateWorkspaces'))
  AND  useridentity.invokedby IS NULL
  AND  NOT contains(:except_services, service)
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

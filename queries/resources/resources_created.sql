-- title: What a suspect created, and what is left of it
-- description: Resources that were created, with who deleted them again, if anybody did. After an
--   incident what a suspect made and nobody deleted is what has to go: users, keys, instances,
--   functions, roles.
-- hit: One resource that was created; `deleted_at` is empty where no deletion of it was seen.
-- caveat: Resources are told by the id or name in the request or response, for the common services.
--   What was deleted with something around it (a stack, a bucket emptied by a rule) or before the
--   logs end looks as if it were still there: check in the account. Changes to what existed before
--   do not show.
-- attack: TA0005:T1578.002
-- attack: TA0003:T1136.003
-- service: AWS CloudTrail
-- param: principal varchar = '%' -- only creators that match, as in LIKE
-- param: left boolean = false -- only what was not deleted
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

WITH created AS (
  SELECT eventtime,
         event_ts,
         principal_key,
         eventsource,
         event_name_base,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid,
         CASE WHEN eventname = 'RunInstances'
              THEN transform(CAST(json_extract(responseelements, '$.instancesSet.items')
                                  AS array(json)),
                             i -> json_extract_scalar(i, '$.instanceId'))
              ELSE ARRAY[coalesce(
                json_extract_scalar(responseelements, '$.accessKey.accessKeyId'),
                json_extract_scalar(responseelements, '$.groupId'),
                json_extract_scalar(responseelements, '$.snapshotId'),
                json_extract_scalar(responseelements, '$.imageId'),
                json_extract_scalar(responseelements, '$.volumeId'),
                json_extract_scalar(responseelements, '$.allocationId'),
                json_extract_scalar(responseelements, '$.vpc.vpcId'),
                json_extract_scalar(responseelements, '$.subnet.subnetId'),
                json_extract_scalar(responseelements, '$.internetGateway.internetGatewayId'),
                json_extract_scalar(responseelements, '$.networkInterface.networkInterfaceId'),
                json_extract_scalar(responseelements, '$.keyMetadata.keyId'),
                json_extract_scalar(responseelements, '$.policy.arn'),
                json_extract_scalar(responseelements, '$.detectorId'),
                json_extract_scalar(requestparameters, '$.policyName'),
                json_extract_scalar(requestparameters, '$.instanceProfileName'),
                json_extract_scalar(requestparameters, '$.roleName'),
                json_extract_scalar(requestparameters, '$.userName'),
                json_extract_scalar(requestparameters, '$.groupName'),
                json_extract_scalar(requestparameters, '$.bucketName'),
                json_extract_scalar(requestparameters, '$.functionName'),
                json_extract_scalar(requestparameters, '$.keyName'),
                json_extract_scalar(requestparameters, '$.dBSnapshotIdentifier'),
                json_extract_scalar(requestparameters, '$.dBInstanceIdentifier'),
                json_extract_scalar(requestparameters, '$.dBClusterIdentifier'),
                json_extract_scalar(requestparameters, '$.stackName'),
                json_extract_scalar(requestparameters, '$.clusterName'),
                json_extract_scalar(requestparameters, '$.logGroupName'),
                json_extract_scalar(requestparameters, '$.tableName'),
                json_extract_scalar(requestparameters, '$.name'))]
         END AS ids,
         coalesce(json_extract_scalar(responseelements, '$.arn'),
                  json_extract_scalar(responseelements, '$.aRN'),
                  json_extract_scalar(responseelements, '$.functionArn'),
                  json_extract_scalar(responseelements, '$.stackId'),
                  json_extract_scalar(responseelements, '$.trustAnchor.trustAnchorId'),
                  json_extract_scalar(responseelements, '$.profile.profileId'),
                  json_extract_scalar(responseelements, '$.trailARN')) AS other_id
  FROM   cloudtrail_logs
  WHERE  outcome = 'ok'
    AND  (eventname LIKE 'Create%'
          OR eventname IN ('RunInstances', 'CopySnapshot', 'CopyImage', 'ImportKeyPair',
                           'AllocateAddress', 'RegisterImage', 'RestoreDBInstanceFromDBSnapshot'))
    AND  NOT (eventsource = 'logs.amazonaws.com' AND eventname = 'CreateLogStream')
    AND  coalesce(useridentity.type, 'AWSService') <> 'AWSService'
    AND  coalesce(principal_key, '') LIKE :principal
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
resources_made AS (
  SELECT created.*, id
  FROM   created
  CROSS  JOIN UNNEST(ids) AS made (id)
  WHERE  id IS NOT NULL
),
deleted AS (
  SELECT eventtime,
         event_ts,
         principal_key,
         eventsource,
         eventname,
         recipientaccountid,
         requestparameters
  FROM   cloudtrail_logs
  WHERE  outcome = 'ok'
    AND  (eventname LIKE 'Delete%' OR eventname LIKE 'Terminate%' OR eventname LIKE 'Deregister%'
          OR eventname IN ('ReleaseAddress', 'ScheduleKeyDeletion'))
)
SELECT resources_made.eventtime,
       resources_made.principal_key,
       resources_made.eventsource,
       resources_made.event_name_base AS created_by,
       resources_made.id AS resource,
       min(deleted.eventtime) AS deleted_at,
       min_by(deleted.principal_key, deleted.eventtime) AS deleted_by,
       resources_made.sourceipaddress,
       resources_made.recipientaccountid,
       resources_made.awsregion,
       resources_made.eventid
FROM   resources_made
LEFT   JOIN deleted
  ON   deleted.recipientaccountid = resources_made.recipientaccountid
 AND   deleted.eventsource = resources_made.eventsource
 AND   deleted.event_ts >= resources_made.event_ts
 AND   (strpos(deleted.requestparameters, concat('"', resources_made.id, '"')) > 0
        OR strpos(deleted.requestparameters, concat('"', resources_made.other_id, '"')) > 0)
GROUP  BY resources_made.eventtime, resources_made.principal_key, resources_made.eventsource,
       resources_made.event_name_base, resources_made.id, resources_made.sourceipaddress,
       resources_made.recipientaccountid, resources_made.awsregion, resources_made.eventid
HAVING NOT :left OR min(deleted.eventtime) IS NULL
ORDER  BY CASE WHEN min(deleted.eventtime) IS NULL THEN 0 ELSE 1 END,
       resources_made.eventtime, resources_made.eventid, resource

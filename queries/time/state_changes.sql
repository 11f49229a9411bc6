-- title: What was changed, by whom, in order
-- description: Only the calls that changed something and succeeded, each with the thing it was done
--   to: the story of an incident without the reading around it. Narrow it to the suspects.
-- hit: One change that took effect.
-- caveat: What the call was done to is told from its parameters for the common services, and
--   missing for others: read `requestparameters` there. Refused and failed attempts are left out,
--   and so are changes of data (objects, items) where the trail does not record them. `trailhound
--   timeline` puts it in words.
-- service: AWS CloudTrail
-- param: principal varchar = '%' -- only principals that match, as in LIKE
-- param: address varchar = '%' -- only source IP addresses that match, as in LIKE
-- param: services boolean = false -- also what AWS's services did by themselves
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

SELECT eventtime,
       principal_key,
       session_name,
       service,
       event_name_base AS done,
       coalesce(element_at(resources, 1).arn,
                json_extract_scalar(requestparameters, '$.userName'),
                json_extract_scalar(requestparameters, '$.roleName'),
                json_extract_scalar(requestparameters, '$.groupName'),
                json_extract_scalar(requestparameters, '$.policyArn'),
                json_extract_scalar(requestparameters, '$.roleArn'),
                json_extract_scalar(requestparameters, '$.bucketName'),
                json_extract_scalar(requestparameters, '$.functionName'),
                json_extract_scalar(requestparameters, '$.instancesSet.items[0].instanceId'),
                json_extract_scalar(responseelements, '$.instancesSet.items[0].instanceId'),
                json_extract_scalar(requestparameters, '$.instanceId'),
                json_extract_scalar(requestparameters, '$.groupId'),
                json_extract_scalar(requestparameters, '$.snapshotId'),
                json_extract_scalar(requestparameters, '$.volumeId'),
                json_extract_scalar(requestparameters, '$.imageId'),
                json_extract_scalar(requestparameters, '$.keyId'),
                json_extract_scalar(requestparameters, '$.secretId'),
                json_extract_scalar(requestparameters, '$.dBInstanceIdentifier'),
                json_extract_scalar(requestparameters, '$.stackName'),
                json_extract_scalar(requestparameters, '$.logGroupName'),
                json_extract_scalar(requestparameters, '$.resourceArn'),
                json_extract_scalar(requestparameters, '$.trailName'),
                json_extract_scalar(requestparameters, '$.name')) AS to_what,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       requestparameters,
       eventid
FROM   cloudtrail_logs
WHERE  is_write
  AND  outcome = 'ok'
  AND  (:services
        OR (coalesce(useridentity.type, 'AWSService') <> 'AWSService'
            AND useridentity.invokedby IS NULL))
  AND  coalesce(principal_key, '') LIKE :principal
  AND  coalesce(sourceipaddress, '') LIKE :address
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

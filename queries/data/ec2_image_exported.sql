-- title: Machine image or instance exported
-- description: Exports of instances and images to Amazon S3 as files of a virtual machine.
-- hit: The disk's content lies, or will lie, in `bucket` as a file that anybody who may read the
--   bucket can take; or somebody tried to bring that about.
-- caveat: That the file was fetched afterwards is a data event of that bucket. Denied calls may
--   come without parameters.
-- severity: medium
-- attack: TA0010:T1537
-- attack: TA0009:T1530
-- service: Amazon EC2
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/vm-import/latest/userguide/vmexport.html
-- false_positive: Migrations to another platform.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.instanceId'),
                json_extract_scalar(requestparameters,
                                    '$.CreateInstanceExportTaskRequest.InstanceId'),
                json_extract_scalar(requestparameters, '$.CreateStoreImageTaskRequest.ImageId'),
                json_extract_scalar(requestparameters, '$.ExportImageRequest.ImageId'),
                json_extract_scalar(requestparameters, '$.imageId')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       coalesce(json_extract_scalar(requestparameters, '$.exportToS3.s3Bucket'),
                json_extract_scalar(requestparameters, '$.exportToS3Task.s3Bucket'),
                regexp_extract(requestparameters,
                               '"(?:[sS]3)?[bB]ucket"\s*:\s*"([^"]+)"', 1)) AS bucket,
       requestparameters AS asked_for,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 'ec2.amazonaws.com'
  AND  eventname IN ('CreateInstanceExportTask', 'ExportImage', 'CreateStoreImageTask')
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

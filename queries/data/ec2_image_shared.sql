-- title: Machine image shared
-- description: AMIs that were opened to another account, an organization or everybody: the disks
--   behind them go along.
-- hit: `shared_with` can launch the image, and read its disks, from then on; or somebody tried
--   to bring that about.
-- caveat: The image's snapshots can be read by whoever launches it. No event tells that an image
--   was launched elsewhere.
-- severity: high
-- attack: TA0010:T1537
-- service: Amazon EC2
-- param: known array(varchar) = '' -- accounts that belong to us
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sharingamis-explicit.html
-- false_positive: Teams that publish images; image pipelines of an organization.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       json_extract_scalar(requestparameters, '$.imageId') AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       coalesce(json_extract_scalar(s.item, '$.userId'),
                json_extract_scalar(s.item, '$.organizationArn'),
                json_extract_scalar(s.item, '$.organizationalUnitArn'),
                CASE WHEN coalesce(json_extract_scalar(s.item, '$.group'),
                                   json_extract_scalar(s.item, '$.groups')) = 'all'
                     THEN 'everybody' END) AS shared_with,
       useragent
FROM   cloudtrail_logs
CROSS  JOIN UNNEST(CAST(json_extract(requestparameters,
                                     '$.launchPermission.add.items') AS array(json))) AS s(item)
WHERE  eventsource = 'ec2.amazonaws.com'
  AND  eventname = 'ModifyImageAttribute'
  AND  coalesce(json_extract_scalar(s.item, '$.userId'), '') <> recipientaccountid
  AND  NOT contains(:known, coalesce(json_extract_scalar(s.item, '$.userId'), ''))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid, shared_with

-- title: Certificate exported with its private key
-- description: Exports of ACM certificates: the caller holds the private key from then on,
--   encrypted with a passphrase of its own.
-- hit: Whoever called can impersonate the names of the certificate until it is revoked; or tried
--   to.
-- caveat: Only private certificates and those requested as exportable can be exported. The
--   passphrase is hidden. Where it is used afterwards is not in CloudTrail.
-- severity: medium
-- attack: TA0006:T1552.004
-- service: AWS Certificate Manager
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/acm/latest/APIReference/API_ExportCertificate.html
-- false_positive: Deployment tools that put private certificates on servers.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       json_extract_scalar(requestparameters, '$.certificateArn') AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 'acm.amazonaws.com'
  AND  eventname = 'ExportCertificate'
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

-- title: Certificates requested, imported, exported or deleted
-- description: The life of ACM certificates, in order: requested for which names, imported,
--   validated, renewed, exported, revoked, deleted.
-- hit: What happened to the certificate; one that nobody asked for, for a name of yours, serves
--   to impersonate you.
-- caveat: Names are in the request only; later calls carry the ARN. Renewals that ACM does by
--   itself have no principal. Use of a certificate is in the listener's calls.
-- attack: TA0042:T1588.004
-- service: AWS Certificate Manager
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/acm/latest/userguide/cloudtrail-examples.html

SELECT eventtime,
       principal_key,
       eventname,
       coalesce(json_extract_scalar(requestparameters, '$.certificateArn'),
                json_extract_scalar(responseelements, '$.certificateArn')) AS certificate,
       json_extract_scalar(requestparameters, '$.domainName') AS domain,
       array_join(CAST(json_extract(requestparameters,
                                    '$.subjectAlternativeNames') AS array(varchar)),
                                    ', ') AS other_names,
       json_extract_scalar(requestparameters, '$.certificateAuthorityArn') AS issued_by,
       outcome,
       errorcode,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       useragent,
       eventid
FROM   cloudtrail_logs
WHERE  eventsource = 'acm.amazonaws.com'
  AND  eventname IN ('RequestCertificate', 'ImportCertificate', 'ExportCertificate',
                     'DeleteCertificate', 'RenewCertificate', 'ResendValidationEmail',
                     'UpdateCertificateOptions', 'RevokeCertificate', 'PutAccountConfiguration')
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

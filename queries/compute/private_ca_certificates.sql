-- title: Certificates issued by a private CA
-- description: Issuance, fetching and revocation of certificates by AWS Private CA, one row for
--   each issued certificate: who asked, with which template and validity, who fetched it, whether
--   it was revoked.
-- hit: A certificate that the CA signed; templates for subordinate CAs, and long validity,
--   deserve a look.
-- caveat: The subject is in the signing request, which is not recorded in readable form: compare
--   serial numbers with the CA's audit report. Certificates issued by ACM for itself appear with
--   it as the caller.
-- attack: TA0006:T1649
-- service: AWS Private CA
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/privateca/latest/userguide/logging-using-cloudtrail.html

WITH fetched AS (
  SELECT json_extract_scalar(requestparameters, '$.certificateArn') AS certificate,
         array_join(array_agg(DISTINCT principal_key ORDER BY principal_key), ', ') AS principals
  FROM   cloudtrail_logs
  WHERE  eventsource = 'acm-pca.amazonaws.com'
    AND  eventname = 'GetCertificate'
    AND  errorcode IS NULL
  GROUP  BY json_extract_scalar(requestparameters, '$.certificateArn')
),
revoked AS (
  SELECT json_extract_scalar(requestparameters, '$.certificateAuthorityArn') AS authority,
         lower(replace(json_extract_scalar(requestparameters, '$.certificateSerial'),
                       ':', '')) AS serial,
         min(eventtime) AS revoked_at
  FROM   cloudtrail_logs
  WHERE  eventsource = 'acm-pca.amazonaws.com'
    AND  eventname = 'RevokeCertificate'
    AND  errorcode IS NULL
  GROUP  BY json_extract_scalar(requestparameters, '$.certificateAuthorityArn'),
            lower(replace(json_extract_scalar(requestparameters, '$.certificateSerial'), ':', ''))
)
SELECT i.eventtime,
       i.principal_key,
       json_extract_scalar(i.requestparameters, '$.certificateAuthorityArn') AS authority,
       json_extract_scalar(i.responseelements, '$.certificateArn') AS certificate,
       json_extract_scalar(i.requestparameters, '$.templateArn') AS template,
       concat_ws(' ', json_extract_scalar(i.requestparameters, '$.validity.value'),
                 json_extract_scalar(i.requestparameters, '$.validity.type')) AS validity,
       f.principals AS fetched_by,
       r.revoked_at,
       i.outcome,
       i.errorcode,
       i.sourceipaddress,
       i.recipientaccountid,
       i.awsregion,
       i.eventid
FROM   cloudtrail_logs i
LEFT   JOIN fetched f ON f.certificate = json_extract_scalar(i.responseelements, '$.certificateArn')
LEFT   JOIN revoked r
  ON   r.authority = json_extract_scalar(i.requestparameters, '$.certificateAuthorityArn')
  AND  r.serial = regexp_extract(json_extract_scalar(i.responseelements, '$.certificateArn'),
                                 '/certificate/([0-9a-f]+)$', 1)
WHERE  i.eventsource = 'acm-pca.amazonaws.com'
  AND  i.eventname = 'IssueCertificate'
  AND  (:since = '' OR i.eventtime >= :since)
  AND  (:until = '' OR i.eventtime <= :until)
ORDER  BY i.eventtime, i.eventid

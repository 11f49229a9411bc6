-- title: Private CA changed or opened
-- description: Certificate authorities made, changed, disabled, deleted or restored, CA
--   certificates imported, and the policies and permissions that let others issue.
-- hit: Somebody changed who may sign in your name, or tried to; `asked_for` has what.
-- caveat: A shared authority is used by the other account in its own logs as well. Revocation
--   lists switched off show as UpdateCertificateAuthority.
-- severity: medium
-- attack: TA0006:T1649
-- attack: TA0003:T1098
-- service: AWS Private CA
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/privateca/latest/APIReference/API_PutPolicy.html
-- false_positive: Those who run the authority.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.certificateAuthorityArn'),
                json_extract_scalar(requestparameters, '$.resourceArn'),
                json_extract_scalar(responseelements, '$.certificateAuthorityArn')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       coalesce(json_extract_scalar(requestparameters, '$.principal'),
                json_extract_scalar(requestparameters, '$.sourceAccount')) AS let_in,
       requestparameters AS asked_for,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 'acm-pca.amazonaws.com'
  AND  eventname IN ('CreateCertificateAuthority', 'UpdateCertificateAuthority',
                     'DeleteCertificateAuthority', 'RestoreCertificateAuthority',
                     'ImportCertificateAuthorityCertificate', 'PutPolicy', 'DeletePolicy',
                     'CreatePermission', 'DeletePermission',
                     'CreateCertificateAuthorityAuditReport')
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

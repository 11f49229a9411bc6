-- title: Other long-lived credential created
-- description: Credentials beside keys and passwords that responders forget: service-specific
--   ones (CodeCommit, Keyspaces, Bedrock API keys), SSH public keys, signing certificates, server
--   certificates. Disabling the user's access keys leaves them alive.
-- hit: `resource` has another credential, of the kind `kind`. `for_self` is false where somebody
--   made it for another.
-- caveat: Bedrock API keys made in the console belong to a user BedrockAPIKey-… that is created
--   for the purpose; short-term ones leave no event.
-- severity: medium
-- attack: TA0003:T1098.001
-- attack: TA0003:T1098.004
-- service: IAM
-- service: Amazon Bedrock
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceSpecificCredential.html
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_ssh-keys.html
-- false_positive: Developers who use CodeCommit; server certificates renewed for load balancers.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.userName'),
                json_extract_scalar(responseelements, '$.serviceSpecificCredential.userName'),
                json_extract_scalar(responseelements, '$.certificate.userName'),
                json_extract_scalar(requestparameters, '$.serverCertificateName'),
                useridentity.username) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       CASE eventname
            WHEN 'UploadSSHPublicKey' THEN 'SSH public key'
            WHEN 'UploadSigningCertificate' THEN 'signing certificate'
            WHEN 'UploadServerCertificate' THEN 'server certificate'
            ELSE 'service-specific credential'
       END AS kind,
       coalesce(json_extract_scalar(requestparameters, '$.serviceName'),
                json_extract_scalar(responseelements, '$.serviceSpecificCredential.serviceName'))
         AS for_service,
       coalesce(json_extract_scalar(responseelements,
                                    '$.serviceSpecificCredential.serviceSpecificCredentialId'),
                json_extract_scalar(requestparameters, '$.serviceSpecificCredentialId'),
                json_extract_scalar(responseelements, '$.sSHPublicKey.sSHPublicKeyId'),
                json_extract_scalar(responseelements, '$.certificate.certificateId'))
         AS credential_id,
       json_extract_scalar(requestparameters, '$.credentialAgeDays') AS age_days,
       coalesce(coalesce(json_extract_scalar(requestparameters, '$.userName'),
                         useridentity.username) = useridentity.username, false) AS for_self
FROM   cloudtrail_logs
WHERE  eventsource = 'iam.amazonaws.com'
  AND  eventname IN ('CreateServiceSpecificCredential', 'ResetServiceSpecificCredential',
                     'UploadSSHPublicKey', 'UploadSigningCertificate',
                     'UploadServerCertificate')
  AND  errorcode IS NULL
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

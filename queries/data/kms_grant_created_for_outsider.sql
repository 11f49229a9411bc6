-- title: KMS grant to an outsider
-- description: Grants that let a principal of another account use a key. Grants stand beside the
--   key policy and are easily overlooked; they last until retired or revoked.
-- hit: `grantee` may do `operations` with the key from then on, or somebody tried to bring that
--   about.
-- caveat: Grants to AWS services and to principals of the key's own account are left out. A
--   grantee given by unique id only is shown, as its account cannot be told.
-- severity: high
-- attack: TA0003:T1098
-- service: AWS KMS
-- param: known array(varchar) = '' -- accounts that belong to us
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html
-- false_positive: Backup and image pipelines across accounts.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       json_extract_scalar(requestparameters, '$.keyId') AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       json_extract_scalar(requestparameters, '$.granteePrincipal') AS grantee,
       json_format(json_extract(requestparameters, '$.operations')) AS operations,
       json_extract_scalar(requestparameters, '$.retiringPrincipal') AS retiring,
       json_format(json_extract(requestparameters, '$.constraints')) AS only_if,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 'kms.amazonaws.com'
  AND  eventname = 'CreateGrant'
  AND  json_extract_scalar(requestparameters, '$.granteePrincipal') NOT LIKE '%.amazonaws.com'
  AND  coalesce(regexp_extract(json_extract_scalar(requestparameters, '$.granteePrincipal'),
                               '^(?:arn:[^:]*:[^:]*::)?(\d{12})(?::|$)', 1), '')
                                 <> recipientaccountid
  AND  NOT contains(:known,
                    coalesce(regexp_extract(json_extract_scalar(requestparameters,
                        '$.granteePrincipal'),
                               '^(?:arn:[^:]*:[^:]*::)?(\d{12})(?::|$)', 1), ''))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

-- title: KMS key policy opened
-- description: Key policies put, and keys made, with a statement that lets another account or
--   everybody use the key.
-- hit: `let_in` may use the key as the statement says, or somebody tried to bring that about;
--   keys of the own account are unusable without its root, which is missing where `own_root` is
--   false.
-- caveat: Read from the text of the policy, not proved: a condition may restrict it. Every
--   PutKeyPolicy names all statements, also those that held before.
-- severity: high
-- attack: TA0003:T1098
-- attack: TA0040:T1486
-- service: AWS KMS
-- param: known array(varchar) = '' -- accounts that belong to us
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
-- false_positive: Keys that are shared within an organization: give its accounts in `known`.

WITH calls AS (
  SELECT eventtime, principal_key, eventname, requestparameters, sourceipaddress,
         recipientaccountid, awsregion, eventid, outcome, errorcode, useragent, responseelements,
         coalesce(TRY(CAST(json_extract(json_extract_scalar(requestparameters, '$.policy'),
                                        '$.Statement') AS array(json))),
                  ARRAY[json_extract(json_extract_scalar(requestparameters, '$.policy'),
                                     '$.Statement')]) AS statements
  FROM   cloudtrail_logs
  WHERE  eventsource = 'kms.amazonaws.com'
    AND  eventname IN ('PutKeyPolicy', 'CreateKey', 'ReplicateKey')
    AND  json_extract_scalar(requestparameters, '$.policy') IS NOT NULL
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
opened AS (
  SELECT *,
         array_join(filter(transform(array_distinct(regexp_extract_all(
                      array_join(transform(filter(statements,
                                                  s -> json_extract_scalar(s, '$.Effect')
                                                    = 'Allow'),
                                           s -> json_format(json_extract(s, '$.Principal'))), ' '),
                      '"\*"|\d{12}')), a -> replace(a, '"', '')),
                    a -> a <> recipientaccountid AND NOT contains(:known, a)), ', ') AS let_in
  FROM   calls
)
SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.keyId'),
                json_extract_scalar(responseelements, '$.keyMetadata.arn')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       let_in,
       strpos(json_extract_scalar(requestparameters, '$.policy'),
              concat(recipientaccountid, ':root')) > 0 AS own_root,
       json_extract_scalar(requestparameters, '$.policy') AS policy,
       useragent
FROM   opened
WHERE  let_in <> ''
ORDER  BY eventtime, eventid

-- title: Systems Manager document shared
-- description: Documents shared with another account or with everybody, and the account's block
--   on public sharing taken away. Automations often hold names, scripts and credentials.
-- hit: `shared_with` can read and run the document, or somebody tried to bring that about.
-- caveat: Documents that are shared with us are not seen here, and are a way to run foreign
--   code.
-- severity: medium
-- attack: TA0003:T1098
-- attack: TA0010:T1537
-- service: AWS Systems Manager
-- param: known array(varchar) = '' -- accounts that belong to us
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ModifyDocumentPermission.html
-- false_positive: Automations of a central account: give its accounts in `known`.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.name'),
                json_extract_scalar(requestparameters, '$.settingId')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       CASE WHEN s.account = 'all' THEN 'everybody' ELSE s.account END AS shared_with,
       useragent
FROM   cloudtrail_logs
CROSS  JOIN UNNEST(CASE WHEN eventname = 'UpdateServiceSetting' THEN ARRAY['all']
                        ELSE CAST(json_extract(requestparameters,
                                               '$.accountIdsToAdd') AS array(varchar))
                   END) AS s(account)
WHERE  eventsource = 'ssm.amazonaws.com'
  AND  (eventname = 'ModifyDocumentPermission'
        OR (eventname = 'UpdateServiceSetting'
            AND json_extract_scalar(requestparameters, '$.settingId')
                  LIKE '%documents/console/public-sharing-permission'
            AND json_extract_scalar(requestparameters, '$.settingValue') = 'Enable'))
  AND  s.account <> recipientaccountid
  AND  NOT contains(:known, s.account)
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid, shared_with

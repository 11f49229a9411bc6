-- title: Secret's policy changed
-- description: Resource policies of secrets put or removed: a policy may let another account
--   read the secret for good.
-- hit: The policy lets in what `principals` names; `let_in` has those accounts of it that are
--   not the secret's own.
-- caveat: The policy's text is in the record only as `resourcePolicy`; where it is hidden the
--   principals are NULL. A condition may restrict it.
-- severity: medium
-- attack: TA0003:T1098
-- attack: TA0006:T1555.006
-- service: AWS Secrets Manager
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutResourcePolicy.html
-- false_positive: Secrets that are shared within an organization.

WITH calls AS (
  SELECT eventtime, principal_key, eventname, requestparameters, sourceipaddress,
         recipientaccountid,
         awsregion, eventid, outcome, errorcode, useragent,
         coalesce(TRY(CAST(json_extract(json_extract_scalar(requestparameters, '$.resourcePolicy'),
                                        '$.Statement') AS array(json))),
                  ARRAY[json_extract(json_extract_scalar(requestparameters, '$.resourcePolicy'),
                                     '$.Statement')]) AS statements
  FROM   cloudtrail_logs
  WHERE  eventsource = 'secretsmanager.amazonaws.com'
    AND  eventname IN ('PutResourcePolicy', 'DeleteResourcePolicy')
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
judged AS (
  SELECT *,
         array_join(transform(filter(statements, s -> json_extract_scalar(s, '$.Effect') = 'Allow'),
                              s -> json_format(json_extract(s, '$.Principal'))), ' ') AS principals
  FROM   calls
)
SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       json_extract_scalar(requestparameters, '$.secretId') AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       nullif(principals, '') AS principals,
       nullif(array_join(filter(transform(array_distinct(regexp_extract_all(principals,
           '"\*"|\d{12}')),
                                          a -> replace(a, '"', '')),
                                a -> a <> recipientaccountid), ', '), '') AS let_in,
       useragent
FROM   judged
ORDER  BY eventtime, eventid

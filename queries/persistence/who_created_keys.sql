-- title: Who created access keys
-- description: Every CreateAccessKey with who made it and for whom. A key for another user keeps
--   access after the first credentials are revoked; where requestparameters names nobody, the
--   caller made it for itself.
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html

SELECT eventtime,
       useridentity.arn AS created_by,
       useridentity.accesskeyid AS with_key,
       requestparameters AS asked_for,
       responseelements AS created,
       outcome,
       errorcode,
       sourceipaddress,
       useragent,
       recipientaccountid,
       eventid
FROM   cloudtrail_logs
WHERE  eventsource = 'iam.amazonaws.com'
  AND  eventname = 'CreateAccessKey'
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

-- title: What an access key did
-- description: Every call made with one access key, in order. Give the key that leaked.
-- param: key varchar -- the access key id, such as AKIAIOSFODNN7EXAMPLE
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty

SELECT eventtime,
       principal_key,
       eventsource,
       eventname,
       outcome,
       errorcode,
       sourceipaddress,
       useragent,
       awsregion,
       recipientaccountid,
       requestparameters,
       eventid
FROM   cloudtrail_logs
WHERE  useridentity.accesskeyid = :key
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

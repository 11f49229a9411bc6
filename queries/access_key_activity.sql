-- title: What an access key did
-- description: Every call made with one access key, in order. Give the key that leaked.
-- param: key varchar -- the access key id, such as AKIAIOSFODNN7EXAMPLE
-- param: since varchar = '1970-01-01T00:00:00Z' -- earliest eventtime, inclusive
-- param: until varchar = '9999-12-31T23:59:59Z' -- latest eventtime, inclusive

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
  AND  eventtime BETWEEN :since AND :until
ORDER  BY eventtime, eventid

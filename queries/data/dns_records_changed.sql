-- title: DNS records changed
-- description: Each record of a hosted zone that was created, changed or deleted, with its
--   value: where a name leads, or who may get a certificate for it.
-- hit: The name was pointed at `value`, or taken away. A name of yours that leads to a
--   stranger's address is a hijack.
-- caveat: The earlier value is not in the call: look for the change before. Alias records have
--   their target in `value`. Zones at other providers are not seen.
-- attack: TA0042:T1584.002
-- attack: TA0006:T1557
-- service: Amazon Route 53
-- param: name varchar = '%' -- the record's name, as in LIKE; names end in a full stop
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/logging-using-cloudtrail.html

SELECT eventtime,
       principal_key,
       json_extract_scalar(requestparameters, '$.hostedZoneId') AS zone,
       json_extract_scalar(c.change, '$.action') AS action,
       json_extract_scalar(c.change, '$.resourceRecordSet.name') AS name,
       json_extract_scalar(c.change, '$.resourceRecordSet.type') AS type,
       coalesce(array_join(transform(CAST(json_extract(c.change,
                                                       '$.resourceRecordSet.resourceRecords') AS array(json)),
                                     r -> json_extract_scalar(r, '$.value')), ', '),
                json_extract_scalar(c.change, '$.resourceRecordSet.aliasTarget.dNSName')) AS value,
       json_extract_scalar(c.change, '$.resourceRecordSet.tTL') AS ttl,
       outcome,
       errorcode,
       sourceipaddress,
       recipientaccountid,
       useragent,
       eventid
FROM   cloudtrail_logs
CROSS  JOIN UNNEST(CAST(json_extract(requestparameters,
                                     '$.changeBatch.changes') AS array(json))) AS c(change)
WHERE  eventsource = 'route53.amazonaws.com'
  AND  eventname = 'ChangeResourceRecordSets'
  AND  coalesce(json_extract_scalar(c.change, '$.resourceRecordSet.name'), '') LIKE :name
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid, name, type, action

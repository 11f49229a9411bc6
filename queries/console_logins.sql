-- title: Sign-ins to the console
-- description: Every ConsoleLogin with who, from where, with which client, whether it succeeded
--   and whether a second factor was used.
-- param: since varchar = '1970-01-01T00:00:00Z' -- earliest eventtime, inclusive
-- param: until varchar = '9999-12-31T23:59:59Z' -- latest eventtime, inclusive
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html

SELECT eventtime,
       useridentity.type AS identity_type,
       coalesce(useridentity.username, useridentity.arn, useridentity.principalid) AS who,
       sourceipaddress,
       useragent,
       responseelements AS result,
       additionaleventdata AS details,
       errormessage,
       recipientaccountid,
       awsregion,
       eventid
FROM   cloudtrail_logs
WHERE  eventsource = 'signin.amazonaws.com'
  AND  eventname = 'ConsoleLogin'
  AND  eventtime BETWEEN :since AND :until
ORDER  BY eventtime, eventid

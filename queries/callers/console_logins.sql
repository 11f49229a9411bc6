-- title: Sign-ins to the console
-- description: Every ConsoleLogin with who, from where, with which client, whether it succeeded
--   and whether a second factor was used.
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
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
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

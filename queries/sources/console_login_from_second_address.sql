-- title: Sign-ins of one person from two addresses within an hour
-- description: Somebody signed in to the console, and within the hour again from another address.
--   Without places for addresses this is as near to impossible travel as CloudTrail gets.
-- hit: The second sign-in; `previous_address` is where the one before came from.
-- caveat: Phones, VPNs and providers that change addresses do this to honest people; the same
--   client at both (`same_client`) speaks for them. Where an address is, CloudTrail does not know.
--   Sessions that are used from elsewhere without a sign-in: `access_keys_from_many_addresses`.
-- severity: medium
-- attack: TA0001:T1078.004
-- service: AWS Management Console
-- param: minutes bigint = 60 -- how many minutes between the two at most
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html
-- false_positive: a VPN was switched on or off

WITH logins AS (
  SELECT eventtime,
         event_ts,
         recipientaccountid,
         coalesce(useridentity.arn, useridentity.username, useridentity.principalid) AS who,
         sourceipaddress,
         awsregion,
         eventid,
         useragent,
         lower(json_extract_scalar(additionaleventdata, '$.MFAUsed')) AS mfa,
         lag(event_ts) OVER (PARTITION BY coalesce(useridentity.arn, useridentity.username,
                                                   useridentity.principalid)
                             ORDER BY event_ts, eventid) AS previous_ts,
         lag(eventtime) OVER (PARTITION BY coalesce(useridentity.arn, useridentity.username,
                                                    useridentity.principalid)
                              ORDER BY event_ts, eventid) AS previous_login,
         lag(sourceipaddress) OVER (PARTITION BY coalesce(useridentity.arn, useridentity.username,
                                                          useridentity.principalid)
                                    ORDER BY event_ts, eventid) AS previous_address,
         lag(useragent) OVER (PARTITION BY coalesce(useridentity.arn, useridentity.username,
                                                    useridentity.principalid)
                              ORDER BY event_ts, eventid) AS previous_client
  FROM   cloudtrail_logs
  WHERE  eventsource = 'signin.amazonaws.com'
    AND  eventname = 'ConsoleLogin'
    AND  json_extract_scalar(responseelements, '$.ConsoleLogin') = 'Success'
)
SELECT eventtime,
       who AS actor,
       'ConsoleLogin' AS action,
       concat('console of ', recipientaccountid) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       previous_address,
       previous_login,
       date_diff('minute', previous_ts, event_ts) AS minutes_between,
       useragent = previous_client AS same_client,
       mfa,
       useragent
FROM   logins
WHERE  previous_address <> sourceipaddress
  AND  date_diff('minute', previous_ts, event_ts) <= :minutes
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

-- title: E-mail and text message limits looked up
-- description: Principals that asked what SES and SNS would let them send: quotas, whether
--   sending is on, identities, the sandbox. Thieves of keys test for that first, often in many
--   regions.
-- hit: The principal asked so many different questions in that hour; denied ones count, since
--   they show intent.
-- caveat: The console asks the same when somebody opens the page. Hours begin at the full hour.
--   SMTP credentials send without any call.
-- severity: medium
-- attack: TA0007:T1526
-- attack: TA0040:T1496.004
-- service: Amazon SES
-- service: Amazon SNS
-- param: questions bigint = 2 -- fewest different calls in an hour
-- param: regions bigint = 3 -- or so many regions
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/ses/latest/APIReference/API_GetSendQuota.html
-- false_positive: Monitoring of sending limits; administrators in the console.

SELECT min(eventtime) AS eventtime,
       principal_key AS actor,
       array_join(array_agg(DISTINCT eventname ORDER BY eventname), ', ') AS action,
       array_join(array_agg(DISTINCT service ORDER BY service), ', ') AS resource,
       array_join(array_agg(DISTINCT sourceipaddress
                            ORDER BY sourceipaddress), ', ') AS sourceipaddress,
       recipientaccountid,
       array_join(array_agg(DISTINCT awsregion ORDER BY awsregion), ', ') AS awsregion,
       min_by(eventid, concat(eventtime, eventid)) AS eventid,
       count(*) AS calls,
       count(DISTINCT eventname) AS questions,
       count(DISTINCT awsregion) AS regions,
       count_if(outcome = 'denied') AS denied,
       max(eventtime) AS last_seen
FROM   cloudtrail_logs
WHERE  (eventsource = 'ses.amazonaws.com'
        AND eventname IN ('GetSendQuota', 'GetSendStatistics', 'GetAccount',
                          'GetAccountSendingEnabled', 'ListIdentities', 'ListEmailIdentities',
                          'GetIdentityVerificationAttributes', 'ListVerifiedEmailAddresses',
                          'GetEmailIdentity')
        OR eventsource = 'sns.amazonaws.com'
        AND eventname IN ('GetSMSAttributes', 'GetSMSSandboxAccountStatus',
                          'ListOriginationNumbers', 'ListPhoneNumbersOptedOut',
                          'ListSMSSandboxPhoneNumbers'))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY principal_key, recipientaccountid, date_trunc('hour', event_ts)
HAVING count(DISTINCT eventname) >= :questions
    OR count(DISTINCT awsregion) >= :regions
ORDER  BY eventtime, eventid

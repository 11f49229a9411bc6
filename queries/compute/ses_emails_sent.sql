-- title: E-mails sent through the API
-- description: Sending through the SES API by principal, sender and hour: how many, and how many
--   were refused. A key that never sent, or sends thousands at night, is being misused.
-- hit: So many messages were sent under that name in the hour.
-- caveat: Data events: absent unless the trail records them for SES. Recipients, subjects and
--   text are hidden. What goes through SMTP is never recorded.
-- attack: TA0001:T1566
-- attack: TA0040:T1496.004
-- service: Amazon SES
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/ses/latest/dg/logging-using-cloudtrail.html

SELECT date_trunc('hour', event_ts) AS hour,
       principal_key,
       coalesce(json_extract_scalar(requestparameters, '$.source'),
                json_extract_scalar(requestparameters, '$.fromEmailAddress'),
                json_extract_scalar(requestparameters,
                                    '$.defaultContent.template.templateName')) AS sender,
       count(*) FILTER (WHERE outcome = 'ok') AS sent,
       count(*) FILTER (WHERE outcome <> 'ok') AS failed,
       array_join(array_agg(DISTINCT eventname ORDER BY eventname), ', ') AS apis,
       array_join(array_agg(DISTINCT sourceipaddress ORDER BY sourceipaddress), ', ') AS addresses,
       recipientaccountid,
       awsregion
FROM   cloudtrail_logs
WHERE  eventsource = 'ses.amazonaws.com'
  AND  eventname IN ('SendEmail', 'SendRawEmail', 'SendTemplatedEmail', 'SendBulkEmail',
                     'SendBulkTemplatedEmail', 'SendCustomVerificationEmail')
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY date_trunc('hour', event_ts), principal_key, recipientaccountid, awsregion,
          coalesce(json_extract_scalar(requestparameters, '$.source'),
                   json_extract_scalar(requestparameters, '$.fromEmailAddress'),
                   json_extract_scalar(requestparameters, '$.defaultContent.template.templateName'))
ORDER  BY hour, sent DESC, principal_key, sender, recipientaccountid, awsregion

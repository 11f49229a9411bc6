-- title: Events that came late or corrected others
-- description: Events with an addendum: delivered late, after an outage of a service, or correcting
--   an earlier event. An answer from before they came was not whole; where one corrects another,
--   the earlier one's fields are not to be relied on.
-- hit: One such event; `corrects` is the id of the event it takes the place of, if there is one.
-- caveat: Ordinary delivery takes minutes and has no addendum. How late an event came is not in the
--   record: compare the time in the name of its file, `"$path"`.
-- service: AWS CloudTrail
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

SELECT eventtime,
       addendum.reason AS reason,
       addendum.updatedfields AS updated_fields,
       addendum.originaleventid AS corrects,
       principal_key,
       eventsource,
       eventname,
       outcome,
       recipientaccountid,
       awsregion,
       eventid
FROM   cloudtrail_logs
WHERE  addendum.reason IS NOT NULL
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

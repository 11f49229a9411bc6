-- title: Calls across accounts
-- description: Who of one account acted on another: foreign accounts in ours, and ours abroad.
--   Trust that nobody remembers giving, and the way from one account to the next, show here.
-- hit: A principal of `from_account` called `into_account` with these services.
-- caveat: Only one side may be here: what our principals do abroad is delivered to the other
--   account, except for calls (such as AssumeRole and S3's) of which both sides get a copy.
--   Accounts of AWS itself and of vendors appear too.
-- attack: TA0001:T1199
-- service: AWS STS
-- service: IAM
-- param: known array(varchar) = '' -- accounts of one's own: calls between two of them are left out
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

SELECT actor_account AS from_account,
       recipientaccountid AS into_account,
       principal_key,
       array_join(array_sort(array_agg(DISTINCT service)), ', ') AS services,
       array_join(slice(array_sort(array_agg(DISTINCT eventname)), 1, 10), ', ') AS calls_to,
       count(*) AS calls,
       count(*) FILTER (WHERE is_write AND outcome = 'ok') AS changes,
       count(*) FILTER (WHERE outcome = 'denied') AS denied,
       count(DISTINCT sourceipaddress) AS addresses,
       min(eventtime) AS first_seen,
       max(eventtime) AS last_seen
FROM   cloudtrail_logs
WHERE  is_cross_account
  AND  NOT (contains(:known, actor_account) AND contains(:known, recipientaccountid))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY actor_account, recipientaccountid, principal_key
ORDER  BY changes DESC, calls DESC, from_account, into_account, principal_key

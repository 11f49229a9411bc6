-- title: Long-term access keys in use
-- description: Each long-term key (AKIA…) that was used, of whom, for what, from where. Keys of
--   root, of people, and keys used from many addresses are those to replace by roles; after an
--   incident these are the credentials to rotate.
-- hit: One key; keys of root come first.
-- caveat: Keys that exist and were not used within these logs are not listed, and a key's age is
--   not in the logs unless its making is: IAM's credential report has both.
-- attack: TA0001:T1078.004
-- service: IAM
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html

SELECT recipientaccountid,
       min(principal_key) AS principal,
       useridentity.accesskeyid AS access_key,
       min(useridentity.type) AS identity_type,
       count(*) AS calls,
       count(*) FILTER (WHERE is_write AND outcome = 'ok') AS changes,
       count(*) FILTER (WHERE outcome = 'denied') AS denied,
       count(DISTINCT eventsource) AS services,
       count(DISTINCT src_ip) AS addresses,
       count(DISTINCT substr(eventtime, 1, 10)) AS days,
       min(eventtime) AS first_seen,
       max(eventtime) AS last_seen
FROM   cloudtrail_logs
WHERE  key_kind = 'long-term'
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY recipientaccountid, useridentity.accesskeyid
ORDER  BY CASE WHEN min(useridentity.type) = 'Root' THEN 0 ELSE 1 END,
       addresses DESC, calls DESC, access_key, recipientaccountid

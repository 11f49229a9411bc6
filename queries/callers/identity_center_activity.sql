-- title: What people did through IAM Identity Center
-- description: Each person and permission set of IAM Identity Center, account by account, with how
--   much they changed, from where and when. Reads a whole organization's people on one screen.
-- hit: One person with one permission set in one account.
-- caveat: The person's name is the session's name, which Identity Center sets. Sign-ins at the
--   access portal stand in the account of Identity Center, as events of `sso` and `signin`.
-- attack: TA0001:T1078.004
-- service: AWS IAM Identity Center
-- param: person varchar = '%' -- only these people, by user name, as in LIKE
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/singlesignon/latest/userguide/logging-using-cloudtrail.html

SELECT session_name AS person,
       recipientaccountid,
       regexp_extract(useridentity.sessioncontext.sessionissuer.username,
                      '^AWSReservedSSO_(.*)_[0-9a-f]+$', 1) AS permission_set,
       count(*) AS calls,
       count(*) FILTER (WHERE is_write AND outcome = 'ok') AS changes,
       count(*) FILTER (WHERE outcome = 'denied') AS denied,
       count(DISTINCT src_ip) AS addresses,
       count(DISTINCT awsregion) AS regions,
       count(DISTINCT useridentity.accesskeyid) AS access_keys,
       min(eventtime) AS first_seen,
       max(eventtime) AS last_seen
FROM   cloudtrail_logs
WHERE  useridentity.sessioncontext.sessionissuer.arn LIKE '%:role/aws-reserved/sso.amazonaws.com/%'
  AND  useridentity.invokedby IS NULL
  AND  coalesce(session_name, '') LIKE :person
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY session_name, recipientaccountid, useridentity.sessioncontext.sessionissuer.username
ORDER  BY changes DESC, calls DESC, person, recipientaccountid, permission_set

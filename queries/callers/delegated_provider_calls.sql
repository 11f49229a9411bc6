-- title: Calls of product providers with delegated access
-- description: What vendors did in the account with temporary access that somebody delegated to
--   their product (IAM temporary delegation), by the vendor's account.
-- hit: One vendor's account acted as this principal.
-- caveat: Not for Athena: AWS's table has no column for invokedByDelegate. Vendors with a role of
--   their own are callers across accounts instead: see `cross_account_calls`.
-- attack: TA0001:T1199
-- service: IAM
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies-temporary-delegation.html

SELECT invokedbydelegate.accountid AS provider_account,
       recipientaccountid,
       principal_key,
       array_join(array_sort(array_agg(DISTINCT service)), ', ') AS services,
       array_join(slice(array_sort(array_agg(DISTINCT eventname)), 1, 10), ', ') AS calls_to,
       count(*) AS calls,
       count(*) FILTER (WHERE is_write AND outcome = 'ok') AS changes,
       count(*) FILTER (WHERE outcome = 'denied') AS denied,
       min(eventtime) AS first_seen,
       max(eventtime) AS last_seen
FROM   cloudtrail_logs
WHERE  invokedbydelegate.accountid IS NOT NULL
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY invokedbydelegate.accountid, recipientaccountid, principal_key
ORDER  BY changes DESC, calls DESC, provider_account, recipientaccountid, principal_key

-- title: The accounts in the logs, and what part they play
-- description: Each account that appears: whether its own events are here, whether it calls into
--   others, owns resources or endpoints, and when it was last seen. Those that are not one's own
--   stand out.
-- hit: One account id; `known` says whether the list of one's own accounts has it.
-- caveat: An account of one's own without `own_events` is one whose logs are missing. Accounts of
--   AWS and of vendors appear as callers and owners too. Account ids in parameters (shared
--   snapshots, trust policies) are not looked for here.
-- attack: TA0001:T1199
-- service: AWS CloudTrail
-- service: AWS Organizations
-- param: known array(varchar) = '' -- the accounts of one's own
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

WITH calls AS (
  SELECT recipientaccountid AS owner,
         actor_account AS caller,
         vpcendpointaccountid AS endpoint,
         element_at(resources, 1).accountid AS resource_owner,
         count(*) AS events,
         min(eventtime) AS first_seen,
         max(eventtime) AS last_seen
  FROM   cloudtrail_logs
  WHERE  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
  GROUP  BY recipientaccountid, actor_account, vpcendpointaccountid,
         element_at(resources, 1).accountid
),
parts AS (
  SELECT part, account, owner, events, first_seen, last_seen
  FROM   calls
  CROSS  JOIN UNNEST(ARRAY['own', 'caller', 'endpoint', 'resource'],
                     ARRAY[owner, caller, endpoint, resource_owner]) AS roles (part, account)
  WHERE  regexp_like(account, '^[0-9]{12}$')
)
SELECT account,
       contains(:known, account) AS known,
       coalesce(sum(events) FILTER (WHERE part = 'own'), 0) AS own_events,
       coalesce(sum(events) FILTER (WHERE part = 'caller' AND account <> owner), 0)
         AS calls_into_others,
       coalesce(sum(events) FILTER (WHERE part = 'resource' AND account <> owner), 0)
         AS resources_used_by_others,
       coalesce(sum(events) FILTER (WHERE part = 'endpoint' AND account <> owner), 0)
         AS endpoints_used_by_others,
       min(first_seen) AS first_seen,
       max(last_seen) AS last_seen
FROM   parts
GROUP  BY account
ORDER  BY known, own_events, account

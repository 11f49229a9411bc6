-- title: Roles tried one after the other
-- description: A principal was refused several different roles on one day. Tools that look for a
--   way up, or into other accounts, go through lists of role names.
-- hit: One principal and day: how many roles it was refused, and which it obtained (`obtained`).
-- caveat: A caller of another account is recorded only in its own account, and a role that does not
--   exist looks like one that is refused. Refusals carry the role in their message only.
-- severity: medium
-- attack: TA0007:T1087.004
-- attack: TA0004:T1078.004
-- service: AWS STS
-- param: threshold bigint = 3 -- how many different roles
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
-- false_positive: tools that are meant to go into all accounts, where some lack the role

WITH requests AS (
  SELECT eventtime,
         substr(eventtime, 1, 10) AS day,
         principal_key,
         coalesce(target_role,
                  regexp_extract(errormessage, 'on resource: (arn:\S+)', 1)) AS role,
         outcome,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid,
         useragent,
         concat(eventtime, eventid) AS sequence_key
  FROM   cloudtrail_logs
  WHERE  eventsource = 'sts.amazonaws.com'
    AND  eventname IN ('AssumeRole', 'AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity',
                       'AssumeRoot')
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
)
SELECT min(eventtime) FILTER (WHERE outcome = 'denied') AS eventtime,
       principal_key AS actor,
       concat(CAST(count(DISTINCT role) FILTER (WHERE outcome = 'denied') AS varchar),
              ' roles refused') AS action,
       array_join(slice(array_sort(array_agg(DISTINCT role)
                                   FILTER (WHERE outcome = 'denied')), 1, 5), ', ') AS resource,
       min_by(sourceipaddress, sequence_key) FILTER (WHERE outcome = 'denied') AS sourceipaddress,
       recipientaccountid,
       min_by(awsregion, sequence_key) FILTER (WHERE outcome = 'denied') AS awsregion,
       min_by(eventid, sequence_key) FILTER (WHERE outcome = 'denied') AS eventid,
       max(eventtime) FILTER (WHERE outcome = 'denied') AS last_eventtime,
       count(*) FILTER (WHERE outcome = 'denied') AS denied,
       array_join(slice(array_sort(array_agg(DISTINCT role)
                                   FILTER (WHERE outcome = 'ok')), 1, 5), ', ') AS obtained,
       min_by(useragent, sequence_key) FILTER (WHERE outcome = 'denied') AS useragent
FROM   requests
GROUP  BY principal_key, recipientaccountid, day
HAVING count(DISTINCT role) FILTER (WHERE outcome = 'denied') >= :threshold
ORDER  BY eventtime, eventid

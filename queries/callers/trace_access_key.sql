-- title: Sessions that grew from an access key
-- description: Follows a key through AssumeRole, GetSessionToken and their kin, four generations
--   down: which temporary keys it was issued, which those were issued in turn, and how much was
--   done with each. Who revokes the key alone leaves its sessions alive; this lists them.
-- hit: The first row is the key itself; each other row is a temporary key issued to the one before
--   it in `path`, with what was done with it.
-- caveat: A link is seen where the response with the issued key was recorded, in the trail of the
--   caller's account. Calls made with a session in an account whose logs are not here are not
--   counted. Sessions of the console and a fifth generation are not followed; `trailhound trace`
--   does that.
-- attack: TA0005:T1550.001
-- service: AWS STS
-- param: key varchar -- the access key id to begin with, such as AKIAIOSFODNN7EXAMPLE
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html

WITH issued AS (
  SELECT useridentity.accesskeyid AS parent_key,
         issued_key,
         eventtime,
         eventname,
         coalesce(issued_session_arn, target_role) AS session,
         sourceipaddress,
         concat(eventtime, ' ', issued_key) AS step,
         eventid
  FROM   cloudtrail_logs
  WHERE  issued_key IS NOT NULL
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
children AS (
  SELECT 1 AS generation, issued.*, step AS path
  FROM   issued
  WHERE  parent_key = :key
),
grandchildren AS (
  SELECT 2 AS generation, issued.*, concat(children.path, ' > ', issued.step) AS path
  FROM   issued
  JOIN   children ON issued.parent_key = children.issued_key
),
third AS (
  SELECT 3 AS generation, issued.*, concat(grandchildren.path, ' > ', issued.step) AS path
  FROM   issued
  JOIN   grandchildren ON issued.parent_key = grandchildren.issued_key
),
fourth AS (
  SELECT 4 AS generation, issued.*, concat(third.path, ' > ', issued.step) AS path
  FROM   issued
  JOIN   third ON issued.parent_key = third.issued_key
),
tree AS (
  SELECT 0 AS generation,
         CAST(:key AS varchar) AS access_key,
         CAST(NULL AS varchar) AS eventtime,
         CAST(NULL AS varchar) AS eventname,
         CAST(NULL AS varchar) AS session,
         CAST(NULL AS varchar) AS sourceipaddress,
         '' AS path,
         CAST(NULL AS varchar) AS eventid
  UNION ALL
  SELECT generation, issued_key, eventtime, eventname, session, sourceipaddress, path, eventid
  FROM   children
  UNION ALL
  SELECT generation, issued_key, eventtime, eventname, session, sourceipaddress, path, eventid
  FROM   grandchildren
  UNION ALL
  SELECT generation, issued_key, eventtime, eventname, session, sourceipaddress, path, eventid
  FROM   third
  UNION ALL
  SELECT generation, issued_key, eventtime, eventname, session, sourceipaddress, path, eventid
  FROM   fourth
),
uses AS (
  SELECT useridentity.accesskeyid AS access_key,
         count(*) AS calls,
         count(*) FILTER (WHERE is_write AND outcome = 'ok') AS changes,
         count(*) FILTER (WHERE outcome = 'denied') AS denied,
         min(eventtime) AS first_used,
         max(eventtime) AS last_used
  FROM   cloudtrail_logs
  WHERE  useridentity.accesskeyid IN (SELECT access_key FROM tree)
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
  GROUP  BY useridentity.accesskeyid
)
SELECT tree.generation,
       tree.access_key,
       tree.eventtime AS issued_at,
       tree.eventname AS issued_by,
       tree.session,
       tree.sourceipaddress AS issued_to_address,
       coalesce(uses.calls, 0) AS calls,
       coalesce(uses.changes, 0) AS changes,
       coalesce(uses.denied, 0) AS denied,
       uses.first_used,
       uses.last_used,
       tree.eventid
FROM   tree
LEFT   JOIN uses ON uses.access_key = tree.access_key
ORDER  BY tree.path, tree.eventid

-- title: People, programs and services
-- description: All calls divided by what kind of caller made them: people in the console, users'
--   keys, roles of instances and functions, other accounts, AWS's services on somebody's behalf or
--   on their own. Shows how much of the log is noise before the search begins.
-- hit: One kind of caller in one account.
-- caveat: The kind is told from the record's identity and, for instances and Lambda, from the
--   session's name or the client, which the caller may choose. A person with a role in a command
--   line counts as a role.
-- service: AWS CloudTrail
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html

WITH calls AS (
  SELECT CASE WHEN eventtype = 'AwsServiceEvent' OR useridentity.type IS NULL
                THEN 'event of a service'
              WHEN useridentity.type = 'AWSService' THEN 'service'
              WHEN useridentity.invokedby IS NOT NULL THEN 'service on behalf of a principal'
              WHEN principal_key LIKE '%:role/aws-service-role/%' THEN 'service-linked role'
              WHEN useridentity.type = 'Root' THEN 'root user'
              WHEN useridentity.type = 'AWSAccount' THEN 'another account'
              WHEN lower(useridentity.accountid) LIKE 'anonymous%' THEN 'anonymous'
              WHEN eventtype = 'AwsConsoleSignIn' OR sessioncredentialfromconsole = 'true'
                THEN 'person in the console'
              WHEN principal_key LIKE '%AWSReservedSSO!_%' ESCAPE '!'
                THEN 'person of Identity Center'
              WHEN session_name LIKE 'i-%' THEN 'instance'
              WHEN useragent LIKE '%exec-env/AWS!_Lambda!_%' ESCAPE '!' THEN 'function'
              WHEN useridentity.type = 'AssumedRole' THEN 'role'
              WHEN useridentity.type IN ('SAMLUser', 'WebIdentityUser', 'IdentityCenterUser',
                                         'FederatedUser') THEN 'federated person or program'
              WHEN useridentity.type = 'IAMUser' AND key_kind = 'temporary' THEN 'user''s session'
              WHEN useridentity.type = 'IAMUser' THEN 'user''s access key'
              ELSE coalesce(useridentity.type, 'unknown')
         END AS kind,
         recipientaccountid,
         principal_key,
         src_ip,
         outcome,
         is_write,
         eventtime
  FROM   cloudtrail_logs
  WHERE  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
)
SELECT recipientaccountid,
       kind,
       count(*) AS calls,
       count(*) FILTER (WHERE is_write AND outcome = 'ok') AS changes,
       count(*) FILTER (WHERE outcome = 'denied') AS denied,
       count(DISTINCT principal_key) AS principals,
       count(DISTINCT src_ip) AS addresses,
       min(eventtime) AS first_seen,
       max(eventtime) AS last_seen
FROM   calls
GROUP  BY recipientaccountid, kind
ORDER  BY recipientaccountid, calls DESC, kind

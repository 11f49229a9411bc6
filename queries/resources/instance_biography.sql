-- title: The life of an EC2 instance
-- description: From launch to termination: who started it, with which image, role and key, who
--   changed it, reached into it or copied its disks, and what was done from it with its role, each
--   call counted by address. The page to open for a host that is said to be compromised.
-- hit: A call that named the instance (`done to it`), or calls that its role's credentials made
--   (`done by it`), counted by API, address and outcome.
-- caveat: What ran inside the instance is in no CloudTrail log, nor is network traffic. Volumes,
--   interfaces and snapshots have ids of their own: look them up with `resource_activity`. Reading
--   calls that name it are left out unless they hand out secrets (password, user data, console
--   output).
-- attack: TA0005:T1578
-- service: Amazon EC2
-- service: AWS Systems Manager
-- param: instance varchar -- the instance's id, i-…
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitor-with-cloudtrail.html

WITH lines AS (
  SELECT CASE WHEN session_name = :instance THEN 'done by it' ELSE 'done to it' END AS part,
         eventtime,
         principal_key,
         eventsource,
         eventname,
         outcome,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         CASE WHEN session_name = :instance THEN NULL ELSE requestparameters END AS request,
         CASE WHEN session_name = :instance THEN NULL ELSE eventid END AS single,
         concat(eventtime, eventid) AS sequence_key,
         eventid
  FROM   cloudtrail_logs
  WHERE  (session_name = :instance
          OR ((strpos(requestparameters, :instance) > 0 OR strpos(responseelements, :instance) > 0)
              AND (is_write
                   OR eventname IN ('GetPasswordData', 'GetConsoleOutput', 'GetConsoleScreenshot',
                                    'DescribeInstanceAttribute', 'GetLaunchTemplateData'))))
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
)
SELECT min(eventtime) AS eventtime,
       part,
       principal_key,
       eventsource,
       eventname,
       outcome,
       sourceipaddress,
       count(*) AS calls,
       max(eventtime) AS last_eventtime,
       request AS requestparameters,
       recipientaccountid,
       awsregion,
       min_by(eventid, sequence_key) AS eventid
FROM   lines
GROUP  BY part, single, principal_key, eventsource, eventname, outcome, sourceipaddress, request,
       recipientaccountid, awsregion
ORDER  BY eventtime, eventid

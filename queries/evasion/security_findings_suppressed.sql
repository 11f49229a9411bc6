-- title: Security findings suppressed
-- description: Calls that hide findings that exist or will come: AWS Security Hub workflow set
--   to SUPPRESSED or RESOLVED, filters that archive in GuardDuty, Macie, Inspector and Access
--   Analyzer, findings archived by hand, and automation rules.
-- hit: Somebody made findings disappear from view; `asked_for` has which and, for a filter, the
--   condition.
-- caveat: Analysts do this every day. Look at who did it, when, and whether the finding was
--   about the same principal. No row does not mean that all findings were seen: they may have been
--   filtered before these logs begin.
-- severity: low
-- attack: TA0005:T1562.001
-- service: AWS Security Hub
-- service: Amazon GuardDuty
-- service: Amazon Macie
-- service: Amazon Inspector
-- service: IAM Access Analyzer
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchUpdateFindings.html
-- false_positive: Analysts and ticket systems that work findings off.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.name'),
                json_extract_scalar(requestparameters, '$.RuleName'),
                json_extract_scalar(requestparameters, '$.ruleName'),
                json_extract_scalar(requestparameters, '$.detectorId')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       service,
       outcome,
       errorcode,
       requestparameters AS asked_for,
       useragent
FROM   cloudtrail_logs
WHERE  (eventsource = 'securityhub.amazonaws.com'
        AND (eventname IN ('CreateAutomationRule', 'BatchUpdateAutomationRules')
             OR eventname IN ('BatchUpdateFindings', 'UpdateFindings', 'BatchUpdateFindingsV2')
             AND regexp_like(requestparameters, '"(SUPPRESSED|RESOLVED|ARCHIVED)"'))
        OR eventsource = 'guardduty.amazonaws.com'
        AND (eventname = 'ArchiveFindings'
             OR eventname IN ('CreateFilter', 'UpdateFilter')
             AND (requestparameters IS NULL
                  OR json_extract_scalar(requestparameters, '$.action') = 'ARCHIVE'))
        OR eventsource = 'macie2.amazonaws.com'
        AND eventname IN ('CreateFindingsFilter', 'UpdateFindingsFilter')
        AND json_extract_scalar(requestparameters, '$.action') = 'ARCHIVE'
        OR eventsource = 'inspector2.amazonaws.com'
        AND eventname IN ('CreateFilter', 'UpdateFilter')
        AND json_extract_scalar(requestparameters, '$.action') = 'SUPPRESS'
        OR eventsource = 'access-analyzer.amazonaws.com'
        AND (eventname IN ('CreateArchiveRule', 'ApplyArchiveRule')
             OR eventname = 'UpdateFindings'
             AND json_extract_scalar(requestparameters, '$.status') = 'ARCHIVED'))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

-- title: Who reads the account as an auditor does
-- description: Reports of AWS Artifact that were fetched, and the calls that read a whole account
--   at once: the credential report, all IAM details, the event history, findings of Config,
--   Security Hub, Access Analyzer and Audit Manager. Shows that auditors can work, and who else
--   reads like one.
-- hit: One principal and such an API, with how often it worked and how often it was refused.
-- caveat: An intruder draws the same map: compare with the list of auditors. What was read is not
--   in the log. Looking at pages of the console makes some of these calls by itself.
-- attack: TA0007:T1087.004
-- attack: TA0007:T1526
-- service: AWS Artifact
-- service: AWS Audit Manager
-- service: AWS Config
-- service: IAM
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/artifact/latest/ug/cloudtrail-logging.html

SELECT principal_key,
       session_name,
       eventsource,
       eventname,
       recipientaccountid,
       count(*) FILTER (WHERE outcome = 'ok') AS ok,
       count(*) FILTER (WHERE outcome <> 'ok') AS failed,
       count(DISTINCT src_ip) AS addresses,
       min(eventtime) AS first_seen,
       max(eventtime) AS last_seen
FROM   cloudtrail_logs
WHERE  (eventsource = 'artifact.amazonaws.com'
        OR (eventsource = 'auditmanager.amazonaws.com' AND eventname LIKE 'Get%')
        OR (eventsource = 'iam.amazonaws.com'
            AND eventname IN ('GenerateCredentialReport', 'GetCredentialReport',
                              'GetAccountAuthorizationDetails',
                              'GenerateServiceLastAccessedDetails',
                              'GenerateOrganizationsAccessReport'))
        OR (eventsource = 'cloudtrail.amazonaws.com' AND eventname = 'LookupEvents')
        OR (eventsource = 'config.amazonaws.com'
            AND eventname IN ('SelectResourceConfig', 'SelectAggregateResourceConfig',
                              'DeliverConfigSnapshot', 'GetComplianceDetailsByConfigRule',
                              'GetAggregateComplianceDetailsByConfigRule'))
        OR (eventsource = 'securityhub.amazonaws.com' AND eventname = 'GetFindings')
        OR (eventsource = 'access-analyzer.amazonaws.com'
            AND eventname IN ('ListFindings', 'ListFindingsV2')))
  AND  useridentity.invokedby IS NULL
  AND  coalesce(useridentity.type, '') <> 'AWSService'
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY principal_key, session_name, eventsource, eventname, recipientaccountid
ORDER  BY principal_key, session_name, first_seen, eventsource, eventname, recipientaccountid

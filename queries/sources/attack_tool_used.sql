-- title: Client of an attack tool or penetration testing system
-- description: Calls whose user agent names a distribution for penetration tests (Kali, Parrot,
--   Pentoo, BlackArch) or a tool that is made to attack or search accounts (Pacu, CloudFox,
--   TruffleHog, S3 Browser and others).
-- hit: Such a client called, allowed or not, with the credentials of `actor`.
-- caveat: The client names itself, and a careful intruder changes the name: no row says nothing.
--   Tools built on an AWS SDK without a name of their own (WeirdAAL, enumerate-iam) show as the
--   SDK. Tools for exercises, such as Stratus Red Team, are not looked for.
-- severity: medium
-- attack: TA0007:T1580
-- attack: TA0001:T1078.004
-- service: AWS CloudTrail
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-iam.html
-- false_positive: a penetration test or exercise that was ordered
-- false_positive: S3 Browser, which some people use for their work

WITH calls AS (
  SELECT eventtime,
         principal_key,
         eventname,
         coalesce(element_at(resources, 1).arn,
                  regexp_extract(errormessage, 'on resource: (\S+)', 1)) AS resource,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid,
         regexp_extract(lower(useragent),
                        'kali|parrot|pentoo|blackarch|pacu|cloudfox|trufflehog|s3 browser|'
                        || 'scout ?suite|prowler|aws.?consoler') AS tool,
         eventsource,
         outcome,
         useridentity.accesskeyid AS access_key,
         useragent
  FROM   cloudtrail_logs
  WHERE  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
)
SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       tool,
       eventsource,
       outcome,
       access_key,
       useragent
FROM   calls
WHERE  tool IS NOT NULL
ORDER  BY eventtime, eventid

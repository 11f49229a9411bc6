-- title: Limits raised or regions enabled
-- description: Requests for higher quotas, support cases, regions that were switched on and
--   offers of AWS Marketplace that were taken: the preparation for using an account's money.
-- hit: Somebody widened what the account may use, or tried to; `asked_for` has what. Cases of
--   intruders often ask for more SES or EC2.
-- caveat: The text of a support case is not in CloudTrail. Quotas that Service Quotas raises by
--   itself are left out.
-- severity: medium
-- attack: TA0005:T1578.005
-- attack: TA0005:T1535
-- service: Service Quotas
-- service: AWS Support
-- service: AWS Account Management
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_RequestServiceQuotaIncrease.html
-- false_positive: Growth; architects who prepare a region.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.quotaCode'),
                json_extract_scalar(requestparameters, '$.RegionName'),
                json_extract_scalar(requestparameters, '$.regionName'),
                json_extract_scalar(requestparameters, '$.serviceCode'),
                json_extract_scalar(requestparameters, '$.agreementRequestId')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       coalesce(json_extract_scalar(requestparameters, '$.desiredValue'),
                json_extract_scalar(requestparameters, '$.categoryCode')) AS wanted,
       requestparameters AS asked_for,
       useragent
FROM   cloudtrail_logs
WHERE  (eventsource = 'servicequotas.amazonaws.com'
        AND eventname IN ('RequestServiceQuotaIncrease',
                          'PutServiceQuotaIncreaseRequestIntoTemplate')
        OR eventsource = 'support.amazonaws.com'
        AND eventname IN ('CreateCase')
        OR eventsource = 'account.amazonaws.com'
        AND eventname IN ('EnableRegion')
        OR eventsource IN ('agreement-marketplace.amazonaws.com', 'aws-marketplace.amazonaws.com')
        AND eventname IN ('AcceptAgreementRequest', 'Subscribe'))
  AND  useridentity.invokedby IS NULL
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

-- title: Hybrid activation created
-- description: Activations of Systems Manager: a code and id with which any machine in the world
--   registers as a managed node, with an IAM role and without a network path.
-- hit: Whoever has the code can register `registrations` machines; the caller may command them,
--   and they hold the role's credentials.
-- caveat: The code is hidden. Machines that registered show as `mi-…` in later events.
-- severity: medium
-- attack: TA0003:T1098
-- attack: TA0011:T1219
-- service: AWS Systems Manager
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateActivation.html
-- false_positive: Machines outside of AWS that are managed on purpose.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       json_extract_scalar(requestparameters, '$.iamRole') AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       json_extract_scalar(responseelements, '$.activationId') AS activation,
       json_extract_scalar(requestparameters, '$.registrationLimit') AS registrations,
       json_extract_scalar(requestparameters, '$.expirationDate') AS expires,
       useragent
FROM   cloudtrail_logs
WHERE  eventsource = 'ssm.amazonaws.com'
  AND  eventname IN ('CreateActivation', 'RegisterManagedInstance')
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

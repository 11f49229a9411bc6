-- title: Account created in, invited to or moved within the organization
-- description: A new account is a clean place to work from, with the organization's bill behind
--   it; a moved one may leave the unit whose policies held it.
-- hit: `resource` is the account (or the address it was made with); see what happened there next.
-- caveat: CreateAccount finishes later: CreateAccountResult is its service event. An invitation
--   takes effect when the other side accepts it.
-- severity: medium
-- attack: TA0003:T1136.003
-- attack: TA0005:T1666
-- service: AWS Organizations
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_cloudtrail-integration.html
-- false_positive: Control Tower's account factory and the team that hands out accounts.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.accountId'),
                json_extract_scalar(requestparameters, '$.target.id'),
                json_extract_scalar(serviceeventdetails, '$.createAccountStatus.accountId'),
                json_extract_scalar(requestparameters, '$.email'),
                json_extract_scalar(requestparameters, '$.accountName'),
                json_extract_scalar(requestparameters, '$.handshakeId')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       json_extract_scalar(requestparameters, '$.sourceParentId') AS moved_from,
       json_extract_scalar(requestparameters, '$.destinationParentId') AS moved_to,
       json_extract_scalar(serviceeventdetails, '$.createAccountStatus.state') AS state
FROM   cloudtrail_logs
WHERE  eventsource = 'organizations.amazonaws.com'
  AND  eventname IN ('CreateAccount', 'CreateGovCloudAccount', 'CreateAccountResult',
                     'InviteAccountToOrganization', 'AcceptHandshake', 'MoveAccount',
                     'CreateOrganization')
  AND  outcome IN ('ok', 'denied')
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

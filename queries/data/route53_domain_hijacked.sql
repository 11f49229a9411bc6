-- title: Steps of a domain hijack
-- description: Name servers changed, transfer locks taken off, transfer codes fetched, domains
--   handed to another account, contacts or renewal changed, private zones tied to foreign VPCs,
--   zones and DNSSEC keys deleted.
-- hit: A step by which a domain or zone is taken over, or an attempt; several in a row on one
--   domain leave little doubt.
-- caveat: Domains are registered in us-east-1 and log there. At another registrar nothing is
--   seen.
-- severity: high
-- attack: TA0042:T1584.001
-- attack: TA0042:T1584.002
-- attack: TA0040:T1531
-- service: Amazon Route 53
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/Route53/latest/APIReference/API_domains_DisableDomainTransferLock.html
-- false_positive: Domains that are moved on purpose; zones torn down by infrastructure as code.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.domainName'),
                json_extract_scalar(requestparameters, '$.hostedZoneId'),
                json_extract_scalar(requestparameters, '$.id')) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       errorcode,
       coalesce(nullif(array_join(transform(CAST(json_extract(requestparameters,
           '$.nameservers') AS array(json)),
                                            n -> json_extract_scalar(n, '$.name')), ', '), ''),
                json_extract_scalar(requestparameters, '$.accountId'),
                json_extract_scalar(requestparameters, '$.vPC.vPCId')) AS given_to,
       useragent
FROM   cloudtrail_logs
WHERE  (eventsource = 'route53domains.amazonaws.com'
        AND eventname IN ('UpdateDomainNameservers', 'DisableDomainTransferLock',
                          'RetrieveDomainAuthCode', 'TransferDomainToAnotherAwsAccount',
                          'AcceptDomainTransferFromAnotherAwsAccount', 'TransferDomain',
                          'UpdateDomainContact', 'UpdateDomainContactPrivacy',
                          'DisableDomainAutoRenew', 'DeleteDomain',
                          'DisassociateDelegationSignerFromDomain', 'PushDomain')
        OR eventsource = 'route53.amazonaws.com'
        AND eventname IN ('AssociateVPCWithHostedZone', 'CreateVPCAssociationAuthorization',
                          'DeleteHostedZone', 'DisableHostedZoneDNSSEC', 'DeleteKeySigningKey',
                          'DeactivateKeySigningKey'))
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

-- title: Instance metadata service weakened
-- description: Somebody let instances hand out credentials to IMDSv1 requests again: for one
--   instance, as the account's default, or for instances just launched.
-- hit: The call set HttpTokens to optional, or the default to no preference.
-- caveat: An instance that is launched from an image or template without a word about it may allow
--   IMDSv1 as well, and does not show here. Of refused calls the parameters, and so the row, may be
--   missing.
-- severity: medium
-- attack: TA0005:T1562.001
-- attack: TA0006:T1552.005
-- service: Amazon EC2
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceMetadataOptions.html
-- reference: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceMetadataDefaults.html
-- false_positive: old software that does not know IMDSv2

WITH changes AS (
  SELECT eventtime,
         principal_key,
         eventname,
         coalesce(json_extract_scalar(requestparameters,
                                      '$.ModifyInstanceMetadataOptionsRequest.InstanceId'),
                  json_extract_scalar(responseelements, '$.instancesSet.items[0].instanceId'))
           AS instance,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid,
         coalesce(json_extract_scalar(requestparameters,
                                      '$.ModifyInstanceMetadataOptionsRequest.HttpTokens'),
                  json_extract_scalar(requestparameters,
                                      '$.ModifyInstanceMetadataDefaultsRequest.HttpTokens'),
                  json_extract_scalar(requestparameters, '$.metadataOptions.httpTokens'))
           AS http_tokens,
         outcome,
         useragent
  FROM   cloudtrail_logs
  WHERE  eventsource = 'ec2.amazonaws.com'
    AND  eventname IN ('ModifyInstanceMetadataOptions', 'ModifyInstanceMetadataDefaults',
                       'RunInstances')
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
)
SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(instance, CASE WHEN eventname = 'ModifyInstanceMetadataDefaults'
                               THEN concat('default of ', awsregion) END) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       http_tokens,
       outcome,
       useragent
FROM   changes
WHERE  http_tokens IN ('optional', 'no-preference')
ORDER  BY eventtime, eventid

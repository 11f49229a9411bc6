-- title: Glue development endpoint made, or given another SSH key
-- description: A development endpoint is a host with a Glue role that one logs in to by SSH.
--   Making one needs a role to pass; adding a key to one that exists needs none.
-- hit: The holder of the key can log in to `resource` and has its role.
-- caveat: New accounts can no longer make endpoints, so that a row is rare. Denied attempts are
--   rows too; their request is not recorded.
-- severity: medium
-- attack: TA0004:T1548.005
-- attack: TA0003:T1098.004
-- service: AWS Glue
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/glue/latest/dg/dev-endpoint.html
-- reference: https://pathfinding.cloud/paths/glue-001
-- reference: https://pathfinding.cloud/paths/glue-002
-- false_positive: Data engineers who still work with endpoints.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.endpointName'),
                regexp_extract(errormessage, 'devEndpoint/([^ ]+)', 1)) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       outcome,
       json_extract_scalar(requestparameters, '$.roleArn') AS role,
       coalesce(json_extract_scalar(requestparameters, '$.publicKey'),
                json_format(coalesce(json_extract(requestparameters, '$.addPublicKeys'),
                                     json_extract(requestparameters, '$.publicKeys'))))
         AS public_keys
FROM   cloudtrail_logs
WHERE  eventsource = 'glue.amazonaws.com'
  AND  (eventname = 'CreateDevEndpoint'
        OR (eventname = 'UpdateDevEndpoint'
            AND (outcome = 'denied'
                 OR json_extract_scalar(requestparameters, '$.publicKey') IS NOT NULL
                 OR json_extract(requestparameters, '$.addPublicKeys') IS NOT NULL)))
  AND  outcome IN ('ok', 'denied')
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

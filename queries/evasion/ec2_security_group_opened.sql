-- title: Security group opened to the world
-- description: Inbound rules that let in every address (a range that ends in /0), with ports.
--   Remote access ports and all ports come first to an intruder's mind.
-- hit: Hosts behind that group can be reached from anywhere on `ports`, or somebody tried to
--   bring that about.
-- caveat: Web servers are open on purpose: they are left out by `except_ports`. A route and a
--   public address are needed too. Ranges a little narrower than the world (/1, several large
--   ones) are not seen. No row does not mean that nothing was open before.
-- severity: medium
-- attack: TA0005:T1562.007
-- service: Amazon EC2
-- param: except_ports array(varchar) = '80,443' -- rules that open nothing but these ports are left out
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html
-- false_positive: Public web servers; tests in sandbox accounts.

WITH calls AS (
  SELECT eventtime, principal_key, eventname, sourceipaddress, recipientaccountid, awsregion,
         eventid, outcome, errorcode, useragent, requestparameters,
         coalesce(json_extract_scalar(requestparameters, '$.groupId'),
                  json_extract_scalar(requestparameters, '$.groupName'),
                  json_extract_scalar(requestparameters,
                                      '$.ModifySecurityGroupRulesRequest.GroupId'))
                    AS security_group,
         coalesce(CAST(json_extract(requestparameters, '$.ipPermissions.items') AS array(json)),
                  ARRAY[json_parse(requestparameters)]) AS rules
  FROM   cloudtrail_logs
  WHERE  eventsource = 'ec2.amazonaws.com'
    AND  eventname IN ('AuthorizeSecurityGroupIngress', 'ModifySecurityGroupRules')
    AND  strpos(requestparameters, '/0"') > 0
    AND  (:since = '' OR eventtime >= :since)
    AND  (:until = '' OR eventtime <= :until)
),
opened AS (
  SELECT c.*,
         array_distinct(regexp_extract_all(json_format(r.rule),
                                           '"[Cc]idrI[^"]*"\s*:\s*"([^"]*/0)"', 1)) AS ranges,
         CASE WHEN regexp_like(json_format(r.rule), '"[Ii]pProtocol"\s*:\s*"-1"') THEN 'all'
              ELSE concat_ws('-',
                     regexp_extract(json_format(r.rule), '"[Ff]romPort"\s*:\s*(-?\d+)', 1),
                     nullif(regexp_extract(json_format(r.rule), '"[Tt]oPort"\s*:\s*(-?\d+)', 1),
                            regexp_extract(json_format(r.rule), '"[Ff]romPort"\s*:\s*(-?\d+)', 1)))
         END AS ports
  FROM   calls c
  CROSS  JOIN UNNEST(rules) AS r(rule)
  WHERE  strpos(json_format(r.rule), '/0"') > 0
)
SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       security_group AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       ports,
       array_join(ranges, ', ') AS open_to,
       outcome,
       errorcode,
       useragent
FROM   opened
WHERE  NOT contains(:except_ports, ports)
ORDER  BY eventtime, eventid, ports, open_to

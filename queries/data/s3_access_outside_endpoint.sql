-- title: S3 reached around the VPC endpoint
-- description: Principals that reach a bucket through a VPC endpoint, and also without one: the
--   same credentials were used from outside of the network they belong to.
-- hit: `outside` calls came over the internet from `outside_addresses`, though `inside` came
--   through an endpoint; a workload's credentials may have left the VPC.
-- caveat: Data events: absent unless the trail records them for that bucket; listing and bucket
--   settings are management events and always count. Calls by services on behalf of the principal
--   are left out. The console's own endpoint counts as one, which is why an address that was seen
--   inside is not counted as outside.
-- attack: TA0005:T1550.001
-- attack: TA0009:T1530
-- service: Amazon S3
-- service: Amazon VPC
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/privatelink-interface-endpoints.html

SELECT principal_key,
       json_extract_scalar(requestparameters, '$.bucketName') AS bucket,
       count_if(vpcendpointid IS NOT NULL) AS inside,
       count_if(vpcendpointid IS NULL) AS outside,
       array_join(array_agg(DISTINCT vpcendpointid ORDER BY vpcendpointid), ', ') AS endpoints,
       array_join(slice(array_sort(array_except(
         array_agg(DISTINCT sourceipaddress) FILTER (WHERE vpcendpointid IS NULL),
         array_agg(DISTINCT sourceipaddress) FILTER (WHERE vpcendpointid IS NOT NULL))),
         1, 10), ', ') AS outside_addresses,
       array_join(array_agg(DISTINCT CASE WHEN vpcendpointid IS NULL THEN eventname END
                            ORDER BY CASE WHEN vpcendpointid IS NULL THEN eventname
                                    END), ', ') AS outside_apis,
       min(CASE WHEN vpcendpointid IS NULL THEN eventtime END) AS first_outside,
       max(CASE WHEN vpcendpointid IS NULL THEN eventtime END) AS last_outside
FROM   cloudtrail_logs
WHERE  eventsource = 's3.amazonaws.com'
  AND  useridentity.invokedby IS NULL
  AND  json_extract_scalar(requestparameters, '$.bucketName') IS NOT NULL
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
GROUP  BY principal_key, json_extract_scalar(requestparameters, '$.bucketName')
HAVING count_if(vpcendpointid IS NOT NULL) > 0
   AND cardinality(array_except(
         array_agg(DISTINCT sourceipaddress) FILTER (WHERE vpcendpointid IS NULL),
         array_agg(DISTINCT sourceipaddress) FILTER (WHERE vpcendpointid IS NOT NULL))) > 0
ORDER  BY outside DESC, principal_key, bucket

-- title: Notebook opened by someone who did not make it
-- description: A presigned URL opens a notebook instance or Studio with the execution role behind
--   it. Whoever may ask for the URL of another's notebook has its role's rights from a browser.
-- hit: `actor` got a URL to `resource`. `made_by` and `role` come from its creation where the
--   logs hold it.
-- caveat: Notebooks that the caller itself created in the logs are left out; for older ones the
--   maker is unknown. What is done inside shows as calls of the role.
-- severity: low
-- attack: TA0004:T1548.005
-- service: Amazon SageMaker AI
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreatePresignedNotebookInstanceUrl.html
-- reference: https://pathfinding.cloud/paths/sagemaker-001
-- reference: https://pathfinding.cloud/paths/sagemaker-004
-- false_positive: Shared notebooks; Studio, which its users open every day.

WITH calls AS (
  SELECT eventtime,
         principal_key,
         eventname,
         coalesce(json_extract_scalar(requestparameters, '$.notebookInstanceName'),
                  json_extract_scalar(requestparameters, '$.domainId'),
                  regexp_extract(json_extract_scalar(responseelements, '$.domainArn'),
                                 '[^/]+$')) AS name,
         json_extract_scalar(requestparameters, '$.userProfileName') AS profile,
         coalesce(json_extract_scalar(requestparameters, '$.roleArn'),
                  json_extract_scalar(requestparameters, '$.defaultUserSettings.executionRole'))
           AS role,
         sourceipaddress,
         recipientaccountid,
         awsregion,
         eventid
  FROM   cloudtrail_logs
  WHERE  eventsource = 'sagemaker.amazonaws.com'
    AND  eventname IN ('CreatePresignedNotebookInstanceUrl', 'CreatePresignedDomainUrl',
                       'CreateNotebookInstance', 'CreateDomain')
    AND  errorcode IS NULL
)
SELECT opened.eventtime,
       opened.principal_key AS actor,
       opened.eventname AS action,
       opened.name AS resource,
       opened.sourceipaddress,
       opened.recipientaccountid,
       opened.awsregion,
       opened.eventid,
       opened.profile,
       made.principal_key AS made_by,
       made.role
FROM   calls AS opened
LEFT   JOIN calls AS made
  ON   made.eventname IN ('CreateNotebookInstance', 'CreateDomain')
 AND   made.name = opened.name
 AND   made.recipientaccountid = opened.recipientaccountid
 AND   made.awsregion = opened.awsregion
 AND   made.eventtime <= opened.eventtime
WHERE  opened.eventname IN ('CreatePresignedNotebookInstanceUrl', 'CreatePresignedDomainUrl')
  AND  coalesce(made.principal_key, '') <> opened.principal_key
  AND  (:since = '' OR opened.eventtime >= :since)
  AND  (:until = '' OR opened.eventtime <= :until)
ORDER  BY opened.eventtime, opened.eventid

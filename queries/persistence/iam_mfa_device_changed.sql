-- title: MFA removed, or enrolled for somebody else
-- description: A second factor that was taken from a user, or a device that somebody enrolled for
--   another user. The first makes a stolen password enough; the second lets the intruder answer
--   the prompt and keeps the owner out.
-- hit: `change` is `removed` or `enrolled for another`. Read on with the user's next sign-ins.
-- caveat: Users who enrol their own device give no row. Deleting a virtual device that was never
--   enabled gives one: it is what remains when an enrolment is abandoned.
-- severity: medium
-- attack: TA0003:T1556.006
-- attack: TA0005:T1556.006
-- service: IAM
-- param: since varchar = '' -- earliest eventtime, inclusive; all where empty
-- param: until varchar = '' -- latest eventtime, inclusive; all where empty
-- reference: https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeactivateMFADevice.html
-- reference: https://docs.aws.amazon.com/IAM/latest/APIReference/API_EnableMFADevice.html
-- false_positive: A lost or new phone: the help desk removes the old device.

SELECT eventtime,
       principal_key AS actor,
       eventname AS action,
       coalesce(json_extract_scalar(requestparameters, '$.userName'),
                json_extract_scalar(requestparameters, '$.serialNumber'),
                regexp_extract(errormessage, 'on resource: (?:user )?([^ ]+)', 1)) AS resource,
       sourceipaddress,
       recipientaccountid,
       awsregion,
       eventid,
       CASE eventname WHEN 'EnableMFADevice' THEN 'enrolled for another' ELSE 'removed' END
         AS change,
       outcome,
       json_extract_scalar(requestparameters, '$.serialNumber') AS device,
       useridentity.sessioncontext.attributes.mfaauthenticated AS caller_used_mfa
FROM   cloudtrail_logs
WHERE  eventsource = 'iam.amazonaws.com'
  AND  (eventname IN ('DeactivateMFADevice', 'DeleteVirtualMFADevice')
        OR (eventname = 'EnableMFADevice'
            AND json_extract_scalar(requestparameters, '$.userName') IS NOT NULL
            AND json_extract_scalar(requestparameters, '$.userName')
                <> coalesce(useridentity.username, '')))
  AND  outcome IN ('ok', 'denied')
  AND  (:since = '' OR eventtime >= :since)
  AND  (:until = '' OR eventtime <= :until)
ORDER  BY eventtime, eventid

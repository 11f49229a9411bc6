//! The companion columns as Athena computes them from AWS's columns.
//!
//! Each expression gives what ingest derives; where it cannot, the column's note says for which
//! records. A test compares both over the samples.

use crate::logs::cloudtrail::schema::{self, Group};

/// A column of ours in Athena's terms.
#[derive(Debug, Clone)]
pub struct AthenaColumn {
    /// Its name.
    pub name: &'static str,
    /// An expression of Athena SQL over the columns of AWS's table definition.
    pub expression: String,
    /// For which records it gives something else, in a sentence.
    pub note: Option<&'static str>,
}

/// The kinds of policy that an error message names.
const POLICIES: &str = "identity-based policy|resource-based policy|permissions boundary|session \
                        policy|service control policy|resource control policy|VPC endpoint \
                        policy|role trust policy";

/// The error codes that mean a refusal.
const DENIED: &str = "regexp_like(errorcode, '^(UnauthorizedAccess|AuthorizationError|NotAuthorized)$|AccessDenied|UnauthorizedOperation$')";

const THROTTLED: &str = "regexp_like(errorcode, '^(TooManyRequestsException|SlowDown|ProvisionedThroughputExceededException)$|^Throttl|RequestLimitExceeded$')";

const ACTOR: &str = "coalesce(useridentity.accountid, useridentity.sessioncontext.sessionissuer.accountid, if(useridentity.arn LIKE 'arn:%', nullif(split_part(useridentity.arn, ':', 5), '')))";

const ADDRESS: &str = "TRY_CAST(sourceipaddress AS ipaddress)";

const BASE_NAME: &str = r"regexp_replace(eventname, '^(.+?)20\d\d_?\d\d_?\d\d(v\d)?$', '$1')";

const SERVICE: &str = r"regexp_replace(eventsource, '\.amazonaws\.com(\.cn)?$', '')";

/// The columns that Athena can compute, in the order of the table.
pub fn athena_columns() -> Vec<AthenaColumn> {
    let plain = schema::columns().iter().filter(|column| column.group == Group::Companion);
    let mut columns: Vec<AthenaColumn> = plain
        .filter_map(|column| {
            let (expression, note) = companion(column.name)?;
            Some(AthenaColumn { name: column.name, expression, note })
        })
        .collect();
    for name in ["source_file", "$path"] {
        columns.push(AthenaColumn { name, expression: "\"$path\"".to_owned(), note: None });
    }
    columns
}

fn companion(name: &str) -> Option<(String, Option<&'static str>)> {
    let mut note = None;
    let expression = match name {
        "event_ts" => {
            note = Some("Times that are not ISO 8601 are NULL, fractions end at milliseconds.");
            "try(from_iso8601_timestamp(eventtime))".to_owned()
        }
        "src_ip" => {
            note = Some("An IPv4 address that is mapped into IPv6 is given as IPv4.");
            format!("CAST({ADDRESS} AS varchar)")
        }
        "src_kind" => format!(
            "CASE WHEN {ADDRESS} IS NOT NULL THEN if(strpos(sourceipaddress, ':') > 0, 'ip6', 'ip4') \
             WHEN strpos(sourceipaddress, ':') > 0 THEN NULL \
             WHEN regexp_like(sourceipaddress, '(?i)^aws internal|^aws\\.internal$') THEN 'internal' \
             WHEN regexp_like(sourceipaddress, '^[A-Za-z0-9._-]+\\.[A-Za-z]{{2,}}$') THEN 'service' END"
        ),
        "principal_key" => "coalesce(useridentity.sessioncontext.sessionissuer.arn, useridentity.arn, \
             useridentity.principalid, concat(useridentity.accountid, '|', useridentity.invokedby), \
             useridentity.accountid, useridentity.invokedby)"
            .to_owned(),
        "session_name" => "nullif(substr(useridentity.principalid, \
             nullif(strpos(useridentity.principalid, ':'), 0) + 1), '')"
            .to_owned(),
        "actor_account" => ACTOR.to_owned(),
        "owner_account" => "recipientaccountid".to_owned(),
        "is_cross_account" => format!("{ACTOR} <> recipientaccountid"),
        "key_kind" => "CASE substr(useridentity.accesskeyid, 1, 4) WHEN 'AKIA' THEN 'long-term' \
             WHEN 'ASIA' THEN 'temporary' END"
            .to_owned(),
        "event_name_base" => BASE_NAME.to_owned(),
        "service" => SERVICE.to_owned(),
        "is_write" => {
            "CASE lower(readonly) WHEN 'true' THEN false WHEN 'false' THEN true END".to_owned()
        }
        "outcome" => format!(
            "CASE WHEN eventname IS NULL THEN NULL WHEN {DENIED} THEN 'denied' \
             WHEN {THROTTLED} OR strpos(errormessage, 'Rate exceeded') > 0 THEN 'throttled' \
             WHEN coalesce(errorcode, '') <> '' OR coalesce(errormessage, '') <> '' THEN 'error' \
             WHEN eventsource = 'signin.amazonaws.com' AND strpos(replace(responseelements, ' ', ''), \
             concat('\"', eventname, '\":\"Failure\"')) > 0 THEN 'error' ELSE 'ok' END"
        ),
        "category" => {
            note = Some(
                "Records that say managementEvent and no eventCategory are judged by their name.",
            );
            category()
        }
        "deny_type" | "deny_policy_arn" | "deny_action" | "deny_explicit" => denial(name),
        "issued_key" => issued(&["credentials.accessKeyId"]),
        "issued_session_arn" => issued(&["assumedRoleUser.arn", "federatedUser.arn"]),
        "target_role" => "if(eventname LIKE 'AssumeRole%' OR eventname = 'CreateSession', \
             nullif(json_extract_scalar(requestparameters, '$.roleArn'), ''))"
            .to_owned(),
        _ => return None,
    };
    Some((expression, note))
}

/// What the message of a refusal says.
fn denial(name: &str) -> String {
    const EXPLICIT: &str = "strpos(errormessage, 'with an explicit deny in ') > 0";
    const WORD: &str = r"\s*(\S*?)[.,;:]*(?:\s|$)";
    let said = match name {
        "deny_type" => format!(
            "CASE WHEN {EXPLICIT} THEN \
             regexp_extract(errormessage, 'with an explicit deny in (?:a |an |the )?({POLICIES})', 1) \
             WHEN regexp_like(errormessage, 'because no (?:{POLICIES})') THEN \
             regexp_extract(errormessage, 'because no ({POLICIES})', 1) \
             WHEN strpos(errormessage, 'denied due to a VPC endpoint policy') > 0 THEN \
             'VPC endpoint policy' END"
        ),
        "deny_policy_arn" => format!(
            "regexp_extract(errormessage, \
             'with an explicit deny in (?:a |an |the )?(?:{POLICIES}): \\s*(arn:\\S*?)[.,;:]*(?:\\s|$)', 1)"
        ),
        "deny_explicit" => format!(
            "CASE WHEN {EXPLICIT} THEN true \
             WHEN regexp_like(errormessage, 'because no (?:{POLICIES})') THEN false END"
        ),
        _ => format!(
            "coalesce(if({EXPLICIT}, NULL, nullif(regexp_extract(errormessage, \
             'because no (?:{POLICIES}) allows the {WORD}', 1), '')), \
             nullif(regexp_extract(errormessage, 'not authorized to perform: {WORD}', 1), ''))"
        ),
    };
    format!("if(eventname IS NOT NULL AND {DENIED}, {said})")
}

/// What stands at the first of `paths` in a response that hands out credentials; IAM Roles Anywhere
/// wraps it in a list.
fn issued(paths: &[&str]) -> String {
    let find = |prefix: &str, path: &str| {
        format!("json_extract_scalar(responseelements, '$.{prefix}{path}')")
    };
    let all: Vec<String> = ["credentialSet[0].", ""]
        .iter()
        .flat_map(|prefix| paths.iter().map(move |path| find(prefix, path)))
        .collect();
    format!(
        "if(strpos(responseelements, '\"credentials\"') > 0, nullif(coalesce({}), ''))",
        all.join(", ")
    )
}

/// The data events there were before records said so themselves.
fn category() -> String {
    const S3: &str = "'GetObject', 'PutObject', 'HeadObject', 'CopyObject', 'DeleteObject', \
                      'DeleteObjects', 'ListObjects', 'ListObjectVersions', 'GetObjectAcl', \
                      'PutObjectAcl', 'GetObjectTagging', 'PutObjectTagging', \
                      'DeleteObjectTagging', 'GetObjectTorrent', 'RestoreObject', \
                      'SelectObjectContent', 'CreateMultipartUpload', 'UploadPart', \
                      'UploadPartCopy', 'CompleteMultipartUpload', 'AbortMultipartUpload', \
                      'ListParts', 'HeadBucket'";
    const DYNAMODB: &str = "'GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'BatchGetItem', \
                            'BatchWriteItem', 'Query', 'Scan'";
    format!(
        "coalesce(eventcategory, CASE WHEN lower(eventtype) = 'awscloudtrailinsight' THEN 'Insight' \
         WHEN eventtype IN ('AwsVpceEvent', 'AwsVpceEvents') THEN 'NetworkActivity' \
         WHEN coalesce(eventtype, '') IN ('AwsApiCall', '') \
         AND (({SERVICE} = 's3' AND {BASE_NAME} IN ({S3})) \
         OR ({SERVICE} = 'lambda' AND {BASE_NAME} = 'Invoke') \
         OR ({SERVICE} = 'dynamodb' AND {BASE_NAME} IN ({DYNAMODB}))) THEN 'Data' \
         ELSE 'Management' END)"
    )
}

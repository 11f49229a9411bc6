//! How members of JSON are spelled: paths have case, and published queries often do not.

use super::{Kind, Place, Taken};

/// Members that questions ask for most, as AWS spells them.
const SPELLED: &[&str] = &[
    "accessKey",
    "accessKeyId",
    "assumedRoleUser",
    "bucketName",
    "cidrIp",
    "ConsoleLogin",
    "createAccessKey",
    "credentials",
    "dBInstanceIdentifier",
    "fromPort",
    "functionName",
    "groupId",
    "groupName",
    "instanceId",
    "instancesSet",
    "instanceType",
    "ipPermissions",
    "keyId",
    "LoginTo",
    "MFAUsed",
    "MobileVersion",
    "policyArn",
    "policyDocument",
    "policyName",
    "repositoryName",
    "roleArn",
    "roleName",
    "roleSessionName",
    "secretId",
    "sessionToken",
    "snapshotId",
    "SwitchFrom",
    "toPort",
    "trailName",
    "userName",
    "volumeId",
    "vpcId",
];

/// `name` as AWS spells it, where that is known.
fn spelled(name: &str) -> &str {
    SPELLED.iter().find(|known| known.eq_ignore_ascii_case(name)).copied().unwrap_or(name)
}

/// How Athena reads the member that `names` lead to: the first one is the column.
pub(super) fn call(names: &[String], of_map: bool) -> String {
    let Some((column, members)) = names.split_first() else { return String::new() };
    let members: Vec<&str> = members.iter().map(|name| spelled(name)).collect();
    let path = |members: &[&str]| {
        let steps = members.iter().map(|name| {
            let plain = name.chars().all(|c| c.is_alphanumeric() || c == '_');
            if plain { format!(".{name}") } else { format!("[\"{name}\"]") }
        });
        steps.collect::<String>()
    };
    match members.split_first() {
        Some((first, [])) if of_map => format!("element_at({column}, '{first}')"),
        Some((first, rest)) if of_map => {
            format!("json_extract_scalar(element_at({column}, '{first}'), '${}')", path(rest))
        }
        _ => format!("json_extract_scalar({column}, '${}')", path(&members)),
    }
}

/// The member that `names` lead to.
pub(super) fn member(names: &[String], of_map: bool) -> Taken {
    let column = names.first().map_or("", String::as_str);
    let (what, meant) = if of_map {
        ("a map", "the value of the map's key, whatever its case")
    } else {
        ("text", "the member of the JSON text, whatever its case")
    };
    Taken {
        kind: Kind::Member,
        place: Place::Names(names.to_vec()),
        written: format!("`{}`", names.join(".")),
        meant: meant.to_owned(),
        strict: format!("{}, where names have case", call(names, of_map)),
        fault: format!("`{column}` is {what} and has no members"),
    }
}

/// Spells `taken` as `text` has it, which is what stands in its place.
pub(super) fn respell(taken: &mut Taken, text: &str) {
    let of_map = taken.strict.contains("element_at(");
    let names: Vec<String> =
        text.split('.').map(|name| name.trim().trim_matches('"').to_owned()).collect();
    *taken = member(&names, of_map);
}

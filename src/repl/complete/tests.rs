use proptest::prelude::*;

use super::*;

fn names() -> Names {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Names {
        tables: owned(&["cloudtrail_logs", "cloudtrail_lake", "log_files"]),
        columns: owned(&["eventname", "eventsource", "useridentity", "event_ts", "errorcode"]),
        fields: owned(&[
            "useridentity.arn",
            "useridentity.accountid",
            "useridentity.sessioncontext",
            "useridentity.sessioncontext.sessionissuer",
            "useridentity.sessioncontext.sessionissuer.arn",
        ]),
        functions: owned(&["count", "json_extract_scalar"]),
        keywords: owned(&["SELECT", "FROM", "GROUP", "WHERE"]),
    }
}

/// What Tab offers where `|` stands.
fn offered(text: &str) -> Vec<String> {
    let cursor = text.find('|').unwrap();
    complete(&text.replacen('|', "", 1), cursor, &names()).1
}

/// Asserts that Tab at `|` in `before` leaves `after`, as far as it is certain.
#[track_caller]
fn assert_complete(before: &str, after: &str) {
    let cursor = before.find('|').unwrap();
    let line = before.replacen('|', "", 1);
    let (start, found) = complete(&line, cursor, &names());
    let typed = line.get(start..cursor).unwrap();
    let certain = found
        .iter()
        .cloned()
        .reduce(|a, b| {
            a.chars().zip(b.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
        })
        .filter(|certain| certain.len() >= typed.len())
        .unwrap_or_else(|| typed.to_owned());
    let (head, tail) = (line.get(..start).unwrap(), line.get(cursor..).unwrap());
    assert_eq!(format!("{head}{certain}|{tail}"), after, "{found:?}");
}

#[test]
fn columns_keywords_and_functions_are_completed() {
    assert_complete("select eventn|", "select eventname|");
    assert_complete("SELECT count(*), EVENTN|", "SELECT count(*), eventname|");
    assert_complete("sel|", "select|");
    assert_complete("SEL|", "SELECT|");
    assert_complete("sel| 1", "select| 1");
    assert_complete("select json|", "select json_extract_scalar|");
    assert_complete("select 1 grou|", "select 1 group|");
    assert_complete("select event|", "select event|");
    assert_eq!(offered("select event|"), ["event_ts", "eventname", "eventsource"]);
}

#[test]
fn behind_from_only_tables_are_offered() {
    assert_complete("select * from cl|", "select * from cloudtrail_l|");
    assert_eq!(offered("select * from |"), ["cloudtrail_lake", "cloudtrail_logs", "log_files"]);
    assert_complete("describe log|", "describe log_files|");
    assert_complete("select * from (select 1 from log|", "select * from (select 1 from log_files|");
}

#[test]
fn members_follow_their_struct_also_behind_an_alias() {
    assert_complete("select useridentity.ar|", "select useridentity.arn|");
    assert_complete("select t.useridentity.ac|", "select t.useridentity.accountid|");
    assert_complete("select UserIdentity.sess|", "select UserIdentity.sessioncontext|");
    assert_eq!(offered("select useridentity.sessioncontext.|"), ["sessionissuer"]);
    assert_eq!(offered("select useridentity.sessioncontext.sessionissuer.|"), ["arn"]);
    assert_complete("select cloudtrail_logs.errorc|", "select cloudtrail_logs.errorcode|");
}

#[test]
fn nothing_is_offered_in_strings_and_comments() {
    for text in [
        "select 'eventn|",
        "select \"eventn|",
        "-- eventn|",
        "select 1 -- it's eventn|",
        "/* eventn|",
    ] {
        assert_eq!(offered(text), [""; 0], "{text}");
    }
    assert_complete("select '--', eventn|", "select '--', eventname|");
    assert_complete("-- a comment\nselect eventn|", "-- a comment\nselect eventname|");
}

#[test]
fn commands_and_their_arguments_are_completed() {
    assert_complete(".sch|", ".schema|");
    assert_complete(".schema log|", ".schema log_files|");
    assert_complete(".mode exp|", ".mode expanded|");
    assert_complete(".help .sch|", ".help .schema|");
    assert_complete(".timer o|", ".timer o|");
    assert_eq!(offered(".timer |"), ["off", "on"]);
    assert_complete("\\d|", "\\d|");
}

#[test]
fn paths_are_completed_for_commands_that_take_them() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("question.sql"), "").unwrap();
    std::fs::create_dir(dir.path().join("evidence")).unwrap();
    let at = dir.path().display();
    assert_complete(&format!(".read {at}/que|"), &format!(".read {at}/question.sql|"));
    assert_complete(&format!(".ingest {at}/ev|"), &format!(".ingest {at}/evidence/|"));
}

proptest! {
    #[test]
    fn any_text_can_be_completed(text in any::<String>(), at in 0usize..40) {
        let cursor = text.floor_char_boundary(at.min(text.len()));
        let (start, _) = complete(&text, cursor, &names());
        prop_assert!(start <= cursor && text.is_char_boundary(start));
    }
}

#[test]
fn a_space_of_several_bytes_ends_a_command() {
    let text = ".tables\u{a0}";
    assert_eq!(complete(text, text.len(), &names()).0, text.len());
}

use proptest::prelude::*;

use super::{super::values::Values, *};

fn words() -> Words {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let of = |table: &str, names: &[&str]| -> Vec<(String, String)> {
        names.iter().map(|name| (table.to_owned(), (*name).to_owned())).collect()
    };
    let columns = [
        of(
            "cloudtrail_logs",
            &["eventname", "eventsource", "useridentity", "event_ts", "errorcode"],
        ),
        of("cloudtrail_lake", &["eventname", "eventdata"]),
        of("log_files", &["uri", "sha256"]),
    ];
    let parameter = |name: &str, is_optional| (name.to_owned(), is_optional);
    let names = Names {
        tables: owned(&["cloudtrail_logs", "cloudtrail_lake", "log_files"]),
        columns: columns.concat(),
        fields: owned(&[
            "useridentity.arn",
            "useridentity.accountid",
            "useridentity.sessioncontext",
            "useridentity.sessioncontext.sessionissuer",
            "useridentity.sessioncontext.sessionissuer.arn",
        ]),
        functions: owned(&["count", "json_extract_scalar"]),
        keywords: owned(&["SELECT", "FROM", "GROUP", "WHERE"]),
        settings: owned(&["datafusion.execution.batch_size"]),
        queries: vec![Saved {
            name: "access_key_activity".to_owned(),
            parameters: vec![parameter("key", false), parameter("since", true)],
        }],
    };
    let values = Values::with(&[
        ("eventname", &["AssumeRole", "AssumeRoleWithSAML", "GetObject"]),
        ("eventsource", &["s3.amazonaws.com", "sts.amazonaws.com"]),
        ("useridentity.arn", &["arn:aws:iam::111122223333:user/o'hara"]),
        ("useridentity.accesskeyid", &["AKIAI44QH8DHBEXAMPLE", "AKIAIOSFODNN7EXAMPLE"]),
        ("principal_key", &["AWS Service", "arn:aws:iam::111122223333:root"]),
    ]);
    Words { names, values }
}

/// What Tab offers where `|` stands.
fn offered(text: &str) -> Vec<String> {
    let cursor = text.find('|').unwrap();
    words().complete(&text.replacen('|', "", 1), cursor).found
}

/// Asserts that Tab at `|` in `before` leaves `after`, as far as it is certain.
#[track_caller]
fn assert_complete(before: &str, after: &str) {
    let cursor = before.find('|').unwrap();
    let line = before.replacen('|', "", 1);
    let Offer { start, found, .. } = words().complete(&line, cursor);
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
    assert_eq!(offered("select event|"), ["event_ts", "eventdata", "eventname", "eventsource"]);
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
        "select 'it''s eventn|",
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
    assert_complete(".sch|", ".schema |");
    assert_complete(".tab|", ".tables|");
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
        let start = words().complete(&text, cursor).start;
        prop_assert!(start <= cursor && text.is_char_boundary(start));
    }
}

#[test]
fn a_space_of_several_bytes_ends_a_command() {
    let text = ".tables\u{a0}";
    assert_eq!(words().complete(text, text.len()).start, text.len());
}

#[test]
fn a_statement_that_names_its_tables_gets_their_columns() {
    assert_eq!(offered("select event| from cloudtrail_lake"), ["eventdata", "eventname"]);
    assert_eq!(offered("select t.event| from cloudtrail_lake AS t"), ["eventdata", "eventname"]);
    assert_eq!(offered("select | from log_files f where")[..3], ["sha256", "uri", "f"]);
    assert_complete(
        "select l.useridentity.ar| from cloudtrail l",
        "select l.useridentity.arn| from cloudtrail l",
    );
    assert_complete(
        "with hits as (select 1) select * from hi|",
        "with hits as (select 1) select * from hits|",
    );
    // What is no table of ours may have any column.
    assert_eq!(offered("select event| from hits").len(), 4);
}

#[test]
fn values_follow_a_column_and_an_operator() {
    let found = ["AssumeRole", "AssumeRoleWithSAML"];
    for text in [
        "select 1 from t where eventname = 'Assu|",
        "select 1 from t where EVENTNAME='assu|",
        "where t.\"eventname\" <> 'Assu|",
        "where eventname LIKE 'Assu|",
        "where eventname NOT LIKE 'Assu|",
        "where eventname in ('Assu|",
        "where eventname NOT IN ('GetObject', 'x''y' , 'Assu|",
        "where eventname = /* which */ 'Assu|",
    ] {
        assert_eq!(offered(text), found, "{text}");
    }
    for text in [
        "where eventnam = 'Assu|",
        "where f('Assu|",
        "where x in (eventname, 'Assu|",
        "'Assu|",
        "= 'Assu|",
    ] {
        assert_eq!(offered(text), [""; 0], "{text}");
    }
    assert_complete("where eventname = 'Get|", "where eventname = 'GetObject'|");
    assert_complete("where eventname = 'Get|'", "where eventname = 'GetObject|'");
    assert_complete("where eventname = 'assu|", "where eventname = 'AssumeRole|");
    assert_complete(
        "where useridentity.arn = 'arn:aws:iam::111122223333:user/o''|",
        "where useridentity.arn = 'arn:aws:iam::111122223333:user/o''hara'|",
    );
}

#[test]
fn saved_queries_their_parameters_and_values_are_completed() {
    assert_complete(".run acc|", ".run access_key_activity |");
    assert_complete(".run access_key_activity k|", ".run access_key_activity key=|");
    assert_complete(
        ".run access_key_activity key=AKIAIO|",
        ".run access_key_activity key=AKIAIOSFODNN7EXAMPLE|",
    );
    assert_eq!(offered(".run access_key_activity key=AKIA since=1 |"), [""; 0]);
    assert_eq!(offered(".run nothing |"), [""; 0]);
    assert_complete(".show acc|", ".show access_key_activity |");
    assert_complete(".show access_key_activity -|", ".show access_key_activity --athena|");
    assert_complete(".set datafusion.exec|", ".set datafusion.execution.batch_size|");
    assert_complete("SET data|", "SET datafusion.execution.batch_size|");
    assert_complete(".functions js|", ".functions json_extract_scalar|");
}

#[test]
fn arguments_of_pivots_are_values_that_quotes_keep_together() {
    let words = words();
    let subject = super::super::values::Subject::Principal;
    let offer = words.argument(super::super::commands::Argument::Value(subject), &[], 5, "AWS");
    assert_eq!(offer.found, ["'AWS Service'"]);
}

#[test]
fn more_than_fits_is_told() {
    let many: Vec<String> = (0..1_500).map(|n| format!("Event{n:04}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let words = Words { values: Values::with(&[("eventname", &many)]), ..words() };
    let line = "where eventname = '";
    let offer = words.complete(line, line.len());
    assert_eq!(offer.found.len(), 1_000);
    assert_eq!(offer.note.as_deref(), Some("… 500 more"));
}

use super::*;
use crate::output::render_error;

const HEAD: &str = "-- title: T\n-- description: D\n";

fn parse(front_matter: &str) -> Result<SavedQuery> {
    SavedQuery::parse("q", &format!("{HEAD}{front_matter}\nSELECT 1"), "q.sql")
}

fn fault(front_matter: &str) -> String {
    render_error(&parse(front_matter).unwrap_err(), false)
}

#[test]
fn every_file_of_the_folder_is_built_in_and_parses() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("queries");
    let entries = |folder| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<String> = entries(folder)
        .flat_map(entries)
        .map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    files.sort();
    let mut built_in: Vec<&str> = BUILT_IN.iter().map(|(_, name, _)| *name).collect();
    built_in.sort_unstable();
    assert_eq!(built_in, files);
    built_in.dedup();
    assert_eq!(built_in.len(), files.len(), "a name is one of all themes");
    for (theme, name, _) in BUILT_IN {
        assert!(THEMES.iter().any(|(known, _)| known == theme), "{name}: {theme} is no theme");
    }
    Library::open(None::<&Path>).unwrap();
}

#[test]
fn front_matter_is_read_whole() {
    let query = parse(
        "-- severity: medium\n-- attack: TA0003:T1098.001\n\
         -- param: actor varchar = '%' -- only principals that match,\n--   as in LIKE\n\
         -- param: n bigint -- how many\n-- reference: https://example.com/a\n\
         -- false_positive: automation\n",
    )
    .unwrap();
    assert_eq!(query.severity, Some(Severity::Medium));
    assert_eq!(query.attack, ["TA0003:T1098.001"]);
    let actor = Parameter {
        name: "actor".to_owned(),
        kind: Kind::Varchar,
        default: Some("%".to_owned()),
        description: "only principals that match, as in LIKE".to_owned(),
    };
    assert_eq!(query.parameters.first(), Some(&actor));
    assert_eq!(query.parameters.get(1).map(|n| n.default.clone()), Some(None));
    assert_eq!(query.references, ["https://example.com/a"]);
}

#[test]
fn faults_are_drawn_at_their_place() {
    insta::assert_snapshot!(fault("-- sevrity: low"), @r"
    error: unknown key `sevrity`
     --> q.sql:3:4
      |
    3 | -- sevrity: low
      |    ^^^^^^^
      |
      = help: did you mean `severity`?
    ");
    insta::assert_snapshot!(fault("-- severity: bad"), @r"
    error: expected informational, low, medium, high or critical
     --> q.sql:3:14
      |
    3 | -- severity: bad
      |              ^^^
    ");
    insta::assert_snapshot!(fault("-- attack: T1098"), @r"
    error: expected a tactic and technique: TA0003:T1098.001
     --> q.sql:3:12
      |
    3 | -- attack: T1098
      |            ^^^^^
    ");
    insta::assert_snapshot!(fault("-- param: n int = 1 -- how many"), @r"
    error: unknown type `int`: expected one of varchar, bigint, double, boolean, date, array(varchar)
     --> q.sql:3:11
      |
    3 | -- param: n int = 1 -- how many
      |           ^^^^^^^^^^^^^^^^^^^^^
    ");
}

#[test]
fn a_query_without_a_title_is_refused() {
    let error = SavedQuery::parse("q", "SELECT 1", "q.sql").unwrap_err();
    assert_eq!(error.to_string(), "a saved query needs a title");
}

#[test]
fn values_become_literals_of_their_type_or_are_refused() {
    assert_eq!(Kind::Varchar.literal("a' OR '1'='1").unwrap(), "'a'' OR ''1''=''1'");
    assert_eq!(Kind::Bigint.literal("-5").unwrap(), "-5");
    assert_eq!(Kind::Double.literal("1.5").unwrap(), "1.5e0");
    assert_eq!(Kind::Boolean.literal("true").unwrap(), "true");
    assert_eq!(Kind::Date.literal("2024-01-31").unwrap(), "DATE '2024-01-31'");
    assert_eq!(Kind::List.literal(" a, it's ,,b").unwrap(), "ARRAY['a', 'it''s', 'b']");
    assert_eq!(Kind::List.literal("").unwrap(), "CAST(ARRAY[] AS array(varchar))");
    for (kind, value) in [
        (Kind::Bigint, "1; DROP"),
        (Kind::Double, "inf"),
        (Kind::Boolean, "yes"),
        (Kind::Date, "x"),
    ] {
        assert!(kind.literal(value).is_err(), "{value}");
    }
}

#[test]
fn an_own_query_wins_over_the_built_in_one() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let write = |dir: &Path, name: &str, text: &str| {
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, format!("{HEAD}{text}")).unwrap();
    };
    write(first.path(), "team/hunting/top_callers.sql", "SELECT 1");
    write(first.path(), "mine.sql", "SELECT 'first'");
    write(first.path(), ".git/objects/mine_too.sql", "SELECT 1");
    write(first.path(), "notes.txt", "no query");
    write(second.path(), "mine.sql", "SELECT 'second'");
    write(second.path(), "theirs.sql", "SELECT 2");
    let nowhere = first.path().join("nowhere");
    let library = Library::open([first.path(), second.path(), &nowhere]).unwrap();
    assert_eq!(library.get("top_callers").unwrap().title, "T");
    assert_eq!(library.get("top_callers").unwrap().theme, "own");
    assert!(library.get("mine").unwrap().text.contains("'first'"));
    assert!(library.get("mine_too").is_err());
    assert_eq!(library.find("").count(), BUILT_IN.len() + 2);
    let path = |dir: &Path| dir.join("mine.sql").display().to_string();
    assert_eq!(
        library.notices(),
        [format!(
            "`{}` is left out: `{}` has the same name and comes first",
            path(second.path()),
            path(first.path())
        )]
    );
}

#[test]
fn a_broken_file_takes_nothing_else_away() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| std::fs::write(dir.path().join(name), text).unwrap();
    write("top_callers.sql", b"-- titel: T\nSELECT 1");
    write("bare.sql", b"SELECT 1");
    write("latin.sql", b"-- title: \xe9t\xe9");
    write("fine.sql", format!("{HEAD}SELECT 1").as_bytes());
    let library = Library::open([dir.path()]).unwrap();
    assert!(library.get("fine").is_ok());
    let shown = |text: String| text.replace(dir.path().to_str().unwrap(), "DIR");
    insta::assert_snapshot!(shown(library.notices().join("\n")), @r"
    `DIR/bare.sql` is left out: a saved query needs a title
    `DIR/latin.sql` is left out: stream did not contain valid UTF-8
    `DIR/top_callers.sql` is left out: unknown key `titel`
    ");
    // The built-in one is not what was asked for.
    let error = library.get("top_callers").unwrap_err();
    insta::assert_snapshot!(shown(render_error(&error, false)), @r"
    error: unknown key `titel`
     --> DIR/top_callers.sql:1:4
      |
    1 | -- titel: T
      |    ^^^^^
      |
      = help: did you mean `title`?
    ");
    let error = library.get("latin").unwrap_err();
    insta::assert_snapshot!(shown(render_error(&error, false)), @r"
    error: cannot read `DIR/latin.sql`
      = cause: stream did not contain valid UTF-8
    ");
}

#[test]
fn what_is_kept_is_a_query_and_replaces_none_unasked() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("queries");
    let path = save(&dir, "keys_of_bob", "SELECT 1\n-- no head\n;\n").unwrap();
    let text = || std::fs::read_to_string(&path).unwrap();
    assert_eq!(
        text(),
        "-- title: keys of bob\n-- description: Kept at the prompt.\n\nSELECT 1\n-- no head\n;\n"
    );
    let shown =
        |error: crate::Error| render_error(&error, false).replace(dir.to_str().unwrap(), "DIR");
    insta::assert_snapshot!(shown(save(&dir, "keys_of_bob", "SELECT 2").unwrap_err()), @"error: invalid value `keys_of_bob` for `the name of a saved query`: `DIR/keys_of_bob.sql` is there already: choose another name");
    insta::assert_snapshot!(shown(save(&dir, "../bob", "SELECT 2").unwrap_err()), @"error: invalid value `../bob` for `the name of a saved query`: expected lower-case letters, digits and `_`, beginning with a letter, at most 64");
    insta::assert_snapshot!(shown(save(&dir, "bob", "-- title: T\n-- severity: bad\nSELECT 2").unwrap_err()), @r"
    error: expected informational, low, medium, high or critical
     --> DIR/bob.sql:3:14
      |
    3 | -- severity: bad
      |              ^^^
    ");
    assert!(text().contains("SELECT 1"));
    replace(&dir, "keys_of_bob", "-- title: Bob's keys\nSELECT 2").unwrap();
    assert_eq!(text(), "-- description: Kept at the prompt.\n-- title: Bob's keys\nSELECT 2\n");
    let left: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["keys_of_bob.sql"]);
    assert!(Library::open([&dir]).unwrap().get("keys_of_bob").is_ok());
}

#[test]
fn an_unknown_query_names_the_nearest() {
    let error = Library::open(None::<&Path>).unwrap().get("top_caller").unwrap_err();
    assert_eq!(error.help().unwrap(), "did you mean `top_callers`?");
}

fn run_with(given: &[(&str, &str)], text: &str) -> Result<Vec<String>> {
    let query = parse(
        "-- param: keys array(varchar) = '' -- these keys; all where empty\n\
         -- param: others array(varchar) = 'x' -- those\n-- param: n bigint -- how many\n",
    )?;
    let given: Vec<_> = given.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let mut read = |source: ListSource<'_>| Ok(format!("{text}\n{source:?}"));
    let literals = query.literals(&given, &mut read)?;
    Ok(literals.into_iter().map(|(name, literal)| format!("{name}={literal}")).collect())
}

#[test]
fn lists_add_up_and_come_from_files_and_standard_input() {
    let values = run_with(&[("keys", "a,b"), ("n", "1"), ("keys", "c")], "").unwrap();
    assert_eq!(values, ["keys=ARRAY['a', 'b', 'c']", "others=ARRAY['x']", "n=1"]);
    let file = "\u{feff}# keys that leaked\r\n\r\n AKIA1 \r\nrole,with,commas\n#none";
    let values = run_with(&[("keys", "@keys.txt"), ("n", "1"), ("others", "-")], file).unwrap();
    assert_eq!(
        values.first().unwrap(),
        "keys=ARRAY['AKIA1', 'role,with,commas', 'File(\"keys.txt\")']"
    );
    assert_eq!(values.get(1).unwrap(), "others=ARRAY['AKIA1', 'role,with,commas', 'Stdin']");
    let empty = run_with(&[("keys", ""), ("n", "1")], "").unwrap();
    assert_eq!(empty.first().unwrap(), "keys=CAST(ARRAY[] AS array(varchar))");
}

#[test]
fn values_that_cannot_be_meant_are_refused() {
    let message = |given: &[(&str, &str)]| run_with(given, "").unwrap_err().to_string();
    insta::assert_snapshot!(message(&[("n", "1"), ("n", "2")]), @"invalid value `2` for `n`: it is given twice, but takes one value");
    insta::assert_snapshot!(message(&[("n", "1"), ("keys", "-"), ("others", "@-")]), @"invalid value `@-` for `others`: standard input gives one list only");
    insta::assert_snapshot!(message(&[]), @"invalid value `` for `n`: `q` needs it: how many");
    insta::assert_snapshot!(message(&[("kesy", "1")]), @"invalid value `1` for `kesy`: `q` has no such parameter; did you mean `keys`?");
    // An empty list means all, a file that turned out empty does not.
    let query = parse("-- param: keys array(varchar) = '' -- these; all where empty").unwrap();
    let given = [("keys".to_owned(), "@none.txt".to_owned())];
    let error = query.literals(&given, &mut |_| Ok("# nothing\n".to_owned())).unwrap_err();
    insta::assert_snapshot!(error.to_string(), @"invalid value `@none.txt` for `keys`: there is no value in it: expected one a line");
}

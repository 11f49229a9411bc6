//! `trailhound query` as users and scripts run it.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use crate::support::from_root;

/// A user with a cache of the written case, and queries of their own.
struct Scene {
    home: tempfile::TempDir,
}

const HEAD: &str = "-- title: T\n-- description: D\n";

impl Scene {
    fn new() -> Self {
        let scene = Self { home: tempfile::tempdir().unwrap() };
        std::fs::create_dir_all(scene.path().join("own/deep")).unwrap();
        scene
    }

    fn path(&self) -> &Path {
        self.home.path()
    }

    fn own(&self, name: &str, text: &str) {
        std::fs::write(self.path().join("own").join(name), format!("{HEAD}{text}")).unwrap();
    }

    /// Runs the binary with `input`; gives stdout, or what it says of its failure.
    fn run(&self, arguments: &[&str], input: &str) -> Result<String, String> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_trailhound"))
            .args(["--cache", "cache", "--queries", "own"])
            .args(arguments)
            .current_dir(self.path())
            .env("HOME", self.path())
            .env("XDG_CONFIG_HOME", self.path().join("config"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }
}

#[test]
fn lists_come_from_arguments_files_and_standard_input() {
    let scene = Scene::new();
    let case = from_root("testdata/case");
    scene.run(&["ingest", case.to_str().unwrap()], "").unwrap();
    scene.own(
        "deep/calls_of_keys.sql",
        "-- param: keys array(varchar) = '' -- these; all where empty\n\
         SELECT count(DISTINCT useridentity.accesskeyid) AS keys FROM cloudtrail_logs\n\
         WHERE cardinality(:keys) = 0 OR contains(:keys, useridentity.accesskeyid)",
    );
    let (leaked, pipeline) = ("AKIAIOSFODNN7EXAMPLE", "AKIAI44QH8DHBEXAMPLE");
    let keys = |arguments: &[&str], input: &str| {
        scene
            .run(&[&["query", "calls_of_keys"], arguments].concat(), input)
            .map(|out| out.lines().nth(1).unwrap().parse::<u64>().unwrap())
    };
    assert_eq!(keys(&[&format!("keys={leaked},{pipeline}")], ""), Ok(2));
    let one_and_one = [format!("keys={leaked}"), format!("keys={pipeline}")];
    assert_eq!(keys(&[&one_and_one[0], &one_and_one[1]], ""), Ok(2));
    std::fs::write(scene.path().join("keys.txt"), format!("# leaked\n\n{leaked}\r\n")).unwrap();
    assert_eq!(keys(&["keys=@keys.txt"], ""), Ok(1));
    assert_eq!(keys(&["keys=-"], &format!("{leaked}\nnobody's\n")), Ok(1));
    assert!(keys(&[], "").unwrap() > 2);
    insta::assert_snapshot!(keys(&["keys=-"], "# none\n").unwrap_err(), @"error: invalid value `-` for `keys`: there is no value in it: expected one a line");
    insta::assert_snapshot!(keys(&["keys=@no.txt"], "").unwrap_err(), @r"
    error: cannot read `no.txt`
      = cause: No such file or directory (os error 2)
    ");
}

#[test]
fn what_athena_cannot_have_is_refused_with_the_reason() {
    let scene = Scene::new();
    scene.own("of_ours.sql", "SELECT eventname, l.record_no FROM cloudtrail_logs AS l");
    scene.own("of_partitions.sql", "SELECT eventname FROM cloudtrail_logs WHERE year = '2024'");
    scene.own("of_ledger.sql", "SELECT uri FROM log_files");
    scene.own("several.sql", "SELECT 1; SELECT 2");
    let refusal = |name: &str| scene.run(&["query", "--show", name, "--athena"], "").unwrap_err();
    insta::assert_snapshot!(refusal("of_ours"), @r#"
    error: `record_no` is known to trailhound alone: Athena cannot compute it
     --> own/of_ours.sql:3:21
      |
    3 | SELECT eventname, l.record_no FROM cloudtrail_logs AS l
      |                     ^^^^^^^^^
      |
      = help: Athena knows a row's file alone: `"$path"`
    "#);
    insta::assert_snapshot!(refusal("of_partitions"), @r"
    error: `year` is a partition of tables that not everyone has
     --> own/of_partitions.sql:3:45
      |
    3 | SELECT eventname FROM cloudtrail_logs WHERE year = '2024'
      |                                             ^^^^
      |
      = help: say `awsregion`, `recipientaccountid` or `eventtime`, which every table of AWS's has
    ");
    insta::assert_snapshot!(refusal("of_ledger"), @r"
    error: `log_files` is a table of trailhound's own: Athena has none
     --> own/of_ledger.sql:3:17
      |
    3 | SELECT uri FROM log_files
      |                 ^^^^^^^^^
      |
      = help: only queries over `cloudtrail_logs` run in Athena
    ");
    insta::assert_snapshot!(refusal("several"), @"error: invalid value `several` for `--athena`: Athena takes one statement at a time, and there are several or none");
}

#[test]
fn the_text_stays_as_written_and_columns_are_added_before_it() {
    let scene = Scene::new();
    scene.own(
        "mine.sql",
        "-- param: since varchar = '' -- from when\n-- param: keys array(varchar) = 'a' -- these\n\n\
         WITH few AS (SELECT * /* all */ FROM cloudtrail_logs WHERE contains(:keys, issued_key))\n\
         SELECT cloudtrail_logs.session_name AS service, \"$path\" -- where\n\
         FROM   cloudtrail_logs JOIN few ON few.eventid = cloudtrail_logs.eventid\n\
         WHERE  cloudtrail_logs.eventtime >= :since AND few.eventname <> ':since';",
    );
    scene.own("plain.sql", "SELECT \"$path\", count(*) AS outcome FROM cloudtrail_logs GROUP BY 1");
    let shown = |name: &str| scene.run(&["query", "--show", name, "--athena"], "").unwrap();
    insta::assert_snapshot!(shown("mine"), @r#"
    -- For Athena, over the table `cloudtrail_logs` as AWS defines it.
    -- Its ? stand for these, in order; each is given as a literal ('…', 50, …):
    --   1. keys varchar (a list, parted by commas), else 'a'
    --   2. since varchar, else ''
    -- `*` gives the added columns too.
    -- title: T
    -- description: D
    -- param: since varchar = '' -- from when
    -- param: keys array(varchar) = 'a' -- these

    WITH enriched_logs AS (
      SELECT *,
             nullif(substr(useridentity.principalid, nullif(strpos(useridentity.principalid, ':'), 0) + 1), '') AS session_name,
             if(strpos(responseelements, '"credentials"') > 0, nullif(coalesce(json_extract_scalar(responseelements, '$.credentialSet[0].credentials.accessKeyId'), json_extract_scalar(responseelements, '$.credentials.accessKeyId')), '')) AS issued_key,
             "$path" AS "$path"
      FROM   cloudtrail_logs
    ),
    few AS (SELECT * /* all */ FROM enriched_logs AS cloudtrail_logs WHERE contains(filter(split(?, ','), value -> value <> ''), issued_key))
    SELECT cloudtrail_logs.session_name AS service, "$path" -- where
    FROM   enriched_logs AS cloudtrail_logs JOIN few ON few.eventid = cloudtrail_logs.eventid
    WHERE  cloudtrail_logs.eventtime >= ? AND few.eventname <> ':since'
    "#);
    // What the table has by itself needs nothing, and an alias is no column of ours.
    insta::assert_snapshot!(shown("plain"), @r#"
    -- For Athena, over the table `cloudtrail_logs` as AWS defines it.
    -- title: T
    -- description: D
    SELECT "$path", count(*) AS outcome FROM cloudtrail_logs GROUP BY 1
    "#);
}

#[test]
fn own_queries_win_and_what_is_wrong_with_them_is_told() {
    let scene = Scene::new();
    scene.own("top_callers.sql", "SELECT 'mine' AS x");
    std::fs::write(scene.path().join("own/broken.sql"), "SELECT 1").unwrap();
    std::fs::create_dir_all(scene.path().join("config/trailhound/queries")).unwrap();
    std::fs::create_dir_all(scene.path().join("more")).unwrap();
    std::fs::write(scene.path().join("more/theirs.sql"), format!("{HEAD}SELECT 2")).unwrap();
    let config = scene.path().join("config/trailhound/config.toml");
    std::fs::write(config, "queries = [\"more\"]").unwrap();
    let listed = scene.run(&["query", "--list"], "").unwrap();
    assert!(listed.starts_with("name,title,theme,severity,parameters,services,attack\n"));
    assert!(listed.contains("\ntop_callers,T,own,") && listed.contains("\ntheirs,T,own,"));
    let of_kms = scene.run(&["query", "--list", "aws kms"], "").unwrap();
    assert!(of_kms.contains("\nkms_key_use,") && !of_kms.contains("\nconsole_logins,"));
    assert!(scene.run(&["query", "--show", "top_callers"], "").unwrap().contains("'mine'"));
    insta::assert_snapshot!(scene.run(&["query", "broken"], "").unwrap_err(), @r"
    error: a saved query needs a title
     --> own/broken.sql:1:1
      |
    1 | SELECT 1
      | ^
      |
      = help: begin the file with `-- title: …`
    ");
    insta::assert_snapshot!(scene.run(&["query", "--list", "--queries", "nowhere"], "").unwrap_err(), @"error: invalid value `nowhere` for `--queries`: there is no such directory");
}

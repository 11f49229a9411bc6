//! What the user sees when SQL is wrong: the text, the place, the advice.

use crate::sql::Sql;
use trailhound::output::render_error;

/// Every statement with what is drawn for it.
fn drawn(statements: &[&str]) -> String {
    let sql = Sql::new();
    let mut out = String::new();
    for statement in statements {
        let error = match sql.rows(statement) {
            Ok(rows) => format!("NO ERROR, but {} rows\n", rows.len()),
            Err(error) => render_error(&error, false),
        };
        out.push_str(&error);
        out.push('\n');
    }
    out
}

#[test]
fn what_a_strict_session_refuses() {
    let sql = Sql::new();
    sql.session.set_strict(true);
    let mut out = String::new();
    for statement in [
        "SELECT requestParameters.bucketName FROM cloudtrail_logs",
        "SELECT l.requestparameters.bucketname FROM cloudtrail_lake l",
        "SELECT eventname, count(*) AS n\nFROM cloudtrail_logs\nGROUP BY 1 HAVING n > 1",
        "SELECT 1 FROM cloudtrail_logs WHERE eventtime > now() - interval '7' day",
        "SELECT ‘ConsoleLogin’",
        "SELECT\u{a0}1",
        "SELECT 1 – 1",
        "SELECT eventname FROM <EDS ID>",
        "SELECT eventname FROM a.$EDS_ID",
    ] {
        let error = sql.rows(statement).map(|_| ()).unwrap_err();
        out.push_str(&render_error(&error, false));
        out.push('\n');
    }
    insta::assert_snapshot!(out);
}

#[test]
fn names_that_do_not_exist() {
    insta::assert_snapshot!(drawn(&[
        "SELECT useridenty.arn FROM cloudtrail_logs",
        "SELECT evntname FROM cloudtrail_logs",
        "SELECT eventname,\n       eventsorce\nFROM cloudtrail_logs",
        "SELECT arn FROM cloudtrail_logs",
        "SELECT sourceIdentity.x FROM cloudtrail_logs",
        "SELECT eventname FROM cloudtrail_log",
        "SELECT eventname FROM \"db\".\"cloudtral_logs\"",
        "SELECT eventname FROM nosuch",
        "SELECT cont(*) FROM cloudtrail_logs",
        "SELECT nosuchfunction(eventname) FROM cloudtrail_logs",
        "SELECT useridentity.acountid FROM cloudtrail_logs",
        "SELECT useridentity.sessioncontext.sessionisuer.arn FROM cloudtrail_logs",
        "SELECT c.evntname FROM cloudtrail_logs c",
        "SELECT x.eventname FROM cloudtrail_logs c",
        "SELECT eventname FROM cloudtrail_logs WHERE eventname = \"ConsoleLogin\"",
        "SELECT year FROM (SELECT * FROM cloudtrail_logs) t",
        "SELECT sourceipaddress.bucketName FROM cloudtrail_logs",
        "SELECT useridentity.* FROM cloudtrail_logs",
        "SELECT * EXCEPT (nosuch) FROM cloudtrail_logs",
        "SELECT * ILIKE '%id' FROM cloudtrail_logs",
        "SELECT *",
        "SELECT eventname",
        "DESCRIBE cloudtrail_lgs",
        "DROP VIEW nosuch",
        "EXECUTE nosuch(1)",
        "SELECT 1; SELECT evntname FROM cloudtrail_logs",
    ]));
}

#[test]
fn names_that_several_things_have() {
    insta::assert_snapshot!(drawn(&[
        "SELECT eventname FROM cloudtrail_logs a JOIN cloudtrail_logs b ON a.eventid = b.eventid",
        "CREATE VIEW v AS SELECT eventname, eventname FROM cloudtrail_logs",
        "SELECT eventname, awsregion AS eventname FROM cloudtrail_logs ORDER BY eventname",
        "CREATE VIEW cloudtrail_logs AS SELECT 1",
    ]));
}

#[test]
fn syntax() {
    let deep = format!("SELECT {}1{}", "(".repeat(2_000), ")".repeat(2_000));
    insta::assert_snapshot!(drawn(&[
        "SELEC * FROM cloudtrail_logs",
        "SELECT * FORM cloudtrail_logs",
        "SELECT eventname FROM cloudtrail_logs WHERE",
        "SELECT eventname FROM cloudtrail_logs WHERE eventname = 'Console",
        "SELECT (1 + 2 FROM cloudtrail_logs",
        "SELECT eventname, count(*) FROM cloudtrail_logs GROUP eventname",
        "SELECT eventname\nFROM cloudtrail_logs\nWHERE eventname == == 'x'\nLIMIT 5",
        "SELECT 1 /* never closed",
        "SELECT 'ConsoleLogin’ FROM cloudtrail_logs",
        "SELECT ‘ConsoleLogin FROM cloudtrail_logs",
        "SELECT eventname FROM <EDS ID> WHERE ‘x’ = “evntname”",
        "SELECT CASE WHEN true THEN 1 FROM cloudtrail_logs",
        "SELECT eventname FROM cloudtrail_logs LIMIT LIMIT 5",
        "SELECT eventname FROM cloudtrail_logs WHERE eventname IN ('a', 'b'",
        "SELECT 'größer', eventname FROM cloudtrail_logs WHERE ä b",
        "EXPLAIN",
        &deep,
    ]));
}

#[test]
fn types_and_arguments() {
    insta::assert_snapshot!(drawn(&[
        "SELECT resources + 1 FROM cloudtrail_logs",
        "SELECT event_ts + 5 FROM cloudtrail_logs",
        "SELECT eventname FROM cloudtrail_logs WHERE useridentity = 'alice'",
        "SELECT eventname FROM cloudtrail_logs WHERE NOT eventname",
        "SELECT lower(resources) FROM cloudtrail_logs",
        "SELECT substr(eventname) FROM cloudtrail_logs",
        "SELECT date_trunc(event_ts) FROM cloudtrail_logs",
        "SELECT sum(eventname) FROM cloudtrail_logs",
        "SELECT eventname, count(*) FROM cloudtrail_logs",
        "SELECT useridentity.arn, count(*) FROM cloudtrail_logs GROUP BY eventname",
        "SELECT eventname FROM cloudtrail_logs GROUP BY eventname HAVING eventsource = 'x'",
        "SELECT CAST(substr(eventtime, 5, 1) AS bigint) FROM cloudtrail_logs",
        "SELECT CAST('soon' AS timestamp)",
        "SELECT count(*) FROM cloudtrail_logs WHERE event_ts > 'yesterday'",
        "SELECT 1 / 0",
        "SELECT 1 UNION ALL SELECT 1, 2",
        "SELECT eventname FROM cloudtrail_logs WHERE eventname IN (SELECT 1, 2)",
        "SELECT eventname FROM cloudtrail_logs WHERE eventname = $1",
        "SELECT eventname FROM cloudtrail_logs WHERE regexp_like(eventname, '(')",
    ]));
}

#[test]
fn statements_that_write() {
    insta::assert_snapshot!(drawn(&[
        "INSERT INTO cloudtrail_logs SELECT * FROM cloudtrail_logs",
        "UPDATE cloudtrail_logs SET eventname = 'x'",
        "DELETE FROM cloudtrail_logs",
        "MERGE INTO cloudtrail_logs t USING rejects r ON true WHEN MATCHED THEN DELETE",
        "TRUNCATE TABLE cloudtrail_logs",
        "DROP TABLE cloudtrail_logs",
        "ALTER TABLE cloudtrail_logs ADD COLUMN x int",
        "COPY cloudtrail_logs TO 'out.parquet'",
        "COPY (SELECT 1) TO 'out.csv' STORED AS CSV",
        "COPY cloudtrail_logs FROM 'in.csv'",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "CREATE TABLE t AS SELECT 1",
        "CREATE MATERIALIZED VIEW v AS SELECT 1",
        "CREATE FUNCTION f() RETURNS int RETURN 1",
        "EXPLAIN INSERT INTO cloudtrail_logs SELECT * FROM cloudtrail_logs",
        "EXPLAIN ANALYZE DELETE FROM cloudtrail_logs",
        "EXPLAIN EXPLAIN COPY cloudtrail_logs TO 'x'",
        "PREPARE p AS INSERT INTO cloudtrail_logs SELECT * FROM cloudtrail_logs",
        "WITH x AS (SELECT 1) INSERT INTO cloudtrail_logs SELECT * FROM x",
        "WITH x AS (DELETE FROM cloudtrail_logs RETURNING *) SELECT * FROM x",
        "SELECT * FROM (INSERT INTO cloudtrail_logs VALUES (1)) t",
        "SELECT * INTO t FROM cloudtrail_logs",
        "SELECT * FROM cloudtrail_logs FOR UPDATE",
        "CREATE VIEW v AS (DELETE FROM cloudtrail_logs)",
        "GRANT SELECT ON cloudtrail_logs TO alice",
        "VACUUM cloudtrail_logs",
        "BEGIN",
        "USE other",
        "SET datafusion.runtime.memory_limit = '1G'",
        "SET datafusion.catalog.location = '/tmp'",
        "SET nosuch = 1",
        "RESET datafusion.sql_parser.default_null_ordering",
    ]));
}

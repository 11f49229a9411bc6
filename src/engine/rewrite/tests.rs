use datafusion::sql::parser::DFParser;

use super::{Fault, Shapes, rewrite};

/// A table `logs` that shows `id`, `name`, `who` and hides `day`, `account`; and `other`, which
/// hides nothing.
struct Tables;

impl Shapes for Tables {
    fn shape(&self, parts: &[String]) -> Option<(Vec<String>, Vec<String>)> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        match parts.last().map(String::as_str) {
            Some("logs") => Some((owned(&["id", "name", "who"]), owned(&["day", "account"]))),
            Some("other") => Some((owned(&["id", "color"]), Vec::new())),
            _ => None,
        }
    }
}

fn rewritten(sql: &str) -> Result<String, Fault> {
    let mut tree = DFParser::parse_sql(sql).unwrap().pop_front().unwrap();
    rewrite(&mut tree, &Tables)?;
    Ok(tree.to_string())
}

#[track_caller]
fn becomes(sql: &str, wanted: &str) {
    assert_eq!(rewritten(sql).unwrap(), wanted);
}

#[track_caller]
fn stays(sql: &str) {
    becomes(sql, sql);
}

#[test]
fn a_star_gives_the_columns_that_are_shown() {
    becomes("SELECT * FROM logs", r#"SELECT "id", "name", "who" FROM logs"#);
    becomes("SELECT l.* FROM logs AS l", r#"SELECT "id", "name", "who" FROM logs AS l"#);
    becomes("SELECT logs.* FROM db.logs", r#"SELECT "id", "name", "who" FROM db.logs"#);
    becomes("SELECT * EXCEPT (name) FROM logs", r#"SELECT "id", "who" FROM logs"#);
    becomes(
        "SELECT * REPLACE (upper(name) AS name) FROM logs",
        r#"SELECT "id", upper(name) AS name, "who" FROM logs"#,
    );
}

#[test]
fn a_star_stays_where_nothing_is_hidden() {
    stays("SELECT * FROM other");
    stays("SELECT o.* FROM other AS o");
    stays("SELECT count(*) AS n FROM logs");
    stays("SELECT * FROM unknown");
    becomes(
        "SELECT * FROM (SELECT * FROM logs) AS t",
        r#"SELECT * FROM (SELECT "id", "name", "who" FROM logs) AS t"#,
    );
}

#[test]
fn a_star_over_a_join_names_both_sides() {
    becomes(
        "SELECT * FROM logs AS a JOIN other AS b ON a.id = b.id",
        r#"SELECT a."id", a."name", a."who", b."id" AS "id $2", b."color" FROM logs AS a JOIN other AS b ON a.id = b.id"#,
    );
    becomes(
        "SELECT b.* FROM logs AS a JOIN other AS b ON a.id = b.id",
        "SELECT b.* FROM logs AS a JOIN other AS b ON a.id = b.id",
    );
    becomes(
        "SELECT * FROM logs AS a CROSS JOIN unknown AS u",
        r#"SELECT a."id", a."name", a."who", u.* FROM logs AS a CROSS JOIN unknown AS u"#,
    );
}

#[test]
fn merged_columns_come_once() {
    becomes(
        "SELECT * FROM logs JOIN other USING(id)",
        r#"SELECT logs."id", logs."name", logs."who", other."color" FROM logs JOIN other USING(id)"#,
    );
    becomes(
        "SELECT * FROM logs RIGHT JOIN other USING(id)",
        r#"SELECT other."id" AS "id", logs."name", logs."who", other."color" FROM logs RIGHT JOIN other USING(id)"#,
    );
    becomes(
        "SELECT * FROM logs FULL JOIN other USING(id)",
        r#"SELECT "coalesce"(logs."id", other."id") AS "id", logs."name", logs."who", other."color" FROM logs FULL JOIN other USING(id)"#,
    );
    becomes(
        "SELECT * FROM logs JOIN unknown AS u USING(id)",
        r#"SELECT logs."id", logs."name", logs."who", u.* EXCEPT ("id") FROM logs JOIN unknown AS u USING(id)"#,
    );
}

#[test]
fn a_natural_join_looks_at_shown_columns_only() {
    becomes(
        "SELECT 1 AS x FROM logs NATURAL JOIN other",
        r#"SELECT 1 AS x FROM logs JOIN other USING("id")"#,
    );
    stays("SELECT 1 AS x FROM other AS a NATURAL JOIN other AS b");
    becomes(
        "SELECT 1 AS x FROM logs NATURAL JOIN (SELECT color FROM other) AS c",
        "SELECT 1 AS x FROM logs CROSS JOIN (SELECT color FROM other) AS c",
    );
}

#[test]
fn quotes_keep_no_case() {
    becomes(r#"SELECT "Name" FROM "Logs""#, r#"SELECT "name" FROM "logs""#);
    becomes(
        r#"SELECT "L"."Who"."Arn" FROM logs AS "l""#,
        r#"SELECT "l"."who"."arn" AS "arn" FROM logs AS "l""#,
    );
    stays("SELECT 'Name' AS x FROM logs");
}

#[test]
fn an_alias_is_meant_before_a_hidden_column() {
    becomes(
        "SELECT SUBSTR(id, 1) AS day FROM logs GROUP BY day HAVING day > 'x'",
        "SELECT SUBSTR(id, 1) AS day FROM logs GROUP BY (SUBSTR(id, 1)) HAVING (SUBSTR(id, 1)) > 'x'",
    );
    stays("SELECT SUBSTR(id, 1) AS name FROM logs GROUP BY name");
    stays("SELECT SUBSTR(id, 1) AS day FROM logs WHERE day = 'x'");
    stays("SELECT SUBSTR(id, 1) AS day FROM logs ORDER BY day");
}

#[test]
fn a_shown_column_is_meant_before_a_hidden_one() {
    becomes(
        "SELECT day FROM logs AS a, (SELECT 1 AS day) AS b",
        "SELECT b.day FROM logs AS a, (SELECT 1 AS day) AS b",
    );
    becomes(
        "SELECT day FROM (SELECT 1 AS day) AS b WHERE EXISTS (SELECT 1 AS x FROM logs WHERE name = day)",
        "SELECT day FROM (SELECT 1 AS day) AS b WHERE EXISTS (SELECT 1 AS x FROM logs WHERE name = b.day)",
    );
    stays("SELECT day FROM logs AS a JOIN logs AS b ON a.id = b.id");
    stays("SELECT day FROM logs");
}

#[test]
fn a_cte_hides_the_table_of_its_name() {
    becomes(
        "WITH logs AS (SELECT * FROM logs) SELECT * FROM logs",
        r#"WITH logs AS (SELECT "id", "name", "who" FROM logs) SELECT * FROM logs"#,
    );
    stays("WITH RECURSIVE n AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM n) SELECT * FROM n");
}

#[test]
fn a_member_is_named_after_itself() {
    becomes("SELECT who.arn FROM logs", r#"SELECT who.arn AS "arn" FROM logs"#);
    becomes("SELECT l.who.arn FROM logs AS l", r#"SELECT l.who.arn AS "arn" FROM logs AS l"#);
    stays("SELECT l.who FROM logs AS l");
    stays("SELECT db.logs.who FROM db.logs");
    becomes(
        "SELECT who.arn, who.by.arn FROM logs",
        r#"SELECT who.arn AS "arn", who.by.arn AS "arn $2" FROM logs"#,
    );
}

#[test]
fn column_names_for_a_table_are_for_those_it_shows() {
    becomes(
        "SELECT * FROM logs AS t (a, b, c)",
        r#"SELECT * FROM (SELECT "id", "name", "who" FROM logs) AS t (a, b, c)"#,
    );
}

#[test]
fn what_follows_a_star_is_understood_or_refused() {
    assert!(rewritten("SELECT * EXCEPT (nosuch) FROM logs").is_err());
    assert!(rewritten("SELECT * EXCEPT (day) FROM logs").is_err());
}

#[test]
fn an_outer_join_merges_the_values_of_both_sides() {
    becomes(
        "SELECT id FROM logs FULL JOIN other USING(id) WHERE id > 'x'",
        r#"SELECT "coalesce"(logs."id", other."id") AS id FROM logs FULL JOIN other USING(id) WHERE "coalesce"(logs."id", other."id") > 'x'"#,
    );
    becomes(
        "SELECT * FROM other AS a RIGHT JOIN other AS b USING(id)",
        r#"SELECT b."id" AS "id", a."color", b."color" AS "color $2" FROM other AS a RIGHT JOIN other AS b USING(id)"#,
    );
    stays("SELECT * FROM other AS a LEFT JOIN other AS b USING(id)");
}

#[test]
fn after_distinct_a_member_is_sorted_by_its_name() {
    becomes(
        "SELECT DISTINCT who.arn FROM logs ORDER BY WHO.arn DESC",
        r#"SELECT DISTINCT who.arn AS "arn" FROM logs ORDER BY "arn" DESC"#,
    );
}

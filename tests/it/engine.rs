//! The engine where rows alone do not tell: what it opens, what it sees, what it holds.

use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::sql::Sql;

/// The answer's cells as text.
fn text(sql: &Sql, statement: &str) -> String {
    let mut out = String::new();
    for batch in sql.rows(statement).unwrap() {
        for row in 0..batch.num_rows() {
            for column in batch.columns() {
                let options = FormatOptions::default().with_null("NULL");
                let cells = ArrayFormatter::try_new(column.as_ref(), &options).unwrap();
                out.push_str(&cells.value(row).to_string());
                out.push(' ');
            }
            out.push('\n');
        }
    }
    out
}

/// How many Parquet files the plan of `query` opens.
fn files(sql: &Sql, query: &str) -> usize {
    let plan = text(sql, &format!("EXPLAIN {query}"));
    plan.matches(".parquet").count()
}

#[test]
fn files_that_cannot_hold_an_answer_are_not_opened() {
    let sql = Sql::new();
    let of = |predicate: &str| {
        files(&sql, &format!("SELECT eventname FROM cloudtrail_logs WHERE {predicate}"))
    };
    assert_eq!(of("true"), 3);
    assert_eq!(of("eventtime >= '2023-07-10T12:00:00Z'"), 1);
    assert_eq!(of("event_ts >= '2023-07-10T12:00:00Z'"), 1);
    // However the time is spelled. Texts have a day's margin: with an offset they sort by local time.
    assert_eq!(of("CAST(eventtime AS timestamp) >= TIMESTAMP '2023-07-10 12:00:00'"), 1);
    assert_eq!(of("to_timestamp(eventtime) >= to_timestamp('2023-07-10T12:00:00Z')"), 1);
    assert_eq!(of("substr(eventtime, 1, 10) = '2023-07-15'"), 0);
    assert_eq!(of("eventtime LIKE '2023-09%'"), 0);
    assert_eq!(of("substr(eventtime, 1, 7) = '2023-07' AND eventname <> 'x'"), 3);
    assert_eq!(of("eventtime >= TIMESTAMP '2023-07-10 12:00:00 UTC'"), 1);
    assert_eq!(of("TIMESTAMP '2023-07-10 08:00:00' > eventtime"), 0);
    assert_eq!(
        of("date_parse(eventtime, '%Y-%m-%dT%H:%i:%sZ') > TIMESTAMP '2023-07-10 12:00:00'"),
        1
    );
    assert_eq!(of("date_parse(eventtime, '%Y-%m-%dT%TZ') > TIMESTAMP '2023-07-10 12:00:00'"), 1);
    let joda = "parse_datetime(eventtime, 'yyyy-MM-dd''T''HH:mm:ss''Z''')";
    assert_eq!(of(&format!("{joda} > TIMESTAMP '2023-07-10 12:00:00 UTC'")), 1);
    let hour = "date_trunc('hour', from_iso8601_timestamp(eventtime))";
    assert_eq!(of(&format!("{hour} > TIMESTAMP '2023-07-10 11:00:00 UTC'")), 1);
    assert_eq!(of(&format!("{hour} = TIMESTAMP '2023-07-10 09:00:00 UTC'")), 2);
    assert_eq!(of("date(from_iso8601_timestamp(eventtime)) > DATE '2023-07-10'"), 0);
    let day = "date_format(from_iso8601_timestamp(eventtime), '%Y-%m-%d')";
    assert_eq!(of(&format!("{day} >= '2023-07-12'")), 0);
    assert_eq!(of(&format!("{day} = '2023-07-10'")), 3);
    // The day of the object's key.
    assert_eq!(of("year = '2023' AND month = '07' AND day = '10'"), 2);
    assert_eq!(of("year = '2023' AND month = '09'"), 0);
    assert_eq!(of("year = '2024'"), 0);
    assert_eq!(of("date > '2023-08-01'"), 0);
    assert_eq!(of("\"timestamp\" >= '2023/08/01'"), 0);
    assert_eq!(of("recipientaccountid = '111122223333'"), 1);
    assert_eq!(of("account = '444455556666'"), 2);
    assert_eq!(of("awsregion = 'us-west-2'"), 1);
    assert_eq!(of("eventname = 'AAA'"), 0);
    assert_eq!(of("event_ts > now()"), 0);
    // A list of constants is an IN; an empty one that means all is no condition.
    assert_eq!(of("contains(ARRAY['AAA', 'AAB'], eventname)"), 0);
    assert_eq!(of("contains(ARRAY['111122223333'], recipientaccountid)"), 1);
    let list = "CAST(ARRAY[] AS array(varchar))";
    assert_eq!(of(&format!("cardinality({list}) = 0 OR contains({list}, eventname)")), 3);
    let list = "ARRAY['AAA']";
    assert_eq!(of(&format!("cardinality({list}) = 0 OR contains({list}, eventname)")), 0);
    assert_eq!(of(&format!("NOT contains({list}, eventname)")), 3);
    assert_eq!(of("\"$path\" LIKE '%EXAMPLE1%'"), 3);
    assert_eq!(files(&sql, "SELECT count(*) FROM cloudtrail_logs"), 0);
    assert_eq!(files(&sql, "SELECT eventname FROM cloudtrail_logs LIMIT 1"), 1);
}

#[test]
fn pruning_leaves_out_no_row_that_is_asked_for() {
    let sql = Sql::new();
    let instant = "from_iso8601_timestamp(eventtime)";
    // Nine hours later it is another day from 15:00 UTC on.
    let tokyo = format!("{instant} AT TIME ZONE 'Asia/Tokyo'");
    let day = format!("date_format({instant}, '%Y-%m-%d')");
    let (month, year) = ("substr(eventtime, 1, 7)", "substr(eventtime, 1, 4)");
    let cut = |unit: &str| format!("date_trunc('{unit}', {instant})");
    for (predicate, rows) in [
        (format!("CAST({tokyo} AS date) = DATE '2023-07-10'"), 14),
        (format!("CAST({tokyo} AS timestamp) >= TIMESTAMP '2023-07-10 21:05:00'"), 4),
        (
            format!("date_trunc('hour', {tokyo}) = TIMESTAMP '2023-07-10 20:00:00 Asia/Tokyo'"),
            3,
        ),
        (format!("date_format({tokyo}, '%Y-%m-%d %H') = '2023-07-10 21'"), 5),
        // What is cut is before its end, too.
        (format!("{month} BETWEEN '2023-06' AND '2023-07'"), 14),
        (format!("{month} BETWEEN '2023-06' AND '2023-07' OR eventtime LIKE '2022-%'"), 14),
        (format!("{year} >= '2023' AND {year} <= '2023'"), 14),
        (
            "date_parse(substr(eventtime, 1, 10), '%Y-%m-%d') <= TIMESTAMP '2023-07-10 00:00:00'"
                .to_owned(),
            14,
        ),
        (
            "from_iso8601_timestamp(substr(eventtime, 1, 13)) <= TIMESTAMP '2023-07-10 12:00:00 UTC'"
                .to_owned(),
            14,
        ),
        (format!("{day} > '2023-07' AND {day} <= '2023-07-10'"), 14),
        (format!("{day} < '2023-07-10 00' AND {day} > '2023-07-09'"), 14),
        (format!("{} <= TIMESTAMP '2023-07-01 00:00:00 UTC'", cut("month")), 14),
        (format!("{} = TIMESTAMP '2023-07-10 00:00:00 UTC'", cut("week")), 14),
        (format!("{} < TIMESTAMP '2023-07-10 09:00:01 UTC'", cut("hour")), 6),
    ] {
        let count = format!("SELECT count(*) FROM cloudtrail_logs WHERE {predicate}");
        assert_eq!(text(&sql, &count), format!("{rows} \n"), "{predicate}");
    }
}

#[test]
fn one_member_of_a_struct_is_read_alone() {
    let sql = Sql::new();
    let reads = |query: &str| text(&sql, &format!("EXPLAIN {query}"));
    let of_lake = reads("SELECT useridentity.arn FROM cloudtrail_lake");
    assert!(!of_lake.contains("row_of"), "{of_lake}");
    let grouped = reads("SELECT useridentity.arn, count(*) FROM cloudtrail_logs GROUP BY 1");
    assert!(grouped.contains("projection=[get_field(useridentity"), "{grouped}");
    // Where the planner cannot, it must at least answer.
    let shared = "SELECT lower(eventname), lower(eventname) || 'x', useridentity.arn, dt, \
                  \"timestamp\" FROM cloudtrail_logs WHERE useridentity.type = 'Root'";
    assert_eq!(text(&sql, shared).lines().count(), 2);
}

#[test]
fn what_is_computed_is_not_computed_unasked() {
    let sql = Sql::new();
    let plan = text(&sql, "EXPLAIN SELECT eventname FROM cloudtrail_logs WHERE errorcode IS NULL");
    assert!(plan.contains("projection=[eventname"), "{plan}");
    for name in ["year_of", "is_superseded", "is_id_conflict", "event_json"] {
        assert!(!plan.contains(name), "{plan}");
    }
}

#[test]
fn new_rows_are_there_for_the_next_statement() {
    let sql = Sql::new();
    let count = "SELECT count(*) FROM cloudtrail_logs";
    let conflicts = "SELECT count(*) FROM cloudtrail_logs WHERE id_conflict";
    assert_eq!((text(&sql, count), text(&sql, conflicts)), ("14 \n".into(), "2 \n".into()));
    sql.ingest_again();
    assert_eq!((text(&sql, count), text(&sql, conflicts)), ("22 \n".into(), "18 \n".into()));
}

#[test]
fn coverage_is_what_the_cache_holds() {
    let sql = Sql::new();
    let coverage = sql.wait(sql.session.coverage()).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&coverage).unwrap());
}

#[test]
fn a_question_about_now_reaches_beyond_old_logs() {
    let sql = Sql::new();
    let recent = "SELECT eventname FROM cloudtrail_logs WHERE event_ts > now() - interval '7' day";
    let notices = sql.notices(recent);
    let [range, faults] = notices.as_slice() else { panic!("{notices:?}") };
    assert!(range.starts_with("the cache holds no events after 2023-07-10T12:40:00Z"), "{range}");
    assert_eq!(faults, "1 file was skipped and 1 record was rejected (see log_files, rejects)");
}

#[test]
fn long_statements_do_not_exhaust_the_stack() {
    let sql = Sql::new();
    let deep = format!("SELECT {}1{}", "(".repeat(150), ")".repeat(150));
    assert_eq!(text(&sql, &deep), "1 \n");
    let many = "SELECT 1;".repeat(2_000);
    assert_eq!(sql.session.parse(&many, None).unwrap().len(), 2_000);
}

#[test]
fn memory_is_bounded() {
    let sql = Sql::with_memory(8 << 20);
    // Sorting spills.
    let sorted = "SELECT count(*) FROM (SELECT value FROM generate_series(1, 3000000) \
                  ORDER BY value % 1000, value DESC OFFSET 1)";
    assert_eq!(text(&sql, sorted), "2999999 \n");
    // What cannot spill is refused, in words.
    let held = "SELECT array_agg(value) FROM generate_series(1, 3000000)";
    let error = sql.rows(held).unwrap_err();
    assert_eq!(error.to_string(), "the query needs more memory than it may use");
}

/// Each of these failed, or took gigabytes, in memory that is a fraction of its rows.
#[test]
fn what_is_larger_than_memory_is_sorted_counted_and_crossed() {
    let sql = Sql::with_memory(64 << 20);
    let wide = "SELECT value, rpad(CAST(value AS varchar), 500, 'x') AS w \
                FROM generate_series(1, 400000)";
    let sorted = format!("SELECT count(*) FROM ({wide} ORDER BY value % 1000, w OFFSET 1)");
    assert_eq!(text(&sql, &sorted), "399999 \n");
    let distinct = "SELECT count(*), sum(a), sum(b) FROM (
                      SELECT value % 60000 AS g, count(DISTINCT CAST(value AS varchar)) AS a,
                             count(DISTINCT CAST(value % 7 AS varchar)) AS b
                      FROM generate_series(1, 240000) GROUP BY 1)";
    assert_eq!(text(&sql, distinct), "60000 240000 240000 \n");
    let crossed = format!(
        "SELECT count(*), sum(half) FROM ({wide}) CROSS JOIN UNNEST(ARRAY[0, 1]) AS h(half)"
    );
    assert_eq!(text(&sql, &crossed), "800000 400000 \n");
}

#[test]
fn names_are_those_that_can_be_written() {
    let sql = Sql::new();
    let names: Vec<String> = sql.session.names().into_iter().map(|name| name.text).collect();
    for name in [
        "cloudtrail_logs",
        "cloudtrail_lake",
        "trail_logs",
        "eventname",
        "$path",
        "useridentity.sessioncontext.sessionissuer.arn",
        "resources.arn",
        "regexp_like",
        "SELECT",
    ] {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
}

#[test]
fn bytes_scanned_are_counted() {
    let sql = Sql::new();
    assert_eq!(sql.scanned("SELECT count(*) FROM cloudtrail_logs"), 0);
    assert!(sql.scanned("SELECT eventname FROM cloudtrail_logs") > 0);
}

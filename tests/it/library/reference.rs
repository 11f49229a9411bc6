//! `docs/QUERIES.md`: the library, the techniques it sees, and the columns that Athena lacks.
//! `BLESS=1 cargo test --release --test it library` writes it.

use std::fmt::Write as _;

use trailhound::{
    engine::athena_columns,
    queries::{Parameter, SavedQuery, THEMES},
};

use super::{bless, built_in, real::STRATUS};
use crate::support::from_root;

const FILE: &str = "docs/QUERIES.md";

#[test]
fn the_reference_lists_the_library() {
    let head = include_str!("reference_head.md");
    let mut text = head.to_owned();
    let queries = built_in();
    for (theme, asks) in THEMES.iter().filter(|(theme, _)| *theme != "own") {
        let of_theme = queries.iter().filter(|query| query.theme == *theme);
        let rows: String = of_theme.map(row).collect();
        let _ = write!(
            text,
            "\n## {theme}: {asks}\n\n| name | what it finds | parameters | technique | service |\n\
             |---|---|---|---|---|\n{rows}"
        );
    }
    text.push_str(
        "\n## Techniques\n\nThe detections that give a row for each technique of the published \
         samples of Stratus Red Team, and the questions that find it where it is nothing to raise an \
         alarm for.\n\n| technique | queries |\n|---|---|\n",
    );
    let techniques = std::fs::read_to_string(from_root(STRATUS)).unwrap_or_default();
    for line in techniques.lines().filter(|line| !line.starts_with('#')) {
        let (technique, names) = line.split_once(": ").unwrap_or((line, ""));
        let names: Vec<String> = names.split_whitespace().map(|name| format!("`{name}`")).collect();
        let _ = writeln!(text, "| {technique} | {} |", names.join(", "));
    }
    text.push_str(
        "\n## In Athena\n\nThe columns that `--athena` computes, and for which records Athena gives \
         something else. The other columns of ours (where a row came from, digests, fields that \
         AWS's table definition leaves out) are refused.\n\n| column | in Athena |\n|---|---|\n",
    );
    for column in athena_columns() {
        let _ = writeln!(text, "| `{}` | {} |", column.name, column.note.unwrap_or("the same"));
    }
    let path = from_root(FILE);
    if bless::is_on() {
        std::fs::write(&path, &text).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(known == text, "{FILE} is not what the library gives: BLESS=1");
}

fn row(query: &SavedQuery) -> String {
    let parameters: Vec<String> = query
        .parameters
        .iter()
        .filter(|p| !["since", "until"].contains(&&*p.name))
        .map(parameter)
        .collect();
    let mut techniques: Vec<&str> =
        query.attack.iter().filter_map(|attack| Some(attack.split_once(':')?.1)).collect();
    techniques.dedup();
    let severity = query.severity.map(|severity| format!(" ({})", severity.as_str()));
    format!(
        "| `{}` | {}{} | {} | {} | {} |\n",
        query.name,
        escaped(&query.title),
        severity.unwrap_or_default(),
        parameters.join(" "),
        techniques.join(" "),
        query.services.join(", ")
    )
}

fn parameter(parameter: &Parameter) -> String {
    match &parameter.default {
        None => format!("`{}`", parameter.name),
        Some(value) if value.is_empty() => format!("[`{}`]", parameter.name),
        Some(value) => format!("[`{}={}`]", parameter.name, escaped(value)),
    }
}

fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
}

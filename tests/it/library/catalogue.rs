//! The catalogue of questions that the library answers: each fixture says which.

use std::collections::{BTreeMap, BTreeSet};

use super::{built_in, fixture::Fixture, lab::assert_none};

/// The questions, by family: how many there are.
const QUESTIONS: [(&str, usize); 28] = [
    ("WHO", 12),
    ("SRC", 11),
    ("ERR", 8),
    ("TL", 4),
    ("RES", 4),
    ("IAM", 16),
    ("LAM", 4),
    ("EC2", 2),
    ("DEF", 13),
    ("S3", 10),
    ("EXF", 9),
    ("SEC", 1),
    ("KMS", 3),
    ("HSM", 1),
    ("CMP", 4),
    ("SSM", 4),
    ("SES", 2),
    ("BED", 1),
    ("DIR", 1),
    ("CRT", 3),
    ("CMPL", 16),
    ("CW", 1),
    ("OPS", 6),
    ("ATH", 1),
    ("ACC", 1),
    ("PE", 34),
    ("VPCE", 2),
    ("DNS", 7),
];

/// What no query answers, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("SRC-02", "networks and countries of addresses need a database of them"),
    ("S3-09", "Macie's findings are no CloudTrail events"),
    ("S3-10", "server access logs are another log"),
    ("SES-02", "flow logs are another log"),
    ("DNS-01", "DNS query logs are another log"),
    ("DNS-02", "DNS query logs are another log"),
    ("DNS-03", "DNS query logs are another log"),
    ("DNS-04", "DNS query logs are another log"),
    ("DNS-05", "DNS query logs are another log"),
    ("DNS-06", "DNS query logs are another log"),
];

fn questions() -> BTreeSet<String> {
    let all = QUESTIONS.iter().flat_map(|(family, n)| (1..=*n).map(move |i| (family, i)));
    all.map(|(family, i)| format!("{family}-{i:02}")).collect()
}

#[test]
fn every_question_of_the_catalogue_is_answered() {
    let questions = questions();
    let mut answered: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut faults = Vec::new();
    for query in built_in() {
        let Ok(fixture) = Fixture::read(&Fixture::path(&query.theme, &query.name)) else {
            continue;
        };
        for id in fixture.answers {
            if !questions.contains(&id) {
                faults.push(format!("{}: there is no question {id}", query.name));
            }
            answered.entry(id).or_default().push(query.name.clone());
        }
    }
    for id in &questions {
        let is_left_out = LEFT_OUT.iter().any(|(left, _)| left == id);
        match (answered.get(id), is_left_out) {
            (None, false) => faults.push(format!("{id}: no query answers it")),
            (Some(names), true) => faults.push(format!("{id} is not left out: {names:?}")),
            _ => {}
        }
    }
    for (id, _) in LEFT_OUT {
        assert!(questions.contains(*id), "{id} is left out of what is not asked");
    }
    assert_none(&faults, "questions of the catalogue:");
}

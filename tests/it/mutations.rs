//! Statements that nobody writes: those of `tests/sql`, with words left out, doubled, swapped and put
//! elsewhere. Each is answered or refused; none ends the program, and none fails as a fault of its own.
//!
//! `TRAILHOUND_TEST_MUTATIONS` says how many, `TRAILHOUND_TEST_SEED` from where.

use std::{
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use crate::sql::Sql;

/// How often something has panicked.
static PANICS: AtomicUsize = AtomicUsize::new(0);

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// The statements of all records.
fn corpus() -> Vec<String> {
    fn read(folder: &Path, statements: &mut Vec<String>) {
        let mut entries: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                read(&path, statements);
            } else if path.extension().is_some_and(|extension| extension == "slt") {
                let text = std::fs::read_to_string(path).unwrap();
                for record in text.split("\n\n") {
                    let mut lines = record.lines().skip_while(|line| line.starts_with('#'));
                    if lines.next().is_some_and(|head| {
                        head.starts_with("query") || head.starts_with("statement")
                    }) {
                        let sql: Vec<&str> = lines.take_while(|line| *line != "----").collect();
                        statements.push(sql.join("\n"));
                    }
                }
            }
        }
    }
    let mut statements = Vec::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sql"), &mut statements);
    statements
}

/// Numbers that look like chance.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % end.max(1)
    }
}

/// A word, a sign or a literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Function,
    Name,
    Sign,
    Space,
}

/// The words, signs and literals of a statement.
fn words(sql: &str) -> Vec<(Kind, String)> {
    let letters: Vec<char> = sql.chars().collect();
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(first) = letters.get(at) {
        let run = |is: &dyn Fn(char) -> bool| {
            letters[at..].iter().take_while(|letter| is(**letter)).count()
        };
        let (kind, length) = match first {
            '\'' => (Kind::Text, 2 + letters[at + 1..].iter().take_while(|c| **c != '\'').count()),
            c if c.is_ascii_digit() => (Kind::Number, run(&|c| c.is_ascii_digit() || c == '.')),
            c if c.is_alphabetic() || *c == '_' => {
                let length = run(&|c| c.is_alphanumeric() || c == '_');
                let called = letters.get(at + length) == Some(&'(');
                (if called { Kind::Function } else { Kind::Name }, length)
            }
            c if c.is_whitespace() => (Kind::Space, run(&char::is_whitespace)),
            _ => (Kind::Sign, 1),
        };
        let end = (at + length).min(letters.len());
        words.push((kind, letters[at..end].iter().collect()));
        at = end;
    }
    words
}

fn mutated(corpus: &[Vec<(Kind, String)>], chance: &mut Chance) -> String {
    const ODD: [&str; 12] = [
        "NULL",
        "''",
        "-1",
        "0",
        "9223372036854775807",
        "1e308",
        "ARRAY[]",
        "*",
        "(",
        ")",
        "'\u{0}é𝄞'",
        "\"\"",
    ];
    let mut sql = corpus[chance.below(corpus.len())].clone();
    for _ in 0..=chance.below(3) {
        let at = chance.below(sql.len());
        let kind = sql[at].0;
        let other = &corpus[chance.below(corpus.len())];
        let alike: Vec<&(Kind, String)> = other.iter().filter(|word| word.0 == kind).collect();
        match chance.below(12) {
            0 => drop(sql.remove(at)),
            1 => sql.insert(at, sql[at].clone()),
            2 => {
                let from = chance.below(other.len());
                let to = (from + 1 + chance.below(12)).min(other.len());
                sql.splice(at..at, other[from..to].iter().cloned());
            }
            3 if kind != Kind::Space => ODD[chance.below(ODD.len())].clone_into(&mut sql[at].1),
            _ if kind != Kind::Sign && !alike.is_empty() => {
                sql[at] = alike[chance.below(alike.len())].clone();
            }
            _ => {}
        }
        if sql.is_empty() {
            break;
        }
    }
    sql.into_iter().map(|(_, word)| word).collect()
}

#[test]
fn statements_that_nobody_writes_are_answered_or_refused() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        hook(info);
    }));
    let corpus: Vec<_> = corpus().iter().map(|sql| words(sql)).collect();
    let mut chance = Chance(number("TRAILHOUND_TEST_SEED", 0x9E37_79B9_7F4A_7C15));
    let (sql, mut faults) = (Sql::new(), Vec::new());
    for _ in 0..number("TRAILHOUND_TEST_MUTATIONS", 400) {
        let statement = mutated(&corpus, &mut chance);
        let before = PANICS.load(Ordering::Relaxed);
        let outcome = sql.wait(async {
            tokio::time::timeout(Duration::from_secs(20), sql.rows_of(&statement)).await
        });
        let fault = match outcome {
            // What takes long is no fault: some statements multiply rows.
            Err(_) | Ok(Ok(_)) => None,
            Ok(Err(error)) => {
                let text = error.to_string();
                // Faults of the program, and its structures printed: `Function { name`.
                let printed = text.match_indices(" { ").any(|(at, _)| {
                    let word = text[..at].rsplit(|c: char| !c.is_ascii_alphanumeric()).next();
                    word.is_some_and(|word| word.starts_with(|c: char| c.is_ascii_uppercase()))
                });
                let fault = text.contains("nternal error") || text.contains("panicked");
                (printed || fault).then_some(text)
            }
        };
        if PANICS.load(Ordering::Relaxed) > before {
            faults.push(format!("panicked: {statement}"));
        }
        faults.extend(fault.map(|fault| format!("{fault}: {statement}")));
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n----\n"));
}

//! `trailhound query`: saved queries.

use std::{
    fs::File,
    io::{self, Read},
    path::PathBuf,
    sync::Arc,
};

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use clap::Args;

use super::{
    Outcome, open_cache, print,
    settings::Settings,
    sql::{AnswerArgs, Answers},
    values,
};
use crate::{
    ErrorKind, Result,
    engine::Session,
    queries::{Library, ListSource, SavedQuery},
};

/// The most text that is read as a list of values, in bytes.
const MAX_LIST_BYTES: u64 = 64 << 20;

const EXAMPLES: &str = "\
Examples:
  trailhound query --list
  trailhound query --show access_key_activity
  trailhound query access_key_activity key=AKIAIOSFODNN7EXAMPLE
  trailhound query NAME keys=@leaked_keys.txt keys=AKIAIOSFODNN7EXAMPLE
  trailhound query failed_calls since=2024-01-03T00:00:00Z --format csv

Your own queries lie in queries/*.sql in the user's configuration directory; --show tells how one
is written.";

/// Run a saved query, or list and show them
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct QueryArgs {
    /// The query's name
    #[arg(required_unless_present_any = ["list", "show"])]
    name: Option<String>,

    /// Values of its parameters, as key=value; a list is parted by commas, given several times, or
    /// read from a file (key=@FILE) or standard input (key=-), one value a line
    #[arg(value_name = "KEY=VALUE", value_parser = values::parameter)]
    parameters: Vec<(String, String)>,

    /// List the queries, or those with WORD in name, title or description
    #[arg(long, value_name = "WORD", num_args = 0..=1, default_missing_value = "")]
    #[arg(conflicts_with_all = ["name", "show"])]
    list: Option<String>,

    /// Show a query's text, with what it is for and its parameters
    #[arg(long, value_name = "NAME", conflicts_with = "name")]
    show: Option<String>,

    #[command(flatten)]
    answer: AnswerArgs,
}

pub(super) fn run(settings: &Settings, args: &QueryArgs) -> Result<Outcome> {
    let library = Library::open(settings.queries_dir.as_deref())?;
    if let Some(name) = &args.show {
        // Scripts and editors take it as it is, people read it: it is the user's or ours.
        print(&crate::output::visible_lines(&library.get(name)?.text))?;
        return Ok(Outcome::Done);
    }
    let answers = Answers::new(settings, &args.answer)?;
    if let Some(word) = &args.list {
        answers.write_batch(&list(&library, word)?)?;
        return Ok(Outcome::Done);
    }
    let query = library.get(args.name.as_deref().unwrap_or_default())?;
    let literals = query.literals(&args.parameters, &mut read_list)?;
    let cache = open_cache(settings)?;
    let session = Arc::new(Session::open(Arc::clone(&cache), &settings.session())?);
    let mut statements = session.parse(&query.text, Some(&query.origin))?;
    let parameters: Arc<[_]> = literals.into();
    for statement in &mut statements {
        statement.parameters = Arc::clone(&parameters);
    }
    answers.write_all(&cache, &session, &statements)
}

/// The queries with `word` in them, as rows.
fn list(library: &Library, word: &str) -> Result<RecordBatch> {
    let queries: Vec<&SavedQuery> = library.find(word).collect();
    let column = |text: fn(&SavedQuery) -> Option<String>| -> ArrayRef {
        Arc::new(queries.iter().map(|query| text(query)).collect::<StringArray>())
    };
    let columns = [
        ("name", column(|query| Some(query.name.clone()))),
        ("title", column(|query| Some(query.title.clone()))),
        ("severity", column(|query| query.severity.map(|severity| severity.as_str().to_owned()))),
        ("parameters", column(|query| Some(query.signature()))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true)))
        .map_err(|source| {
            ErrorKind::Columnar { action: "list the saved queries", source: source.into() }.into()
        })
}

/// Reads what a list comes from.
pub(super) fn read_list(source: ListSource<'_>) -> Result<String> {
    let (path, read) = match source {
        ListSource::File(name) => (PathBuf::from(name), read_bounded(File::open(name))),
        ListSource::Stdin => (PathBuf::from("<stdin>"), read_bounded(Ok(io::stdin().lock()))),
    };
    read.map_err(|source| ErrorKind::Io { action: "read", path, source }.into())
}

fn read_bounded(from: io::Result<impl Read>) -> io::Result<String> {
    let mut text = String::new();
    if from?.take(MAX_LIST_BYTES + 1).read_to_string(&mut text)? as u64 > MAX_LIST_BYTES {
        return Err(io::Error::other("more than 64 MiB of values"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literals_of(name: &str, given: &[(&str, &str)]) -> Result<Vec<(String, String)>> {
        let given: Vec<_> = given.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Library::open(None)?.get(name)?.literals(&given, &mut |_| unreachable!("no list"))
    }

    #[test]
    fn defaults_stand_in_for_what_is_not_given() {
        let literals = literals_of("top_callers", &[("top", "3")]).unwrap();
        let literals: Vec<_> =
            literals.iter().map(|(name, literal)| (name.as_str(), literal.as_str())).collect();
        assert_eq!(literals, [("since", "''"), ("until", "''"), ("top", "3")]);
    }

    #[test]
    fn what_is_missing_unknown_or_does_not_fit_is_told() {
        let message =
            |name, given: &[(&str, &str)]| literals_of(name, given).unwrap_err().to_string();
        assert!(message("access_key_activity", &[]).contains("needs it: the access key id"));
        assert!(message("top_callers", &[("sinse", "x")]).contains("did you mean `since`?"));
        assert!(message("top_callers", &[("top", "many")]).contains("expected a whole number"));
    }

    #[test]
    fn the_list_has_a_row_for_each_query() {
        let library = Library::open(None).unwrap();
        assert_eq!(list(&library, "").unwrap().num_rows(), library.find("").count());
        assert_eq!(list(&library, "no such word").unwrap().num_rows(), 0);
    }
}

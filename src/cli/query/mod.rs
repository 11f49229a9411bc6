//! `trailhound query`: saved queries.

mod list;

use std::{
    fs::File,
    io::{self, Read},
    path::PathBuf,
    sync::Arc,
};

use clap::Args;

use super::{
    Outcome, open_cache, print,
    settings::Settings,
    sql::{AnswerArgs, Answers},
    values,
};
use crate::{
    ErrorKind, Result,
    cache::{Cache, Place},
    engine::Session,
    output::{human::counted, visible_lines},
    queries::{Library, ListSource, SavedQuery},
    repl::{self, Runner},
};

/// The most text that is read as a list of values, in bytes.
const MAX_LIST_BYTES: u64 = 64 << 20;

const EXAMPLES: &str = "\
Examples:
  trailhound query --list
  trailhound query --list T1098.001
  trailhound query --show access_key_activity --athena
  trailhound query access_key_activity key=AKIAIOSFODNN7EXAMPLE
  trailhound query NAME keys=@leaked_keys.txt keys=AKIAIOSFODNN7EXAMPLE
  trailhound query failed_calls since=2024-01-03T00:00:00Z --format csv

Your own queries lie in the directories that --queries or the configuration file name, and in
queries/ of the user's configuration directory, in folders as you like: NAME.sql is `query NAME`.
--show tells how one is written. Yours win over those of the same name that are built in.";

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

    /// List the queries, or those with WORD in name, title, description, theme, service or technique
    #[arg(long, value_name = "WORD", num_args = 0..=1, default_missing_value = "")]
    #[arg(conflicts_with_all = ["name", "show"])]
    list: Option<String>,

    /// Show a query's text, with what it is for and its parameters
    #[arg(long, value_name = "NAME", conflicts_with = "name")]
    show: Option<String>,

    /// With --show: as it runs in Athena, with ? for parameters and our columns computed from AWS's
    #[arg(long, requires = "show")]
    athena: bool,

    #[command(flatten)]
    answer: AnswerArgs,
}

pub(super) fn run(settings: &Settings, args: &QueryArgs) -> Result<Outcome> {
    let library = settings.library()?;
    if let Some(name) = &args.show {
        return show(settings, library.get(name)?, args.athena);
    }
    let answers = Answers::new(settings, &args.answer)?;
    if let Some(word) = &args.list {
        list(settings, args, &answers, &library, word)?;
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

/// Shows a query's text, for Athena where that is asked for.
fn show(settings: &Settings, query: &SavedQuery, is_for_athena: bool) -> Result<Outcome> {
    let text = if is_for_athena {
        // What a query reads does not depend on what there is: any case will do, and none.
        let home = tempfile::tempdir_in(&settings.temp_dir).map_err(|source| ErrorKind::Io {
            action: "create a directory in",
            path: settings.temp_dir.clone(),
            source,
        })?;
        let cache = Cache::create(Place::Directory(home.path().join("cache")))?;
        let session = Session::open(Arc::new(cache), &settings.session())?;
        repl::athena_text(&Runner::new(settings.threads)?, &session, query)?
    } else {
        query.text.clone()
    };
    // Scripts and editors take it as it is, people read it: it is the user's or ours.
    print(&visible_lines(&text))?;
    Ok(Outcome::Done)
}

/// Lists the queries about `word`: for a reader on a terminal, else as rows.
fn list(
    settings: &Settings,
    args: &QueryArgs,
    answers: &Answers<'_>,
    library: &Library,
    word: &str,
) -> Result<()> {
    let screen = settings.screen;
    let queries: Vec<&SavedQuery> = library.find(word).collect();
    let is_told = args.answer.format.is_some() || args.answer.output.is_some();
    match screen.size().filter(|_| !is_told) {
        Some((width, _)) => {
            print(&list::text(&queries, width, screen.stdout_color))?;
            let n = counted(queries.len() as u64, "query", "queries");
            screen.aside(&format!("{n}; --show NAME shows one, --list WORD lists those about it"));
        }
        None => answers.write_batch(&list::rows(&queries)?)?,
    }
    for notice in library.notices() {
        screen.notice(&notice);
    }
    Ok(())
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
        Library::open(None::<&str>)?.get(name)?.literals(&given, &mut |_| unreachable!("no list"))
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
}

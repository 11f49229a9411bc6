//! The prompt's commands: one table that dispatch, `.help`, completion, hints and `docs/REPL.md`
//! read. A new command is a row here and a function, in the file of its family.

mod help;
mod look;
mod output;
mod saved;
mod session;
mod timeline;
mod words;

pub use self::help::reference;
pub(super) use self::{
    help::signature,
    words::{as_argument, expanded, last_word, split},
};
use super::{
    shell::{Flow, Shell},
    values::Subject,
};
use crate::{
    ErrorKind, Result,
    error::{Diagnostic, nearest},
};

/// What a command's arguments are, for completion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Argument {
    /// A table.
    Table,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A command or a function.
    Command,
    /// A function.
    Function,
    /// A file or directory.
    Path,
    /// A setting of queries, then its value.
    Setting,
    /// A saved query, then these words, or values of its parameters where there are none.
    Query(&'static [&'static str]),
    /// Values that the cache holds.
    Value(Subject),
    /// Something else, or nothing.
    Free,
}

/// A command of the prompt.
pub(super) struct Command {
    /// Its name, which begins with a dot.
    pub(super) name: &'static str,
    /// The name psql gives it, or nothing.
    pub(super) alias: &'static str,
    /// Its arguments, as `.help` shows them.
    pub(super) usage: &'static str,
    /// The least and most arguments it takes.
    pub(super) arity: (usize, usize),
    /// What its arguments are.
    pub(super) argument: Argument,
    /// What it does.
    pub(super) summary: &'static str,
    /// Does it.
    pub(super) run: fn(&mut Shell, &[String]) -> Result<Flow>,
}

impl Command {
    /// Whether `name` is its name or alias.
    pub(super) fn is_called(&self, name: &str) -> bool {
        name == self.name || (!self.alias.is_empty() && name == self.alias)
    }
}

const ANY: usize = usize::MAX;
const ON_OFF: Argument = Argument::OneOf(&["on", "off"]);
const PAGING: Argument = Argument::OneOf(&["auto", "on", "off"]);
const MODES: Argument =
    Argument::OneOf(&["table", "expanded", "csv", "json", "ndjson", "markdown"]);

/// Shortens the table's rows.
macro_rules! command {
    ($name:literal $alias:literal $usage:literal $arity:expr, $argument:expr, $summary:literal, $run:expr) => {
        Command {
            name: $name,
            alias: $alias,
            usage: $usage,
            arity: $arity,
            argument: $argument,
            summary: $summary,
            run: $run,
        }
    };
}

/// All commands, in the order of `.help`.
#[rustfmt::skip]
pub(super) const COMMANDS: &[Command] = &[
    command!(".tables" "\\dt" "" (0, 0), Argument::Free, "names the tables", Shell::tables),
    command!(".schema" "\\d" "[TABLE]" (0, 1), Argument::Table, "shows a table's columns", Shell::schema),
    command!(".functions" "\\df" "[PATTERN]" (0, 1), Argument::Function, "names the functions, or those with PATTERN in them", Shell::functions),
    command!(".status" "" "" (0, 0), Argument::Free, "tells what the cache covers, and what was skipped", Shell::status),
    command!(".queries" "" "[WORD]" (0, 1), Argument::Free, "lists the saved queries, or those with WORD in them", Shell::queries),
    command!(".show" "" "NAME [--athena]" (1, 2), Argument::Query(&["--athena"]), "shows a saved query; --athena: as Athena runs it", Shell::show_query),
    command!(".run" "" "NAME [KEY=VALUE…]" (1, ANY), Argument::Query(&[]), "runs a saved query; asks for values that it needs", Shell::run_query),
    command!(".save" "" "NAME" (1, 1), Argument::Query(&[]), "keeps the last statement as a query of yours", Shell::save_query),
    command!(".who" "" "CALLER [--since T] [--until T]" (1, ANY), Argument::Value(Subject::Principal), "tells everything about a caller", Shell::who),
    command!(".ip" "" "ADDRESS [--since T] [--until T]" (1, ANY), Argument::Value(Subject::Address), "tells everything about an address or a network", Shell::ip),
    command!(".api" "" "API [--since T] [--until T]" (1, ANY), Argument::Value(Subject::Api), "tells everything about an API: iam:CreateUser", Shell::api),
    command!(".key" "" "KEY [--since T] [--until T]" (1, ANY), Argument::Value(Subject::Key), "tells everything about an access key", Shell::key),
    command!(".resource" "" "NAME [--since T] [--until T]" (1, ANY), Argument::Value(Subject::Resource), "tells everything about a resource: ARN, name, id", Shell::resource),
    command!(".event" "" "ID [--json]" (1, ANY), Argument::Free, "shows one event in full, and what is around it", Shell::event),
    command!(".trace" "" "KEY|PRINCIPAL [--up|--down]" (1, ANY), Argument::Value(Subject::Principal), "traces credentials to what began them, and to what came of them", Shell::trace),
    command!(".timeline" "" "[SUBJECT…] [--query NAME] [--since T] [--all]" (0, ANY), Argument::Value(Subject::Caller), "tells what was done, in plain words and in order", Shell::timeline),
    command!(".mode" "" "[FORMAT]" (0, 1), MODES, "sets how answers are written", Shell::mode),
    command!(".output" "\\o" "[FILE]" (0, 1), Argument::Path, "writes answers to FILE, or to the screen again", Shell::output),
    command!(".once" "" "FILE" (1, 1), Argument::Path, "writes the next answer to FILE, as its ending tells", Shell::once),
    command!(".maxrows" "" "[N]" (0, 1), Argument::Free, "sets how many rows a table shows; 0 shows all", Shell::max_rows),
    command!(".nullvalue" "" "[TEXT]" (0, 1), Argument::Free, "sets what stands for NULL in tables", Shell::null_value),
    command!(".pager" "" "[auto|on|off]" (0, 1), PAGING, "pages what is taller than the screen, all, nothing", Shell::pager),
    command!(".timer" "\\timing" "[on|off]" (0, 1), ON_OFF, "tells rows, time and data scanned below answers", Shell::timer),
    command!(".ingest" "" "SOURCE…" (1, ANY), Argument::Path, "reads logs into the cache", Shell::ingest),
    command!(".read" "\\i" "FILE" (1, 1), Argument::Path, "runs the SQL in FILE", Shell::read),
    command!(".edit" "\\e" "[FILE]" (0, 1), Argument::Path, "opens the last statement in an editor and runs it", Shell::edit),
    command!(".set" "" "[NAME [VALUE]]" (0, 2), Argument::Setting, "shows the settings of queries, or changes one", Shell::set),
    command!(".strict" "" "[on|off]" (0, 1), ON_OFF, "refuses what Athena refuses, or takes it as meant", Shell::strict),
    command!(".help" "\\?" "[COMMAND|FUNCTION]" (0, 1), Argument::Command, "shows this, or what a command or function does", Shell::help),
    command!(".quit" "\\q" "" (0, 0), Argument::Free, "leaves; so does Ctrl-D", |_, _| Ok(Flow::Leave)),
];

/// What commands are about: the families of `.help`, each with its commands.
pub(super) const FAMILIES: &[(&str, &[&str])] = &[
    ("look around", &[".tables", ".schema", ".functions", ".status"]),
    ("saved queries", &[".queries", ".show", ".run", ".save"]),
    ("investigate", &[".who", ".ip", ".api", ".key", ".resource", ".event", ".trace", ".timeline"]),
    ("answers", &[".mode", ".output", ".once", ".maxrows", ".nullvalue", ".pager", ".timer"]),
    ("session", &[".ingest", ".read", ".edit", ".set", ".strict", ".help", ".quit"]),
];

/// Commands whose arguments are values that the cache holds, where their rows tell no more.
const CALLERS: &[&str] = &[".trace", ".timeline"];

/// What the arguments of `command` are.
pub(super) fn argument_of(command: &Command) -> Argument {
    if command.argument == Argument::Free && CALLERS.contains(&command.name) {
        return Argument::Value(Subject::Caller);
    }
    command.argument
}

/// The command called `name`.
pub(super) fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.is_called(name))
}

/// Finds the command of `line` and its arguments.
///
/// # Errors
/// There is no such command, or its arguments do not fit.
pub(super) fn parse(line: &str) -> Result<(&'static Command, Vec<String>)> {
    let text = line.trim().trim_end_matches(';').trim_end();
    let mut words = split(text).into_iter();
    let name = words.next().unwrap_or_default();
    let arguments: Vec<String> = words.collect();
    let Some(command) = find(&name) else {
        let names = COMMANDS.iter().flat_map(|command| [command.name, command.alias]);
        let help = match nearest(&name, names.filter(|name| !name.is_empty())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`.help` names all commands".to_owned(),
        };
        return Err(fault(text, &name, format!("there is no command `{name}`"), help));
    };
    let (least, most) = command.arity;
    if !(least..=most).contains(&arguments.len()) {
        let message = match (least, most) {
            (_, 0) => format!("`{}` takes no arguments", command.name),
            (0, 1) => format!("`{}` takes one argument at most", command.name),
            (1, 1) => format!("`{}` takes one argument", command.name),
            (_, 2) => format!("`{}` takes two arguments at most", command.name),
            _ => format!("`{}` takes an argument", command.name),
        };
        let help = format!("{} {}", command.name, command.usage);
        return Err(fault(text, &name, message, help.trim_end().to_owned()));
    }
    Ok((command, arguments))
}

fn fault(text: &str, name: &str, message: String, help: String) -> crate::Error {
    ErrorKind::Query(Diagnostic {
        message,
        text: text.to_owned(),
        origin: None,
        span: Some(0..name.len()),
        label: None,
        help: Some(help),
    })
    .into()
}

#[cfg(test)]
mod tests;

//! The prompt's commands: one table that dispatch, `.help` and completion read.

use std::fmt::Write as _;

use super::shell::{Flow, Shell};
use crate::{
    ErrorKind, Result,
    engine::{Function, functions},
    error::{Diagnostic, nearest},
};

/// What a command's arguments are, for completion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Argument {
    /// A table.
    Table,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A command.
    Command,
    /// A file or directory.
    Path,
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
    command!(".status" "" "" (0, 0), Argument::Free, "shows what the cache covers, and what was skipped", Shell::status),
    command!(".timeline" "" "[SUBJECT…] [--query NAME KEY=VALUE…] [--since T] [--until T] [--all]" (0, ANY), Argument::Free, "tells what was done, in plain words and in order", Shell::timeline),
    command!(".mode" "" "[FORMAT]" (0, 1), MODES, "sets how answers are written", Shell::mode),
    command!(".output" "\\o" "[FILE]" (0, 1), Argument::Path, "writes answers to FILE; without it, to the screen again", Shell::output),
    command!(".once" "" "FILE" (1, 1), Argument::Path, "writes the next answer to FILE, in the format its ending tells", Shell::once),
    command!(".maxrows" "" "N" (1, 1), Argument::Free, "sets how many rows a table shows; 0 shows all", Shell::max_rows),
    command!(".nullvalue" "" "TEXT" (1, 1), Argument::Free, "sets what stands for NULL in tables", Shell::null_value),
    command!(".timer" "\\timing" "on|off" (1, 1), ON_OFF, "shows time and data scanned below answers", Shell::timer),
    command!(".strict" "" "on|off" (1, 1), ON_OFF, "refuses what Athena refuses, or takes it as meant and says so", Shell::strict),
    command!(".ingest" "" "SOURCE…" (1, ANY), Argument::Path, "reads logs into the cache", Shell::ingest),
    command!(".read" "\\i" "FILE" (1, 1), Argument::Path, "runs the SQL in FILE", Shell::read),
    command!(".help" "\\?" "[COMMAND | FUNCTION]" (0, 1), Argument::Command, "shows this, or what a function does", Shell::help),
    command!(".quit" "\\q" "" (0, 0), Argument::Free, "leaves; so does Ctrl-D", |_, _| Ok(Flow::Leave)),
];

/// Finds the command of `line` and its arguments.
///
/// # Errors
/// There is no such command, or its arguments do not fit.
pub(super) fn parse(line: &str) -> Result<(&'static Command, Vec<String>)> {
    let text = line.trim().trim_end_matches(';').trim_end();
    let mut words = split(text).into_iter();
    let name = words.next().unwrap_or_default();
    let arguments: Vec<String> = words.collect();
    let Some(command) = COMMANDS.iter().find(|command| command.is_called(&name)) else {
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

/// Splits at white space; quotes keep it.
fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in text.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if matches!(c, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            Some(_) | None => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// What `.help` shows: all commands, or the one that is `name`d.
///
/// # Errors
/// There is no such command.
pub(super) fn help(name: Option<&String>) -> Result<String> {
    let line = |command: &Command| {
        let head = format!("{} {}", command.name, command.usage);
        format!("{head:<22} {:<8} {}\n", command.alias, command.summary)
    };
    match name {
        None => {
            let mut text: String = COMMANDS.iter().map(line).collect();
            text.push_str("All else is SQL; it runs when a line ends in `;`.\n");
            Ok(text)
        }
        Some(name) => {
            let dotted =
                if name.starts_with(['.', '\\']) { name.clone() } else { format!(".{name}") };
            // Only the name matters here, not how many arguments fit.
            let found = COMMANDS.iter().find(|command| command.is_called(&dotted));
            if let Some(text) = found.map(line).or_else(|| help_on_function(name)) {
                return Ok(text);
            }
            parse(&dotted).map(|_| String::new())
        }
    }
}

/// What the table of functions says of `name`.
fn help_on_function(name: &str) -> Option<String> {
    let name = name.to_lowercase();
    let all = functions();
    let is_it =
        |function: &&Function| function.name == name || function.aliases.contains(&name.as_str());
    let function = all.iter().find(is_it)?;
    let mut text = format!("{}\n{}\n", function.signature, function.text);
    for (expression, result) in function.examples {
        let _ = writeln!(text, "  {expression}  →  {result}");
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::render_error;

    fn fault_of(line: &str) -> String {
        match parse(line) {
            Ok((command, _)) => panic!("{line} is {}", command.name),
            Err(error) => render_error(&error, false),
        }
    }

    #[test]
    fn names_and_aliases_are_unique() {
        let mut names: Vec<&str> =
            COMMANDS.iter().flat_map(|c| [c.name, c.alias]).filter(|n| !n.is_empty()).collect();
        let n_names = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), n_names);
    }

    #[test]
    fn arguments_split_at_spaces_outside_quotes() {
        let (command, arguments) = parse(" .ingest 'a b' c\"d e\" '' ; ").unwrap();
        assert_eq!(command.name, ".ingest");
        assert_eq!(arguments, ["a b", "cd e", ""]);
        assert_eq!(parse("\\q;").unwrap().0.name, ".quit");
    }

    #[test]
    fn what_is_no_command_is_drawn_with_the_one_that_was_meant() {
        insta::assert_snapshot!(fault_of(".tabels"), @r"
        error: there is no command `.tabels`
          |
        1 | .tabels
          | ^^^^^^^
          |
          = help: did you mean `.tables`?
        ");
        insta::assert_snapshot!(fault_of(".once"), @r"
        error: `.once` takes one argument
          |
        1 | .once
          | ^^^^^
          |
          = help: .once FILE
        ");
        insta::assert_snapshot!(fault_of(".quit now"), @r"
        error: `.quit` takes no arguments
          |
        1 | .quit now
          | ^^^^^
          |
          = help: .quit
        ");
    }

    #[test]
    fn help_names_every_command_and_function() {
        let json = help(Some(&"JSON_EXTRACT_SCALAR".to_owned())).unwrap();
        assert!(json.starts_with("json_extract_scalar("), "{json}");
        let all = help(None).unwrap();
        assert!(COMMANDS.iter().all(|command| all.contains(command.summary)));
        assert!(help(Some(&"schema".to_owned())).unwrap().starts_with(".schema [TABLE]"));
        assert!(help(Some(&"\\d".to_owned())).unwrap().starts_with(".schema [TABLE]"));
        assert!(help(Some(&"nonsense".to_owned())).is_err());
    }
}

//! What `.help` shows, and the reference in `docs/REPL.md`.

use std::{fmt::Write as _, sync::LazyLock};

use super::{COMMANDS, Command, FAMILIES, find, parse};
use crate::{
    Result,
    engine::{Function, functions},
};

/// What `.help` shows: all commands, or the command or function that is `name`d.
///
/// # Errors
/// There is no such command.
pub(in crate::repl) fn help(name: Option<&String>) -> Result<String> {
    let Some(name) = name else { return Ok(all()) };
    let dotted = if name.starts_with(['.', '\\']) { name.clone() } else { format!(".{name}") };
    // Only the name matters here, not how many arguments fit.
    if let Some(text) = find(&dotted).map(line).or_else(|| on_function(name)) {
        return Ok(text);
    }
    parse(&dotted).map(|_| String::new())
}

fn line(command: &Command) -> String {
    let head = format!("{} {}", command.name, command.usage);
    let alias = if command.alias.is_empty() { "" } else { " · " };
    format!("{head:<24} {}{alias}{}\n", command.summary, command.alias)
}

fn all() -> String {
    let mut text = String::new();
    for (family, commands) in families() {
        let _ = writeln!(text, "{family}");
        for command in commands {
            text.push_str("  ");
            text.push_str(&line(command));
        }
    }
    text.push_str(
        "All else is SQL; it runs when Enter follows a `;`. Tab completes names, and values in\n\
         quotes. Alt-Enter begins a line, Ctrl-R searches what was entered, Ctrl-C gives up.\n",
    );
    text
}

/// The families that have commands, and those commands; what is in none comes last.
fn families() -> Vec<(&'static str, Vec<&'static Command>)> {
    let mut families: Vec<(&str, Vec<&Command>)> = FAMILIES
        .iter()
        .map(|(family, names)| (*family, names.iter().filter_map(|name| find(name)).collect()))
        .collect();
    let is_in = |command: &Command| FAMILIES.iter().any(|(_, names)| names.contains(&command.name));
    families.push(("more", COMMANDS.iter().filter(|command| !is_in(command)).collect()));
    families.retain(|(_, commands)| !commands.is_empty());
    families
}

fn documented(name: &str) -> Option<&'static Function> {
    static FUNCTIONS: LazyLock<Vec<Function>> = LazyLock::new(functions);
    let name = name.to_lowercase();
    FUNCTIONS.iter().find(|it| it.name == name || it.aliases.contains(&name.as_str()))
}

/// How the function `name` is called.
pub(in crate::repl) fn signature(name: &str) -> Option<&'static str> {
    documented(name).map(|function| function.signature)
}

/// What the table of functions says of `name`.
fn on_function(name: &str) -> Option<String> {
    let function = documented(name)?;
    let mut text = format!("{}\n{}\n", function.signature, function.text);
    for (expression, result) in function.examples {
        let _ = writeln!(text, "  {expression}  →  {result}");
    }
    Some(text)
}

/// The table of commands as Markdown, for `docs/REPL.md`.
pub fn reference() -> String {
    let cell = |text: &str| text.replace('|', "\\|");
    let mut text = String::new();
    for (family, commands) in families() {
        let mut letters = family.chars();
        let first = letters.next().map(|c| c.to_ascii_uppercase()).unwrap_or_default();
        let _ = writeln!(text, "### {first}{}\n", letters.as_str());
        text.push_str("| command | psql | what it does |\n|---|---|---|\n");
        for command in commands {
            let usage = format!("{} {}", command.name, command.usage);
            let alias = match command.alias {
                "" => String::new(),
                alias => format!("`{alias}`"),
            };
            let summary = cell(command.summary);
            let _ = writeln!(text, "| `{}` | {alias} | {summary} |", cell(usage.trim_end()));
        }
        text.push('\n');
    }
    text
}

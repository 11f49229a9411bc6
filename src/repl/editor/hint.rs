//! What is shown behind the cursor: how an earlier entry went on, how the function under the cursor
//! is called, which arguments a command takes, what is still open.

use rustyline::{Context, history::SearchDirection};

use super::{
    super::{
        commands,
        complete::Names,
        lex::{Kind, pieces},
        scan,
    },
    highlight::Pairs,
    lines::without_margins,
};
use crate::output::visible;

/// A hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hint {
    display: String,
    completion: Option<String>,
}

impl rustyline::hint::Hint for Hint {
    fn display(&self) -> &str {
        &self.display
    }

    fn completion(&self) -> Option<&str> {
        self.completion.as_deref()
    }
}

impl Hint {
    fn note(text: impl Into<String>) -> Self {
        Self { display: text.into(), completion: None }
    }
}

/// The hint for `line`, the cursor at its end. Without colours a hint looks like what was typed, so
/// that only what cannot be mistaken is shown.
pub(super) fn hint(
    line: &str,
    cursor: usize,
    has_color: bool,
    names: &Names,
    context: &Context<'_>,
) -> Option<Hint> {
    if cursor < line.len() || line.is_empty() {
        return None;
    }
    if has_color && let Some(hint) = of_history(line, context) {
        return Some(hint);
    }
    let plain = without_margins(line);
    let note = if scan::is_command(&plain) { of_command(&plain, names) } else { of_sql(&plain) }?;
    let mark = if scan::is_command(&plain) { "" } else { "  -- " };
    Some(Hint::note(format!("{mark}{note}")))
}

/// How the last entry that begins with `line` went on.
fn of_history(line: &str, context: &Context<'_>) -> Option<Hint> {
    let last = context.history().len().checked_sub(1)?;
    let start = context.history_index().min(last);
    let found = context.history().starts_with(line, start, SearchDirection::Reverse).ok()??;
    let rest = found.entry.get(line.len()..).filter(|rest| !rest.is_empty())?.to_owned();
    let (first, more) = rest.split_once('\n').map_or((rest.as_str(), ""), |(one, _)| (one, " …"));
    Some(Hint { display: format!("{}{more}", visible(first)), completion: Some(rest) })
}

/// The arguments that are still to come.
fn of_command(line: &str, names: &Names) -> Option<String> {
    let mut words = line.split_whitespace();
    let command = commands::find(words.next()?)?;
    let given: Vec<&str> = words.collect();
    let is_new_word = line.ends_with(char::is_whitespace);
    if let (commands::Argument::Query([]), [name, given @ ..]) =
        (command.argument, given.as_slice())
        && let Some(query) = names.query(name)
    {
        let is_given = |name: &str| given.iter().any(|word| word.starts_with(&format!("{name}=")));
        let left = query.parameters.iter().filter(|(name, _)| !is_given(name));
        let left: Vec<String> = left
            .map(
                |(name, is_optional)| {
                    if *is_optional { format!("[{name}=]") } else { format!("{name}=") }
                },
            )
            .collect();
        let is_begun = !is_new_word && !given.is_empty();
        return (!left.is_empty() && !is_begun)
            .then(|| format!("{}{}", if is_new_word { "" } else { " " }, left.join(" ")));
    }
    let usage = command.usage;
    (given.is_empty() && !usage.is_empty())
        .then(|| format!("{}{usage}", if is_new_word { "" } else { " " }))
}

/// How the innermost function that is open is called; on a new line, what is open at all.
fn of_sql(text: &str) -> Option<String> {
    let all = pieces(text);
    let is_new_line = text.ends_with('\n');
    if let Some(open) = all.last().filter(|piece| !piece.is_closed) {
        let line = 1 + text.get(..open.at.start)?.matches('\n').count();
        let mark = match open.kind {
            Kind::Comment => "/*",
            _ => open.of(text).get(..1)?,
        };
        return is_new_line.then(|| format!("the {mark} of line {line} is open"));
    }
    let pairs = Pairs::of(text, &all);
    let open = *pairs.unclosed.last()?;
    let name = open.checked_sub(1).and_then(|place| all.get(place));
    if let Some(name) = name.filter(|name| name.kind == Kind::Word)
        && let Some(signature) = commands::signature(name.of(text))
    {
        return Some(signature.to_owned());
    }
    let line = 1 + text.get(..all.get(open)?.at.start)?.matches('\n').count();
    is_new_line.then(|| {
        format!("the {} of line {line} is open", all.get(open).map_or("", |it| it.of(text)))
    })
}

#[cfg(test)]
mod tests {
    use rustyline::history::History as _;

    use super::{
        super::{super::complete::Saved, history::Past},
        *,
    };

    fn shown(line: &str, past: &[&str], has_color: bool) -> Option<String> {
        let mut history = Past::default();
        for entry in past {
            history.add(entry).unwrap();
        }
        let key = ("key".to_owned(), false);
        let queries = vec![Saved {
            name: "access_key_activity".to_owned(),
            parameters: vec![key, ("since".to_owned(), true)],
        }];
        let names = Names { queries, ..Names::default() };
        let context = Context::new(&history);
        hint(line, line.len(), has_color, &names, &context).map(|hint| hint.display)
    }

    #[test]
    fn history_comes_first_where_it_can_be_told_from_what_is_typed() {
        let past = ["SELECT count(*) FROM a;", "SELECT count(*)\nFROM b;"];
        assert_eq!(shown("SELECT co", &past, true).unwrap(), "unt(*) …");
        assert_eq!(shown("SELECT count(*) ", &past, true).unwrap(), "FROM a;");
        assert_eq!(shown("SELECT co", &past, false), None);
        assert_eq!(shown("", &past, true), None);
    }

    #[test]
    fn functions_and_commands_tell_what_they_take() {
        let signature = shown("SELECT split_part(a, ", &[], false).unwrap();
        assert!(signature.starts_with("  -- split_part(string"), "{signature}");
        assert_eq!(shown("SELECT split_part(a, ')'", &[], false), Some(signature));
        assert_eq!(shown("SELECT split_part(a, b, 1)", &[], false), None);
        assert_eq!(shown(".once", &[], false).unwrap(), " FILE");
        assert_eq!(shown(".once ", &[], false).unwrap(), "FILE");
        assert_eq!(shown(".once a", &[], false), None);
        assert_eq!(shown(".run access_key_activity ", &[], false).unwrap(), "key= [since=]");
        assert_eq!(shown(".run access_key_activity key=a ", &[], false).unwrap(), "[since=]");
    }

    #[test]
    fn what_is_open_is_told_on_a_new_line() {
        assert_eq!(shown("SELECT (1\n", &[], false).unwrap(), "  -- the ( of line 1 is open");
        assert_eq!(shown("SELECT\n'a\n", &[], false).unwrap(), "  -- the ' of line 2 is open");
        assert_eq!(shown("SELECT 1\n", &[], false), None);
        assert_eq!(shown("SELECT (1", &[], false), None);
    }
}

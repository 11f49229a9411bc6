//! The line editor: rustyline with our completion, colours, hints, history and margins.

mod highlight;
mod hint;
mod history;
mod lines;

use std::{borrow::Cow, cell::Cell, path::Path};

use rustyline::{
    CompletionType, Config, Context, Editor, EventHandler, Helper,
    completion::{Completer, Pair},
    config::{BellStyle, ColorMode},
    error::ReadlineError,
    highlight::{CmdKind, Highlighter},
    hint::Hinter,
    history::MemHistory,
    validate::{ValidationContext, ValidationResult, Validator},
};

use self::{
    highlight::Colors,
    hint::Hint,
    history::Past,
    lines::{Key, with_margins_at, without_margins, without_margins_at},
};
use super::{
    complete::{Offer, Words},
    scan,
    values::{Subject, Values},
};
use crate::{ErrorKind, Result, output::visible};

/// The names beyond which the editor asks before it lists them.
const MOST_LISTED: usize = 150;

const PROMPT: &str = "trailhound> ";

/// What the user entered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entered {
    /// A command or whole statements.
    Text(String),
    /// Ctrl-C: the line is given up.
    Nothing,
    /// Ctrl-D.
    Leave,
}

/// Reads what the user types.
pub(super) struct Prompt {
    editor: Editor<Hands, Past>,
    has_color: bool,
    styled: String,
}

impl Prompt {
    /// A prompt whose history rests in `history_file`.
    ///
    /// # Errors
    /// The terminal cannot be used.
    pub(super) fn new(history_file: Option<&Path>, has_color: bool) -> Result<Self> {
        let past = Past::open(history_file);
        let mut editor = Editor::with_history(config(), past).map_err(terminal_failed)?;
        editor.set_helper(Some(Hands::default()));
        for (key, meaning) in Key::bindings() {
            editor.bind_sequence(key, EventHandler::Conditional(Box::new(meaning)));
        }
        let styled = if has_color { format!("\x1b[1m{PROMPT}\x1b[0m") } else { PROMPT.to_owned() };
        Ok(Self { editor, has_color, styled })
    }

    /// Gives completion and colours new names.
    pub(super) fn set_words(&mut self, words: Words) {
        if let Some(hands) = self.editor.helper_mut() {
            hands.colors = Colors::new(self.has_color, &words.names);
            hands.words = words;
        }
    }

    /// Waits for the user.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(super) fn read(&mut self) -> Result<Entered> {
        match self.editor.readline(&(PROMPT, self.styled.as_str())) {
            Ok(text) => {
                let text = without_margins(&text);
                self.keep(&text);
                Ok(Entered::Text(text))
            }
            Err(ReadlineError::Interrupted) => Ok(Entered::Nothing),
            Err(ReadlineError::Eof) => Ok(Entered::Leave),
            Err(error) => Err(terminal_failed(error)),
        }
    }

    /// Keeps an entry in the history.
    pub(super) fn keep(&mut self, text: &str) {
        drop(self.editor.add_history_entry(text));
    }
}

/// Asks for the value of the parameter `name`, with completion.
///
/// # Errors
/// The user gave up, or the terminal is gone.
pub(super) fn ask(question: &str, name: &str, values: Values) -> Result<String> {
    let editor = Editor::<Asked, MemHistory>::with_history(config(), MemHistory::new());
    let mut editor = editor.map_err(terminal_failed)?;
    editor.set_helper(Some(Asked { columns: Subject::of_parameter(name), values }));
    match editor.readline(question) {
        Ok(answer) => Ok(answer.trim().to_owned()),
        Err(ReadlineError::Interrupted | ReadlineError::Eof) => Err(ErrorKind::Interrupted.into()),
        Err(error) => Err(terminal_failed(error)),
    }
}

fn config() -> Config {
    // Whether there are colours is ours to say; margins must be drawn in any case.
    Config::builder()
        .completion_type(CompletionType::List)
        .completion_show_all_if_ambiguous(true)
        .completion_prompt_limit(MOST_LISTED)
        .color_mode(ColorMode::Forced)
        .bell_style(BellStyle::None)
        .bracketed_paste(true)
        .build()
}

fn terminal_failed(error: ReadlineError) -> crate::Error {
    let source = match error {
        ReadlineError::Io(source) => source,
        other => std::io::Error::other(other),
    };
    ErrorKind::Io { action: "read from", path: "<terminal>".into(), source }.into()
}

/// What the editor asks about the line.
#[derive(Default)]
struct Hands {
    words: Words,
    colors: Colors,
    /// Whether the line is drawn for the last time, as it stays on the screen.
    is_final: Cell<bool>,
}

impl Helper for Hands {}

impl Highlighter for Hands {
    fn highlight<'l>(&self, line: &'l str, at: usize) -> Cow<'l, str> {
        self.colors.draw(line, Some(at).filter(|_| !self.is_final.get())).into()
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        if self.colors.is_on() { format!("\x1b[2m{hint}\x1b[0m").into() } else { hint.into() }
    }

    fn highlight_char(&self, _: &str, _: usize, kind: CmdKind) -> bool {
        self.is_final.set(kind == CmdKind::ForcedRefresh);
        // Any key may colour what stands before it.
        true
    }
}

impl Hinter for Hands {
    type Hint = Hint;

    fn hint(&self, line: &str, at: usize, context: &Context<'_>) -> Option<Hint> {
        hint::hint(line, at, self.colors.is_on(), &self.words.names, context)
    }
}

impl Completer for Hands {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let plain = without_margins(line);
        let offer = self.words.complete(&plain, without_margins_at(line, at));
        let start = with_margins_at(&plain, offer.start).min(at);
        Ok((if line.is_char_boundary(start) { start } else { at }, pairs(offer)))
    }
}

impl Validator for Hands {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if scan::is_complete(context.input()) {
            ValidationResult::Valid(None)
        } else {
            ValidationResult::Incomplete
        })
    }
}

/// What the editor lists and puts into the line.
fn pairs(offer: Offer) -> Vec<Pair> {
    let common = common_beginning(&offer.found).to_owned();
    let pair = |name: String| Pair { display: visible(&name).into_owned(), replacement: name };
    let mut pairs: Vec<Pair> = offer.found.into_iter().map(pair).collect();
    if let Some(note) = offer.note.filter(|_| pairs.len() > 1) {
        pairs.push(Pair { display: note, replacement: common });
    }
    pairs
}

/// What all of `found` begin with.
fn common_beginning(found: &[String]) -> &str {
    let Some((first, others)) = found.split_first() else { return "" };
    let mut end = first.len();
    for other in others {
        let same = first.char_indices().zip(other.chars()).find(|((_, a), b)| a != b);
        end = end.min(same.map_or(other.len(), |((at, _), _)| at));
    }
    first.get(..first.floor_char_boundary(end)).unwrap_or_default()
}

/// What the editor asks about the value of a parameter.
struct Asked {
    columns: &'static [&'static str],
    values: Values,
}

impl Helper for Asked {}
impl Highlighter for Asked {}
impl Validator for Asked {}

impl Hinter for Asked {
    type Hint = Hint;
}

impl Completer for Asked {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let typed = line.get(..at).unwrap_or_default();
        // The elements of a list are parted by commas.
        let start = typed.rfind(',').map_or(0, |comma| comma + 1);
        let found = self.values.find(self.columns, typed.get(start..).unwrap_or_default());
        Ok((start, pairs(Offer::of(start, found))))
    }
}

//! The line editor: rustyline with our completion, multi-line statements and history.

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
};

use rustyline::{
    Completer, CompletionType, Config, Context, Editor, Helper, Hinter, Validator,
    completion::{Completer as Complete, Pair},
    config::Configurer as _,
    error::ReadlineError,
    highlight::Highlighter,
    history::DefaultHistory,
    validate::{ValidationContext, ValidationResult, Validator as Validate},
};

use super::{
    complete::{self, Names},
    scan,
};
use crate::{ErrorKind, Result, output::visible};

/// The most statements the history keeps.
const MAX_HISTORY: usize = 10_000;

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
    editor: Editor<Hands, DefaultHistory>,
    history_file: Option<PathBuf>,
    styled: String,
}

impl Prompt {
    /// A prompt whose history rests in `history_file`.
    ///
    /// # Errors
    /// The terminal cannot be used.
    pub(super) fn new(history_file: Option<&Path>, color: bool) -> Result<Self> {
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .bracketed_paste(true)
            .history_ignore_space(true)
            .build();
        let mut editor = Editor::with_config(config).map_err(terminal_failed)?;
        editor.set_helper(Some(Hands::default()));
        let history_file = history_file.map(Path::to_owned);
        if let Some(file) = &history_file {
            // A history that cannot be read or kept is no reason not to work.
            if let Some(dir) = file.parent() {
                drop(std::fs::create_dir_all(dir));
            }
            drop(editor.set_max_history_size(MAX_HISTORY));
            drop(editor.load_history(file));
        }
        let styled = if color { format!("\x1b[1m{PROMPT}\x1b[0m") } else { PROMPT.to_owned() };
        Ok(Self { editor, history_file, styled })
    }

    /// Gives completion new names.
    pub(super) fn set_names(&mut self, names: Names) {
        if let Some(hands) = self.editor.helper_mut() {
            hands.words.names = names;
        }
    }

    /// Waits for the user.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(super) fn read(&mut self) -> Result<Entered> {
        match self.editor.readline(&(PROMPT, self.styled.as_str())) {
            Ok(text) => {
                if !text.trim().is_empty() {
                    drop(self.editor.add_history_entry(text.trim_end()));
                    if let Some(file) = &self.history_file {
                        drop(self.editor.append_history(file));
                    }
                }
                Ok(Entered::Text(text))
            }
            Err(ReadlineError::Interrupted) => Ok(Entered::Nothing),
            Err(ReadlineError::Eof) => Ok(Entered::Leave),
            Err(error) => Err(terminal_failed(error)),
        }
    }
}

fn terminal_failed(error: ReadlineError) -> crate::Error {
    let source = match error {
        ReadlineError::Io(source) => source,
        other => std::io::Error::other(other),
    };
    ErrorKind::Io { action: "read from", path: "<terminal>".into(), source }.into()
}

/// What the editor asks about the line: names to complete, whether Enter runs it.
#[derive(Default, Helper, Completer, Validator, Hinter)]
struct Hands {
    #[rustyline(Completer)]
    words: Words,
    #[rustyline(Validator)]
    enter: Enter,
    #[rustyline(Hinter)]
    silent: (),
}

impl Highlighter for Hands {
    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(format!("\x1b[2m{hint}\x1b[0m"))
    }
}

#[derive(Default)]
struct Words {
    names: Names,
}

impl Complete for Words {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        cursor: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (start, found) = complete::complete(line, cursor, &self.names);
        let pair = |name: String| Pair { display: visible(&name).into_owned(), replacement: name };
        Ok((start, found.into_iter().map(pair).collect()))
    }
}

#[derive(Default)]
struct Enter;

impl Validate for Enter {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if scan::is_complete(context.input()) {
            ValidationResult::Valid(None)
        } else {
            ValidationResult::Incomplete
        })
    }
}

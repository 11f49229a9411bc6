//! Java's patterns, for the `regex` crate.

use std::{
    cell::RefCell,
    iter::Peekable,
    rc::Rc,
    str::Chars,
    sync::{Arc, Mutex, PoisonError},
};

use datafusion::{
    common::{exec_datafusion_err, exec_err},
    error::Result,
};
use regex::{Captures, Match, Regex, RegexBuilder};

use crate::engine::functions::call::{Texts, quoted};

/// A compiled pattern. A clone shares what was compiled, and has its own memory to match with.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    text: String,
    regex: Regex,
    /// For text that ends in a line break, which `$` and `\Z` match before too.
    before_break: Option<Regex>,
}

/// What one compiled pattern may take.
const SIZE: usize = 4 << 20;

impl Pattern {
    fn compile(text: &str) -> Result<Self> {
        let build = |end: End| {
            let translated = Translation::of(text, end)?;
            let mut builder = RegexBuilder::new(&translated.text);
            builder.size_limit(SIZE).dfa_size_limit(SIZE);
            let regex = builder.build().map_err(|error| {
                // The crate draws the pattern over several lines; its last line says what is wrong.
                let told = error.to_string();
                let reason = told.lines().last().unwrap_or_default();
                let reason = reason.strip_prefix("error: ").unwrap_or(reason);
                exec_datafusion_err!("the pattern {} is not understood: {reason}", quoted(text))
            })?;
            Ok::<_, datafusion::error::DataFusionError>((regex, translated.ends))
        };
        let (regex, ends) = build(End::OfText)?;
        let before_break = if ends { Some(build(End::OfLine)?.0) } else { None };
        Ok(Self { text: text.to_owned(), regex, before_break })
    }

    /// How many groups there are.
    pub(super) fn groups(&self) -> usize {
        self.regex.captures_len().saturating_sub(1)
    }

    /// The group of a name.
    pub(super) fn named(&self, name: &str) -> Option<usize> {
        self.regex.capture_names().position(|candidate| candidate == Some(name))
    }

    /// The expression that means the pattern over `text`.
    #[inline]
    pub(super) fn over(&self, text: &str) -> Result<&Regex> {
        match &self.before_break {
            None => Ok(&self.regex),
            Some(before_break) => self.ending(before_break, text),
        }
    }

    fn ending<'a>(&'a self, before_break: &'a Regex, text: &str) -> Result<&'a Regex> {
        match text.strip_suffix('\n') {
            // The end of a line and the end of the text, or what is before its last break, are the
            // same where no other line break is.
            Some(line) if !line.contains('\n') => Ok(before_break),
            Some(_) => exec_err!(
                "$ in the pattern {} is not supported over text of several lines that ends in a \
                 line break; use \\z for the end of the text or (?m) for that of a line",
                quoted(&self.text)
            ),
            None => Ok(&self.regex),
        }
    }

    /// The matches from byte `from` on.
    pub(super) fn matches<'a>(
        &'a self,
        text: &'a str,
        from: usize,
    ) -> Result<impl Iterator<Item = Match<'a>>> {
        let regex = self.over(text)?;
        let mut next = Some(from);
        Ok(std::iter::from_fn(move || {
            let found = regex.find_at(text, next?)?;
            next = after(text, &found);
            Some(found)
        }))
    }

    /// Gives all matches with their groups to `take`.
    pub(super) fn each<'a>(
        &self,
        text: &'a str,
        mut take: impl FnMut(&Captures<'a>) -> Result<()>,
    ) -> Result<()> {
        let regex = self.over(text)?;
        let mut next = Some(0);
        while let Some(from) = next {
            let Some(captures) = regex.captures_at(text, from) else { break };
            take(&captures)?;
            next = captures.get(0).and_then(|found| after(text, &found));
        }
        Ok(())
    }
}

/// Where to look for the match after `found`. As in Java, an empty match may follow at the end of
/// another; the crate's own iterators leave it out.
fn after(text: &str, found: &Match<'_>) -> Option<usize> {
    if !found.is_empty() {
        return Some(found.end());
    }
    let following = text.get(found.end()..).and_then(|rest| rest.chars().next())?;
    Some(found.end() + following.len_utf8())
}

/// The patterns of an argument, by row.
pub(super) struct Patterns<'a> {
    texts: Texts<'a>,
    last: Option<Rc<Pattern>>,
}

impl<'a> Patterns<'a> {
    pub(super) fn new(texts: Texts<'a>) -> Self {
        Self { texts, last: None }
    }

    pub(super) fn get(&mut self, row: usize) -> Result<Option<Rc<Pattern>>> {
        let Some(text) = self.texts.get(row) else { return Ok(None) };
        if let Some(last) = &self.last
            && last.text == text
        {
            return Ok(Some(Rc::clone(last)));
        }
        let pattern = of_thread(text)?;
        self.last = Some(Rc::clone(&pattern));
        Ok(Some(pattern))
    }
}

/// Patterns that were compiled last, the latest at the end: a literal is compiled once, and not for
/// every batch and thread.
static CACHE: Mutex<Vec<Arc<Pattern>>> = Mutex::new(Vec::new());

thread_local! {
    /// Clones of them: threads that match with the same one wait for each other's memory.
    static OF_THREAD: RefCell<Vec<Rc<Pattern>>> = const { RefCell::new(Vec::new()) };
}

/// Whether `text` is a pattern; it is kept if so.
pub(super) fn check(text: &str) -> Result<()> {
    cached(text).map(|_| ())
}

const CACHED: usize = 32;

fn of_thread(text: &str) -> Result<Rc<Pattern>> {
    OF_THREAD.with_borrow_mut(|own| {
        if let Some(found) = own.iter().find(|pattern| pattern.text == text) {
            return Ok(Rc::clone(found));
        }
        let pattern = Rc::new(Pattern::clone(&*cached(text)?));
        keep(own, &pattern);
        Ok(pattern)
    })
}

fn cached(text: &str) -> Result<Arc<Pattern>> {
    let cache = || CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = cache().iter().find(|pattern| pattern.text == text) {
        return Ok(Arc::clone(found));
    }
    let pattern = Arc::new(Pattern::compile(text)?);
    keep(&mut cache(), &pattern);
    Ok(pattern)
}

/// Adds `pattern` to `kept`; the one that has been there longest goes.
fn keep<T: Clone>(kept: &mut Vec<T>, pattern: &T) {
    if kept.len() >= CACHED {
        kept.remove(0);
    }
    kept.push(T::clone(pattern));
}

/// What `$` and `\Z` are written as where `^` and `$` do not mean lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    OfText,
    OfLine,
}

/// A pattern in the crate's syntax.
struct Translation<'a> {
    text: String,
    /// Whether `$` or `\Z` is in it, not meaning lines.
    ends: bool,
    end: End,
    whole: &'a str,
    /// Whether `(?m)` holds, in each group that is open.
    lines: Vec<bool>,
}

impl<'a> Translation<'a> {
    fn of(whole: &'a str, end: End) -> Result<Self> {
        let text = String::with_capacity(whole.len() + 8);
        let mut own = Self { text, ends: false, end, whole, lines: vec![false] };
        let mut rest = whole.chars().peekable();
        while let Some(character) = rest.next() {
            match character {
                '\\' => own.escape(&mut rest)?,
                '[' => own.class(&mut rest)?,
                '(' => own.open(&mut rest)?,
                ')' => {
                    if own.lines.len() > 1 {
                        own.lines.pop();
                    }
                    own.text.push(')');
                    own.possessive(&mut rest)?;
                }
                '$' if own.lines.last() == Some(&false) => own.at_end(),
                '{' => own.interval(&mut rest)?,
                '*' | '+' | '?' => {
                    own.text.push(character);
                    own.possessive(&mut rest)?;
                }
                other => own.text.push(other),
            }
        }
        Ok(own)
    }

    fn refused<T>(&self, what: &str) -> Result<T> {
        exec_err!("{what} are not supported in regular expressions: {}", quoted(self.whole))
    }

    fn at_end(&mut self) {
        self.ends = true;
        self.text.push_str(match self.end {
            End::OfText => "\\z",
            End::OfLine => "(?m:$)",
        });
    }

    /// A `+` after a quantifier: it would mean a repetition of the repetition to the crate.
    fn possessive(&self, rest: &mut Peekable<Chars<'_>>) -> Result<()> {
        let quantified = self.text.ends_with(['*', '+', '?', '}']);
        if quantified && rest.peek() == Some(&'+') {
            return self.refused("possessive quantifiers (*+, ++, ?+)");
        }
        Ok(())
    }

    fn escape(&mut self, rest: &mut Peekable<Chars<'_>>) -> Result<()> {
        let Some(escaped) = rest.next() else {
            return exec_err!("the pattern {} ends in \\", quoted(self.whole));
        };
        match escaped {
            'Q' => self.quotation(rest),
            'E' => {}
            'Z' => self.at_end(),
            'R' => self.text.push_str("(?:\\r\\n|[\\n-\\r\\x{85}\\x{2028}\\x{2029}])"),
            '1'..='9' | 'k' => return self.refused("references to groups (\\1)"),
            'G' | 'X' | 'h' | 'H' | 'V' | 'N' | 'c' | '0' | 'e' => {
                return self.refused(&format!("escapes such as \\{escaped}"));
            }
            // To the crate, these two are edges of words.
            '<' | '>' => self.text.push(escaped),
            other => {
                self.text.push('\\');
                self.text.push(other);
                if matches!(other, 'p' | 'P' | 'x' | 'u') && rest.peek() == Some(&'{') {
                    self.braces(rest);
                } else if other == 'b' && rest.peek() == Some(&'{') {
                    return self.refused("escapes such as \\b{…}");
                }
            }
        }
        Ok(())
    }

    /// What `\Q` quotes, up to `\E` or the end.
    fn quotation(&mut self, rest: &mut Peekable<Chars<'_>>) {
        let mut quoted = String::new();
        for character in rest.by_ref() {
            quoted.push(character);
            if let Some(text) = quoted.strip_suffix("\\E") {
                quoted.truncate(text.len());
                break;
            }
        }
        self.text.push_str(&regex::escape(&quoted));
    }

    /// The braces of `\p{…}` and `\x{…}`, as they are.
    fn braces(&mut self, rest: &mut Peekable<Chars<'_>>) {
        for character in rest.by_ref() {
            self.text.push(character);
            if character == '}' {
                break;
            }
        }
    }

    fn class(&mut self, rest: &mut Peekable<Chars<'_>>) -> Result<()> {
        self.text.push('[');
        // Whether nothing of a class has been seen yet but its `[` or `[^`.
        let (mut depth, mut first) = (1, true);
        while let Some(character) = rest.next() {
            let starts = std::mem::take(&mut first);
            match character {
                '\\' => {
                    self.escape(rest)?;
                    continue;
                }
                '[' => {
                    depth += 1;
                    first = true;
                }
                '^' if starts && !self.text.ends_with('^') => first = true,
                // A first `]` is a character.
                ']' if !starts => depth -= 1,
                // `--` and `~~` are operations to the crate, and characters to Java.
                '-' | '~' if rest.peek() == Some(&character) => self.text.push('\\'),
                _ => {}
            }
            self.text.push(character);
            if depth == 0 {
                return self.possessive(rest);
            }
        }
        exec_err!("a ] is missing in the pattern {}", quoted(self.whole))
    }

    fn open(&mut self, rest: &mut Peekable<Chars<'_>>) -> Result<()> {
        let lines = self.lines.last().copied().unwrap_or_default();
        self.text.push('(');
        if rest.peek() != Some(&'?') {
            self.lines.push(lines);
            return Ok(());
        }
        rest.next();
        self.text.push('?');
        let mut ahead = rest.clone();
        match (ahead.next(), ahead.next()) {
            (Some('=' | '!'), _) | (Some('<'), Some('=' | '!')) => {
                return self.refused("look-ahead and look-behind ((?=…), (?!…), (?<=…), (?<!…))");
            }
            (Some('>'), _) => return self.refused("atomic groups ((?>…))"),
            (Some('<' | 'P' | ':'), _) => {
                self.lines.push(lines);
                return Ok(());
            }
            _ => {}
        }
        // Flags, for the rest of the group or for what follows a colon.
        let (mut on, mut now) = (true, lines);
        for flag in rest.by_ref() {
            match flag {
                '-' => on = false,
                'm' => now = on,
                'i' | 's' | 'x' => {}
                ':' => self.lines.push(now),
                ')' => {
                    if let Some(last) = self.lines.last_mut() {
                        *last = now;
                    }
                }
                _ => return self.refused(&format!("flags such as (?{flag})")),
            }
            self.text.push(flag);
            if matches!(flag, ':' | ')') {
                break;
            }
        }
        Ok(())
    }

    /// `{n}`, `{n,}` or `{n,m}`; any other brace is a character.
    fn interval(&mut self, rest: &mut Peekable<Chars<'_>>) -> Result<()> {
        let ahead: String = rest.clone().take_while(|character| *character != '}').collect();
        let (from, to) = ahead.split_once(',').unwrap_or((&ahead, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let closed = rest.clone().nth(ahead.chars().count()) == Some('}');
        if !closed || from.is_empty() || !digits(from) || !digits(to) {
            self.text.push_str("\\{");
            return Ok(());
        }
        self.text.push('{');
        self.braces(rest);
        self.possessive(rest)
    }
}

//! The source tree as the tidy tests read it: every file of the project, and Rust code without
//! its comments and literals.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The root of the repository.
pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// One text file of the project.
pub(super) struct SourceFile {
    /// Its path from the root, with `/`.
    pub(super) path: String,
    /// What is in it.
    pub(super) text: String,
}

impl SourceFile {
    /// Gives the Rust code with comments and literals blanked, lines kept.
    pub(super) fn code(&self) -> String {
        code_only(&self.text)
    }

    /// Names the line in which byte `at` lies, as `path:line`.
    pub(super) fn place(&self, at: usize) -> String {
        let line = self.text.as_bytes()[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
        format!("{}:{line}", self.path)
    }
}

/// Reads every text file of the project, in the order of their paths. What is no UTF-8 is test
/// data and no business of these tests.
pub(super) fn text_files() -> Vec<SourceFile> {
    let mut paths = Vec::new();
    collect(root(), &mut paths);
    paths.sort();
    let files: Vec<SourceFile> = paths
        .into_iter()
        .filter_map(|path| {
            let text = String::from_utf8(fs::read(&path).unwrap()).ok()?;
            let path = path.strip_prefix(root()).unwrap();
            Some(SourceFile { path: path.to_str().unwrap().replace('\\', "/"), text })
        })
        .collect();
    assert!(files.iter().any(|file| file.path == "src/lib.rs"), "the walk missed src/lib.rs");
    files
}

/// Reads the project's Rust files.
pub(super) fn rust_files() -> Vec<SourceFile> {
    let mut files = text_files();
    files.retain(|file| has_extension(&file.path, "rs"));
    files
}

/// Says whether `path` ends in `.extension`.
pub(super) fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == extension)
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        let name = entry.file_name();
        let is_ours = ![".git", "target", "__pycache__"].iter().any(|other| name == *other);
        if kind.is_dir() && is_ours {
            collect(&entry.path(), paths);
        } else if kind.is_file() && is_ours {
            paths.push(entry.path());
        }
    }
}

/// Replaces comments, strings and characters by spaces; newlines stay, so places stay too.
fn code_only(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let length =
            literal_or_comment(&bytes[at..], at.checked_sub(1).map(|before| bytes[before]));
        if length == 0 {
            code.push(bytes[at]);
            at += 1;
        } else {
            let blanked = bytes[at..at + length].iter();
            code.extend(blanked.map(|&byte| if byte == b'\n' { b'\n' } else { b' ' }));
            at += length;
        }
    }
    String::from_utf8(code).unwrap()
}

/// Gives the length of the comment or literal at the start of `rest`, 0 where there is none.
fn literal_or_comment(rest: &[u8], before: Option<u8>) -> usize {
    let in_word = before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match rest {
        [b'/', b'/', ..] => rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => block_comment(rest),
        [b'"', ..] => quoted(rest, b'"'),
        [b'b' | b'c', b'"', ..] if !in_word => 1 + quoted(&rest[1..], b'"'),
        [b'b', b'\'', ..] if !in_word => 1 + quoted(&rest[1..], b'\''),
        [b'r', ..] if !in_word => raw_string(rest, 1),
        [b'b' | b'c', b'r', ..] if !in_word => raw_string(rest, 2),
        [b'\'', b'\\', ..] => quoted(rest, b'\''),
        // A character, not a lifetime: one character and a quote.
        [b'\'', tail @ ..] => {
            let width = std::str::from_utf8(&tail[..tail.len().min(4)])
                .or_else(|error| std::str::from_utf8(&tail[..error.valid_up_to()]))
                .ok()
                .and_then(|head| head.chars().next())
                .map_or(0, char::len_utf8);
            if width > 0 && tail.get(width) == Some(&b'\'') { width + 2 } else { 0 }
        }
        _ => 0,
    }
}

fn block_comment(rest: &[u8]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => {
                depth += 1;
                at += 2;
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    at
}

fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn raw_string(rest: &[u8], prefix: usize) -> usize {
    let hashes = rest[prefix..].iter().take_while(|&&byte| byte == b'#').count();
    if rest.get(prefix + hashes) != Some(&b'"') {
        return 0;
    }
    let close = [b"\"", "#".repeat(hashes).as_bytes()].concat();
    let body = prefix + hashes + 1;
    let end = rest[body..].windows(close.len()).position(|window| window == close);
    end.map_or(rest.len(), |found| body + found + close.len())
}

#[test]
fn code_is_what_remains_without_comments_and_literals() {
    let text = r##"
let a = "crate::b // no"; // crate::c
let d = 'x'; /* crate::e /* nested */ crate::f */ crate::g::<'static>();
let h = r#"crate::i "quoted" "#; let j = b'\''; let k = '\u{41}'; let l = b"\"crate::m";
let n = 'é'; fn o<'p>(q: &'p str) {}"##;
    let code = code_only(text);
    let words: Vec<&str> = code.split_whitespace().collect();
    assert_eq!(
        words.join(" "),
        "let a = ; let d = ; crate::g::<'static>(); let h = ; let j = ; let k = ; let l = ; \
         let n = ; fn o<'p>(q: &'p str) {}"
    );
    assert_eq!(code.lines().count(), text.lines().count());
}

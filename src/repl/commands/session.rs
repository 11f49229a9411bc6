//! Commands of the session: what is read, edited and set.

use std::{io::Write as _, path::Path, process::Command, time::Instant};

use super::{
    super::{
        read_sql, report,
        shell::{Flow, Shell},
    },
    expanded,
    output::{invalid, is_on, on_or_off},
};
use crate::{
    ErrorKind, Result,
    ingest::IngestOptions,
    output::{human::duration, visible, visible_lines},
    source,
};

impl Shell {
    pub(super) fn strict(&mut self, arguments: &[String]) -> Result<Flow> {
        if arguments.is_empty() {
            return self.show(on_or_off(self.strict));
        }
        self.strict = is_on(".strict", arguments)?;
        self.session.set_strict(self.strict);
        Ok(Flow::Stay)
    }

    pub(super) fn ingest(&mut self, arguments: &[String]) -> Result<Flow> {
        let place = |source: &String| match source.strip_prefix('~') {
            Some(_) => expanded(source).display().to_string(),
            None => source.clone(),
        };
        let sources = arguments.iter().map(place).collect();
        let options = IngestOptions { sources, ..self.ingest.clone() };
        source::check_apart(self.cache.name(), Some(&options.temp_dir), &options.sources)?;
        let started = Instant::now();
        let (report, interrupted) = super::super::ingest(self.screen, &self.cache, &options)?;
        self.screen.say(&report::summary(&report));
        if interrupted {
            let after = duration(started.elapsed());
            self.screen.say(&format!("interrupted after {after}; what is counted is in the cache"));
        }
        Ok(Flow::Stay)
    }

    pub(super) fn read(&mut self, arguments: &[String]) -> Result<Flow> {
        let path = arguments.first().map(|path| expanded(path)).unwrap_or_default();
        let text = read_sql(&path)?;
        self.last = Some(text.trim().to_owned());
        self.run_sql(&text, Some(&path.display().to_string())).map(|()| Flow::Stay)
    }

    pub(super) fn edit(&mut self, arguments: &[String]) -> Result<Flow> {
        let written = match arguments.first() {
            Some(path) => {
                let path = expanded(path);
                open_in_editor(&path)?;
                read_sql(&path)?
            }
            None => edited(self.last.as_deref().unwrap_or_default())?,
        };
        let text = written.trim();
        if text.is_empty() {
            self.screen.say("nothing was written, so nothing ran");
            return Ok(Flow::Stay);
        }
        self.screen.aside(&visible_lines(text));
        self.last = Some(text.to_owned());
        self.written = Some(text.to_owned());
        self.run_sql(text, None).map(|()| Flow::Stay)
    }

    pub(super) fn set(&mut self, arguments: &[String]) -> Result<Flow> {
        let name = arguments.first().map(|name| name.to_lowercase());
        if let (Some(name), Some(value)) = (&name, arguments.get(1)) {
            let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_');
            if !name.chars().all(is_name) {
                return Err(invalid(".set", name, "expected the name of a setting"));
            }
            let value = value.replace('\'', "''");
            return self.run_sql(&format!("SET {name} = '{value}'"), None).map(|()| Flow::Stay);
        }
        let settings = self.session.settings();
        let begins = name.unwrap_or_default();
        let chosen = settings.iter().filter(|(name, _)| name.starts_with(&begins));
        let line = |(name, value): &(String, Option<String>)| {
            format!("{name} = {}\n", visible(value.as_deref().unwrap_or("NULL")))
        };
        let text: String = chosen.map(line).collect();
        if text.is_empty() {
            return Err(invalid(".set", &begins, "no setting has this name; `.set` shows all"));
        }
        self.show(&text)
    }
}

/// `text` as the user leaves it in an editor.
fn edited(text: &str) -> Result<String> {
    let failed = |source| ErrorKind::Io { action: "edit", path: "<statement>".into(), source };
    let mut file =
        tempfile::Builder::new().prefix("trailhound-").suffix(".sql").tempfile().map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    if !text.is_empty() && !text.ends_with('\n') {
        file.write_all(b"\n").map_err(failed)?;
    }
    file.flush().map_err(failed)?;
    // Editors replace files: what is read is what lies at the path then.
    let path = file.into_temp_path();
    open_in_editor(&path)?;
    read_sql(&path)
}

/// Opens `path` in `$VISUAL` or `$EDITOR`, and waits until the user closes it.
fn open_in_editor(path: &Path) -> Result<()> {
    let told = |name: &str| std::env::var_os(name).filter(|editor| !editor.is_empty());
    let default = if cfg!(windows) { "notepad" } else { "vi" };
    let editor = told("VISUAL").or_else(|| told("EDITOR")).unwrap_or_else(|| default.into());
    let mut command = if cfg!(windows) {
        Command::new(&editor)
    } else {
        // The variable may have options, which the shell parts from each other.
        let mut line = editor.clone();
        line.push(" \"$1\"");
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(line).arg("sh");
        shell
    };
    let name = editor.to_string_lossy();
    let ended = command.arg(path).status().map_err(|source| ErrorKind::Io {
        action: "run the editor",
        path: name.as_ref().into(),
        source,
    })?;
    if !ended.success() {
        let reason = format!("it ended with {ended}, so nothing ran");
        return Err(invalid("the editor", &name, &reason));
    }
    Ok(())
}

//! `declared.json`: the tables and views that SQL declared, kept for later runs.
//!
//! What it says is the engine's; here it is text that changes whole or not at all. Whoever changes
//! it holds a lock meanwhile, which the system releases when its holder dies, so that of two
//! changes at once neither is lost; whoever reads it needs none. In S3, where nothing can be locked,
//! it is exchanged only if nobody else did so meanwhile; else the change is made anew.

use std::{fs::File, io::Write as _};

use super::{
    Cache,
    files::{Files, io_error},
    store,
};
use crate::Result;

/// The file's name.
const NAME: &str = "declared.json";

/// The file whose lock a change holds.
const LOCK: &str = ".declared.lock";

impl Cache {
    /// What SQL declared, as the engine wrote it; nothing where nothing was declared.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn declared(&self) -> Result<Option<String>> {
        self.files.read(NAME)
    }

    /// Puts what `change` makes of the declarations in their place; nothing where they stay. It is
    /// asked again where others change them meanwhile.
    ///
    /// # Errors
    /// `change` fails, or they cannot be read or written.
    pub fn change_declared<T>(
        &self,
        mut change: impl FnMut(Option<&str>) -> Result<(Option<String>, T)>,
    ) -> Result<T> {
        let dir = match &self.files {
            Files::Local(dir) => dir,
            Files::Remote(remote) => return remote.change(NAME, change),
        };
        let path = dir.join(LOCK);
        let failed = |source| io_error("lock", &path, source);
        let lock = File::create(&path).map_err(failed)?;
        lock.lock().map_err(failed)?;
        let (text, outcome) = change(self.declared()?.as_deref())?;
        if let Some(text) = text {
            let path = dir.join(NAME);
            store::write_durably(&path, false, |file| file.write_all(text.as_bytes()))
                .map_err(|source| io_error("write", &path, source))?;
        }
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn of_changes_at_once_none_is_lost() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("cache");
        Cache::create(&dir).unwrap();
        assert_eq!(Cache::open(&dir).unwrap().declared().unwrap(), None);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let cache = Cache::open(&dir).unwrap();
                    for _ in 0..8 {
                        let add = |text: Option<&str>| {
                            Ok((Some(format!("{}x", text.unwrap_or_default())), ()))
                        };
                        cache.change_declared(add).unwrap();
                    }
                });
            }
        });
        let text = Cache::open(&dir).unwrap().declared().unwrap();
        assert_eq!(text.as_deref(), Some("x".repeat(32).as_str()));
    }

    #[test]
    fn a_change_that_fails_or_changes_nothing_leaves_all_as_it_was() {
        let temp = tempfile::tempdir().unwrap();
        let cache = Cache::create(&temp.path().join("cache")).unwrap();
        cache.change_declared(|_| Ok((Some("first".to_owned()), ()))).unwrap();
        cache.change_declared(|_| Ok((None, ()))).unwrap();
        let fail = |_: Option<&str>| -> Result<(Option<String>, ())> {
            Err(ErrorKind::Interrupted.into())
        };
        cache.change_declared(fail).unwrap_err();
        assert_eq!(cache.declared().unwrap().as_deref(), Some("first"));
    }
}

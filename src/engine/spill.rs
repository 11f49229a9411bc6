//! Where statements put what does not fit in memory.
//!
//! Each session has a directory of its own, which goes with it. A process that is killed cannot
//! clean up, and what a large sort leaves is gigabytes: the next session removes the directories
//! that nobody holds any more.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use tempfile::TempDir;

/// How the directories are named, before six random characters.
const PREFIX: &str = "trailhound-spill-";

/// The file in each that is locked as long as its session lives. The system unlocks it when the
/// process ends, however it ends.
const LOCK: &str = "lock";

/// A directory without a lock is being made now, unless it is older.
const MAKING: Duration = Duration::from_hours(1);

/// A directory to spill to, removed when this is dropped.
#[derive(Debug)]
pub(super) struct SpillDir {
    /// Nothing where none could be made: whoever spills is told why.
    held: Option<(TempDir, File)>,
    path: PathBuf,
}

impl SpillDir {
    /// Makes one in `temp_dir`, and removes those there that ended processes have left.
    pub(super) fn make(temp_dir: &Path) -> Self {
        sweep(temp_dir);
        let held = hold(temp_dir).ok();
        let path =
            held.as_ref().map_or_else(|| temp_dir.to_owned(), |(dir, _)| dir.path().to_owned());
        Self { held, path }
    }

    /// Where to spill to.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SpillDir {
    fn drop(&mut self) {
        // Unlocked after the directory is gone.
        if let Some((dir, lock)) = self.held.take() {
            drop(dir);
            drop(lock);
        }
    }
}

fn hold(temp_dir: &Path) -> io::Result<(TempDir, File)> {
    let dir = tempfile::Builder::new().prefix(PREFIX).tempdir_in(temp_dir)?;
    let lock = File::create_new(dir.path().join(LOCK))?;
    lock.try_lock().map_err(io::Error::from)?;
    Ok((dir, lock))
}

/// What cannot be looked at or removed is left: it may be another user's.
fn sweep(temp_dir: &Path) {
    let Ok(entries) = fs::read_dir(temp_dir) else { return };
    for entry in entries.filter_map(Result::ok) {
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        if is_ours && entry.file_type().is_ok_and(|kind| kind.is_dir()) && is_left(&entry.path()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Whether nobody holds `dir`.
fn is_left(dir: &Path) -> bool {
    match File::open(dir.join(LOCK)) {
        Ok(lock) => !matches!(lock.try_lock(), Err(TryLockError::WouldBlock)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let made = fs::metadata(dir).and_then(|metadata| metadata.modified());
            made.is_ok_and(|made| {
                SystemTime::now().duration_since(made).is_ok_and(|age| age > MAKING)
            })
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ended_processes_left_is_removed_and_nothing_else() {
        let temp = tempfile::tempdir().unwrap();
        let path = |name: &str| temp.path().join(name);
        let left = path("trailhound-spill-left");
        fs::create_dir_all(left.join("datafusion-1")).unwrap();
        fs::write(left.join(LOCK), "").unwrap();
        fs::write(left.join("datafusion-1/rows"), "rows").unwrap();
        fs::create_dir(path("trailhound-spill-being-made")).unwrap();
        fs::create_dir(path("datafusion-of-others")).unwrap();
        fs::write(path("trailhound-spill-file"), "").unwrap();
        let living = SpillDir::make(temp.path());
        fs::write(living.path().join("rows"), "rows").unwrap();
        assert!(!left.exists());

        let next = SpillDir::make(temp.path());
        assert!(living.path().join("rows").exists() && next.path() != living.path());
        let (living_path, next_path) = (living.path().to_owned(), next.path().to_owned());
        drop((living, next));
        assert!(!living_path.exists() && !next_path.exists());
        for kept in ["trailhound-spill-being-made", "datafusion-of-others", "trailhound-spill-file"]
        {
            assert!(path(kept).exists(), "{kept}");
        }
    }

    #[test]
    fn without_a_place_the_temporary_directory_is_named() {
        let nowhere = Path::new("/nowhere/at/all");
        assert_eq!(SpillDir::make(nowhere).path(), nowhere);
    }
}

//! Writes the list of the built-in queries: every `queries/THEME/NAME.sql` is one.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    println!("cargo::rerun-if-changed=queries");
    let mut list = String::from("&[\n");
    for theme in sorted(&root.join("queries"))? {
        println!("cargo::rerun-if-changed={}", theme.display());
        for file in sorted(&theme)? {
            let parts = (theme.file_name(), file.file_stem());
            let (Some(theme), Some(name)) = parts else { continue };
            let (theme, name) = (theme.to_string_lossy(), name.to_string_lossy());
            let file = file.to_string_lossy();
            writeln!(list, "    ({theme:?}, {name:?}, include_str!({file:?})),")?;
        }
    }
    list.push_str("]\n");
    Ok(fs::write(Path::new(&env::var("OUT_DIR")?).join("built_in.rs"), list)?)
}

fn sorted(dir: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir)? {
        paths.push(entry?.path());
    }
    paths.sort();
    Ok(paths)
}

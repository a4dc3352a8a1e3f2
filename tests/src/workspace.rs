//! Finds the files of this workspace, for tests that read its sources.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The folder with the root `Cargo.toml`.
#[must_use]
pub fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

/// All Rust files below `dir`, sorted, without build output and hidden folders.
///
/// # Errors
/// A folder cannot be read.
pub fn rust_files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let hidden = name.to_string_lossy().starts_with('.') || name == "target";
            if entry.file_type()?.is_dir() {
                if !hidden {
                    folders.push(entry.path());
                }
            } else if entry.path().extension().is_some_and(|extension| extension == "rs") {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

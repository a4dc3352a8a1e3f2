//! Configuration: what a program may be told, and who wins.
//!
//! Later layers win, key by key: the defaults in the struct, the TOML file, the environment, the command line. A key
//! `http.listen` of the service `gateway` is `VENUS_GATEWAY__HTTP__LISTEN` in the environment. A list there is written
//! as TOML writes it: `["a", "b"]`. An empty variable counts as unset.
//!
//! A struct of settings derives `Deserialize` with `#[serde(default, deny_unknown_fields)]`, so that a misspelt key is
//! an error and not a silent default, and implements [`Validate`]. Its enums are plain or tagged by a member
//! (`#[serde(tag = "…")]`). Spans of time are [`duration`]s, secrets are [`Secret`]s.
//!
//! ```
//! use venus_bins_common::config::{Loader, Problem, Validate};
//!
//! #[derive(serde::Deserialize)]
//! #[serde(default, deny_unknown_fields)]
//! struct Settings {
//!     /// Default 64, at least 1: calls that run at the same time.
//!     max_calls: u32,
//! }
//!
//! impl Default for Settings {
//!     fn default() -> Self {
//!         Self { max_calls: 64 }
//!     }
//! }
//!
//! impl Validate for Settings {
//!     fn validate(&self) -> Vec<Problem> {
//!         Problem::unless(self.max_calls > 0, "max_calls", "must be at least 1").into_iter().collect()
//!     }
//! }
//!
//! let variables = [("VENUS_GATEWAY__MAX_CALLS".into(), "8".into())];
//! let settings: Settings = Loader::new("gateway").environment(variables).load()?;
//! assert_eq!(settings.max_calls, 8);
//! # Ok::<(), venus_bins_common::config::ConfigError>(())
//! ```

pub mod duration;
mod error;
mod layer;
mod secret;
#[cfg(test)]
mod tests;

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use ::config::Value;
use serde::de::DeserializeOwned;

pub use error::{ConfigError, Problem, Validate};
pub use secret::{Secret, SecretError};

/// Longest configuration file that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// Collects the layers of one program's configuration.
#[derive(Debug)]
#[must_use = "a loader does nothing before `load`"]
pub struct Loader {
    prefix: String,
    file: Option<(PathBuf, bool)>,
    variables: Vec<(OsString, OsString)>,
    flags: Vec<(String, String, String)>,
}

impl Loader {
    /// For a service named as in `VENUS_<SERVICE>__…`, in any case: `gateway`.
    pub fn new(service: &str) -> Self {
        let prefix = format!("VENUS_{}__", service.to_ascii_uppercase().replace('-', "_"));
        Self { prefix, file: None, variables: Vec::new(), flags: Vec::new() }
    }

    /// The file that the user named: it must exist.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some((path.into(), true));
        self
    }

    /// The file at the usual place: without it the defaults stand.
    pub fn usual_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some((path.into(), false));
        self
    }

    /// Variables to look through, in a program [`std::env::vars_os`]; those without the service's prefix are passed over.
    pub fn environment(mut self, variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        self.variables.extend(variables);
        self
    }

    /// What an option of the command line says about a key, if it was given.
    pub fn flag(mut self, option: &str, key: &str, value: Option<impl ToString>) -> Self {
        if let Some(value) = value {
            self.flags.push((option.to_owned(), key.to_owned(), value.to_string()));
        }
        self
    }

    /// Reads everything, merges it and checks it.
    ///
    /// # Errors
    /// [`ConfigError`] names the file, variable or option, the key, and what to do. [`ConfigError::Invalid`] holds
    /// everything that [`Validate`] found, not only the first. Loading again helps only after a change.
    pub fn load<T: DeserializeOwned + Validate>(&self) -> Result<T, ConfigError> {
        let merged = self.merged()?;
        let settings: T =
            merged.clone().try_deserialize().map_err(|e| error::locate(&e, &merged, &self.prefix))?;
        let mut problems = settings.validate();
        problems.iter_mut().for_each(|problem| problem.find_origin(&merged));
        if problems.is_empty() { Ok(settings) } else { Err(ConfigError::Invalid(problems)) }
    }

    fn merged(&self) -> Result<Value, ConfigError> {
        let mut merged = layer::empty();
        if let Some((path, required)) = &self.file
            && let Some(text) = read(path, *required)?
        {
            layer::merge(&mut merged, layer::of_file(path, &text)?);
        }
        for (name, value) in &self.variables {
            if let Some(layer) = layer::of_variable(&self.prefix, name, value)? {
                layer::merge(&mut merged, layer);
            }
        }
        for (option, key, value) in &self.flags {
            layer::merge(&mut merged, layer::of_text(&format!("option {option}"), key.rsplit('.'), value));
        }
        Ok(merged)
    }
}

fn read(path: &Path, required: bool) -> Result<Option<String>, ConfigError> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_string(&mut text));
    match read {
        Ok(_) if text.len() as u64 > MAX_FILE => {
            let source = io::Error::other(format!("longer than {MAX_FILE} bytes"));
            Err(ConfigError::Read { path: path.into(), source })
        }
        Ok(_) => Ok(Some(text)),
        Err(e) if e.kind() == io::ErrorKind::NotFound && !required => Ok(None),
        Err(source) => Err(ConfigError::Read { path: path.into(), source }),
    }
}

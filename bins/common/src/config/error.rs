//! What is wrong with a configuration, where, and what to do about it.

use std::{fmt, io, path::PathBuf};

use ::config::Value;

use super::layer;

/// Why a program cannot start with its configuration. Nothing goes away by trying again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {source}: check the path and its permissions", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file is not TOML.
    #[error("{}: not TOML: {reason}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, column and what was expected there.
        reason: String,
    },
    /// An environment variable with the service's prefix names no key, or its value is no text.
    #[error("environment variable {name}: {reason}")]
    Variable {
        /// The variable.
        name: String,
        /// What is wrong, and what to write.
        reason: &'static str,
    },
    /// A key is unknown, missing, or has a value of the wrong kind.
    #[error("{0}")]
    Key(Problem),
    /// Values that do not fit. All of them.
    #[error("{}", Lines(.0))]
    Invalid(Vec<Problem>),
}

/// One key that has to be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Dotted key: `http.listen`.
    pub key: String,
    /// What is wrong and what to do, in words that follow the key.
    pub reason: String,
    /// The file, variable or option that said so; none for a default.
    pub origin: Option<String>,
}

/// Settings that can tell what is wrong with them.
pub trait Validate {
    /// Everything that is wrong. Empty means that a program may start.
    fn validate(&self) -> Vec<Problem>;
}

impl Problem {
    /// A problem with the value of `key`.
    pub fn new(key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { key: key.into(), reason: reason.into(), origin: None }
    }

    /// The problem, unless `good`.
    pub fn unless(good: bool, key: &str, reason: &str) -> Option<Self> {
        (!good).then(|| Self::new(key, reason))
    }

    /// The problem as one of the settings that contain these at `table`.
    #[must_use]
    pub fn within(mut self, table: &str) -> Self {
        self.key = format!("{table}.{}", self.key);
        self
    }

    pub(super) fn find_origin(&mut self, root: &Value) {
        self.origin = layer::origin_of(root, &self.key).map(str::to_owned);
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        write!(f, "{}: {}", self.key, self.reason)
    }
}

struct Lines<'a>(&'a [Problem]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = self.0.iter();
        lines.next().map_or(Ok(()), |first| first.fmt(f))?;
        lines.try_for_each(|problem| write!(f, "\n{problem}"))
    }
}

/// Puts key, origin and advice to what serde found.
pub(super) fn locate(error: &::config::ConfigError, root: &Value, prefix: &str) -> ConfigError {
    use ::config::ConfigError as Found;
    let (key, cause) = match error {
        Found::Type { key, .. } => (key.clone(), error),
        Found::At { key, error, .. } => (key.clone(), &**error),
        _ => (None, error),
    };
    let under = |name: &str| match &key {
        Some(key) => format!("{key}.{name}"),
        None => name.to_owned(),
    };
    let mut problem = match cause {
        Found::NotFound(name) => Problem::new(under(name), missing(&under(name), prefix)),
        Found::Type { expected, .. } => {
            Problem::new(key.unwrap_or_default(), format!("is not {expected}: change it"))
        }
        Found::Message(text) => match unknown(text) {
            Some((name, rest)) => {
                Problem::new(under(name), format!("is unknown{rest}: correct or remove it"))
            }
            None => Problem::new(key.unwrap_or_default(), format!("{}: change it", without_value(text))),
        },
        other => Problem::new(key.unwrap_or_default(), other.to_string()),
    };
    problem.key = dotted(&problem.key);
    problem.find_origin(root);
    ConfigError::Key(problem)
}

/// The crate joins an index and the key behind it without a dot.
fn dotted(key: &str) -> String {
    key.replace(']', "].").replace("]..", "].").replace("].[", "][").trim_end_matches('.').to_owned()
}

/// Serde shows a value that does not fit. It may be a secret that went to the wrong key.
fn without_value(text: &str) -> String {
    let shown = ["invalid type: ", "invalid value: "].iter().any(|start| text.starts_with(start));
    match text.rsplit_once(", expected ").filter(|_| shown) {
        Some((_, expected)) => format!("is not {expected}"),
        None => text.to_owned(),
    }
}

fn missing(key: &str, prefix: &str) -> String {
    if key.contains('[') {
        return "is missing: set it in the file".to_owned();
    }
    let variable = key.replace('.', "__").to_ascii_uppercase();
    format!("is missing: set it in the file or as {prefix}{variable}")
}

/// Serde's text for a key that the struct lacks: its name, and the names that would do.
fn unknown(text: &str) -> Option<(&str, String)> {
    let (name, rest) = text.strip_prefix("unknown field `")?.split_once('`')?;
    let known = rest.strip_prefix(", expected ").map(|names| format!(" (known is {names})"));
    Some((name, known.unwrap_or_default()))
}

//! Configuration files of the Go programs: TOML whose names count in any case, with keys that nobody here knows.
//!
//! A file that they wrote opens, and one for us opens there. Settings of programs that have no Go ancestor are in
//! [`config`](crate::config), which refuses what it does not know.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::{Table, Value};

/// Longest file that is read, bytes.
const MAX_FILE: u64 = 1 << 20;
/// Names inside arrays and below the second level belong to whoever reads them there.
const DEPTH: usize = 2;

/// Why a file says nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// It cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// It is no TOML, or a key has another type. Without the line itself, which may hold a secret.
    #[error("{}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Line or key, and what is wrong there.
        reason: String,
    },
}

/// Reads a file into a structure whose members are in lower case and have defaults; nothing if there is none.
///
/// # Errors
/// [`KeysError`], never with a value in it, which may be a secret.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, KeysError> {
    let failed = |source| KeysError::Io { path: path.into(), source };
    let malformed = |reason| KeysError::Malformed { path: path.into(), reason };
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(failed)?,
    };
    let mut text = String::new();
    file.take(MAX_FILE + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > MAX_FILE {
        return Err(malformed("longer than 1 MiB".into()));
    }
    parse(&text).map(Some).map_err(malformed)
}

/// Reads TOML as [`read`] does.
///
/// # Errors
/// Line or key, and what is wrong there; never the value.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let table: Table = toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map_or(1, |before| before.matches('\n').count().saturating_add(1));
        format!("line {line}: {}", error.message())
    })?;
    let table = fold(Value::Table(table), DEPTH)?;
    table.clone().try_into().map_err(|error: toml::de::Error| blame::<T>(&table, &error))
}

/// Which key it is that cannot be read, and why.
fn blame<T: DeserializeOwned>(table: &Value, error: &toml::de::Error) -> String {
    let bad = |value: Table| Value::Table(value).try_into::<T>().err();
    let alone = |name: &str, value: &Value| Table::from_iter([(name.to_owned(), value.clone())]);
    for (section, value) in table.as_table().into_iter().flatten() {
        for (key, one) in value.as_table().into_iter().flatten() {
            if let Some(error) = bad(alone(section, &Value::Table(alone(key, one)))) {
                return format!("[{section}] {key}: {}", without_value(error.message()));
            }
        }
        if let Some(error) = bad(alone(section, value)) {
            return format!("{section}: {}", without_value(error.message()));
        }
    }
    without_value(error.message())
}

/// `invalid type: string "x", expected u32` without the `"x"`.
fn without_value(message: &str) -> String {
    let Some((what, rest)) = message.split_once(": ") else { return message.to_owned() };
    match rest.rsplit_once(", expected ") {
        Some((found, expected)) if what.starts_with("invalid ") => {
            let kind = found.split([' ', '`', '"']).next().unwrap_or_default();
            format!("{what}: {kind}, expected {expected}")
        }
        _ => message.to_owned(),
    }
}

fn fold(value: Value, depth: usize) -> Result<Value, String> {
    let Value::Table(table) = value else { return Ok(value) };
    if depth == 0 {
        return Ok(Value::Table(table));
    }
    let mut folded = Table::new();
    for (name, value) in table {
        let name = name.to_lowercase();
        if folded.contains_key(&name) {
            return Err(format!("`{name}` stands twice, in different case"));
        }
        folded.insert(name, fold(value, depth - 1)?);
    }
    Ok(Value::Table(folded))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Settings {
        listen: String,
        db: Db,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Db {
        size: u32,
    }

    #[test]
    fn names_in_any_case_and_unknown_ones() {
        let settings: Settings = parse("Listen = \"a\"\nSpare = 1\n[DB]\nSIZE = 7\n[Spare2]\nx = 1").unwrap();
        assert_eq!((settings.listen.as_str(), settings.db.size), ("a", 7));
        assert!(parse::<Settings>("[DB]\nx=1\n[db]\nx=1").unwrap_err().contains("db"));
    }

    #[test]
    fn errors_name_the_line_or_the_key_and_no_value() {
        let error = |text: &str| parse::<Settings>(text).unwrap_err();
        assert!(error("[DB]\n\nSize").starts_with("line 3: "));
        assert_eq!(error("[db]\nsize = \"5EC12E7\""), "[db] size: invalid type: string, expected u32");
        assert!(!error("listen = [\"5EC12E7\"]").contains("5EC12E7"));
        assert!(!error("listen = \"5EC12E7").contains("5EC12E7"));
    }

    #[test]
    fn a_file_or_none() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("config.toml");
        assert!(read::<Settings>(&path).unwrap().is_none());
        std::fs::write(&path, "Listen = 'a'").unwrap();
        assert_eq!(read::<Settings>(&path).unwrap().unwrap().listen, "a");
        std::fs::write(&path, "#".repeat(1 << 21)).unwrap();
        assert!(read::<Settings>(&path).unwrap_err().to_string().contains("1 MiB"));
    }
}

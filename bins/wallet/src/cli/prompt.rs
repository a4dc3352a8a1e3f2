//! Passwords: typed, piped or from a file.

use std::{
    fs,
    io::{self, BufRead, IsTerminal, Write},
    path::Path,
};

use secrecy::SecretString;
use zeroize::Zeroizing;

use super::CliError;

/// Longest password in bytes.
const MAX: usize = 4096;

/// Prints `label` and reads a password. A terminal shows a star for every character; from a pipe one line is read. With
/// `json` the label is no part of the output.
pub(super) fn password(label: &str, json: bool) -> Result<SecretString, CliError> {
    if io::stdin().is_terminal() {
        return typed(label);
    }
    ask(label, json);
    line(&mut io::stdin().lock())
}

/// Whoever cannot read the label needs no error about it.
pub(super) fn ask(label: &str, json: bool) {
    let mut out = io::stdout().lock();
    if !json && write!(out, "{label}").is_ok() {
        let _ = out.flush();
    }
}

/// The first line of a file. One that others may read too is refused.
pub(super) fn from_file(path: &Path) -> Result<SecretString, CliError> {
    let failed = |error: io::Error| CliError(format!("password file {}: {error}", path.display()));
    let file = fs::File::open(path).map_err(failed)?;
    check_mode(path, &file.metadata().map_err(failed)?)?;
    line(&mut io::BufReader::new(file))
        .map_err(|error| CliError(format!("password file {}: {error}", path.display())))
}

#[cfg(unix)]
fn check_mode(path: &Path, metadata: &fs::Metadata) -> Result<(), CliError> {
    use std::os::unix::fs::PermissionsExt;
    // A pipe of a shell (`<(pass wallet)`) is as private as the shell made it.
    if metadata.is_file() && metadata.permissions().mode() & 0o077 != 0 {
        let path = path.display();
        return Err(CliError(format!("password file {path}: others may read it, run `chmod 600 {path}`")));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_mode(_: &Path, _: &fs::Metadata) -> Result<(), CliError> {
    Ok(())
}

/// One line without its end.
pub(crate) fn line(input: &mut impl BufRead) -> Result<SecretString, CliError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX));
    let read = io::Read::take(&mut *input, MAX as u64).read_until(b'\n', &mut bytes);
    if read.map_err(|error| CliError(error.to_string()))? == 0 {
        return Err(CliError("EOF".into()));
    }
    while matches!(bytes.last(), Some(b'\n' | b'\r')) {
        bytes.pop();
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| CliError("the password is no UTF-8".into()))?;
    Ok(text.into())
}

fn typed(label: &str) -> Result<SecretString, CliError> {
    let config = rpassword::ConfigBuilder::new().password_feedback_mask('*').build();
    match rpassword::prompt_password_with_config(label, config) {
        Ok(password) => Ok(password.into()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(CliError("EOF".into())),
        Err(error) => Err(CliError(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_line_without_its_end() {
        let read = |text: &str| line(&mut text.as_bytes()).map(|p| p.expose_secret().to_owned());
        assert_eq!(read("pass word\r\nmore\n").unwrap(), "pass word");
        assert_eq!(read("pass").unwrap(), "pass");
        assert_eq!(read("\n").unwrap(), "");
        assert_eq!(read("").unwrap_err().to_string(), "EOF");
    }
}

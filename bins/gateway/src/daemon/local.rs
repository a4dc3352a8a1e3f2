//! The administrator's token on this machine, and files that others must not read.

use std::path::Path;

use secrecy::{ExposeSecret, SecretSlice, SecretString};
use venus_auth::jwt::{self, Claims};
use venus_core::entropy::{Entropy, OsEntropy};

use crate::cli::CliError;
use crate::config::FILE;

/// Made anew at each start, so that what was copied once is worth nothing after the next.
pub(super) struct Token {
    text: SecretString,
    secret: SecretSlice<u8>,
}

impl Token {
    pub(super) fn new() -> Result<Self, CliError> {
        let mut secret = vec![0; 32];
        OsEntropy.fill(&mut secret).map_err(|error| CliError(error.to_string()))?;
        // As sophon-gateway names it, for programs that look into it.
        let claims = Claims::new("defaultLocalToken", "admin", "");
        let text: SecretString = jwt::encode(&claims, &secret).into();
        Ok(Self { text, secret: secret.into() })
    }

    pub(super) fn text(&self) -> &SecretString {
        &self.text
    }

    /// SHA-256 of it, hex.
    pub(super) fn fingerprint(&self) -> String {
        jwt::fingerprint(self.text.expose_secret())
    }

    /// Whether `token` is it. Compares in constant time.
    pub(super) fn is(&self, token: &str) -> bool {
        jwt::verify(token, self.secret.expose_secret()).is_ok()
    }
}

/// A configuration with a token in it is for its owner alone; sophon-gateway writes it for everybody.
pub(super) fn tighten(repo: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let file = repo.join(FILE);
        let Ok(found) = std::fs::metadata(&file) else { return };
        if found.permissions().mode() & 0o077 == 0 {
            return;
        }
        match std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)) {
            Ok(()) => tracing::warn!(file = %file.display(), "could be read by others, which is over now"),
            Err(error) => tracing::error!(file = %file.display(), %error, "others can read it: chmod 600"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_start_has_its_own() {
        let (one, other) = (Token::new().unwrap(), Token::new().unwrap());
        assert!(one.is(one.text().expose_secret()) && !one.is(other.text().expose_secret()));
        assert!(!one.is("") && !one.is("a.b.c"));
        assert_ne!(one.fingerprint(), other.fingerprint());
    }
}

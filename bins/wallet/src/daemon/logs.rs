//! Log levels that change while the wallet runs.

use venus_bins_common::logging::Reload;
use venus_core::error::ErrorKind;
use venus_signer::server::{LogControl, Said};

/// Parts that have a level of their own.
const SYSTEMS: [&str; 8] = [
    "venus_wallet",
    "venus_signer",
    "venus_signer::audit",
    "venus_signer::gateway",
    "venus_signer::server",
    "venus_signer::slashing",
    "venus_signer::strategy",
    "venus_core",
];

/// The filter of a start: `GOLOG_LOG_LEVEL`, which Go's wallet reads, or `info`. `VENUS_LOG` wins over both.
pub(super) fn default_filter() -> String {
    let go = std::env::var("GOLOG_LOG_LEVEL").ok();
    let level = go.as_deref().map(str::trim).and_then(level);
    level.unwrap_or("info").to_owned()
}

/// What the process logs.
#[derive(Debug)]
pub(super) struct Log(Reload);

impl Log {
    pub(super) fn new(reload: Reload) -> Self {
        Self(reload)
    }
}

impl LogControl for Log {
    fn systems(&self) -> Vec<String> {
        SYSTEMS.map(str::to_owned).to_vec()
    }

    fn set_level(&self, system: &str, wanted: &str) -> Result<(), Said> {
        let Some(level) = level(wanted) else {
            return Err(Said::new(ErrorKind::Invalid, format!("unrecognized level: {wanted:?}")));
        };
        let directive = match system {
            "*" | "" => level.to_owned(),
            // Systems of Go's wallet that we do not have are no error there either.
            _ if !system.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-:".contains(&b)) => return Ok(()),
            _ => format!("{}={level}", system.replace('-', "_")),
        };
        self.0.add(&directive).map_err(|error| Said::new(ErrorKind::Invalid, error.to_string()))?;
        tracing::info!(system, level, "log level changed");
        Ok(())
    }
}

/// Go's levels. Those above `error` end programs there; here they are errors.
fn level(name: &str) -> Option<&'static str> {
    match name.to_ascii_lowercase().as_str() {
        "debug" => Some("debug"),
        "" | "info" => Some("info"),
        "warn" => Some("warn"),
        "error" | "dpanic" | "panic" | "fatal" => Some("error"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_of_go() {
        assert_eq!(["WARN", "fatal", "LOUD"].map(level), [Some("warn"), Some("error"), None]);
    }
}

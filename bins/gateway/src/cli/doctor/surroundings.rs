//! Files and settings.

use std::path::Path;

use secrecy::ExposeSecret;

use super::Findings;
use crate::cli::{Ctx, TOKEN_FILE};
use crate::config::{Config, FILE};

/// The configuration, if there is one that can be used.
pub(super) fn look(ctx: &Ctx, found: &mut Findings) -> Option<Config> {
    let config = match ctx.config() {
        Ok(config) => config,
        Err(error) => {
            found.bad("configuration", error.0);
            return None;
        }
    };
    let usable = config.endpoint().map(drop).and_then(|()| config.hub("").map(drop));
    let usable = usable.and_then(|()| config.targets().map(drop)).and_then(|()| config.metrics().map(drop));
    match usable {
        Ok(()) => found.good("configuration", "can be used"),
        Err(error) => found.bad("configuration", error.to_string()),
    }
    secret_files(ctx, &config, found);
    tls(&config, found);
    Some(config)
}

fn secret_files(ctx: &Ctx, config: &Config, found: &mut Findings) {
    let token = ctx.repo().join(TOKEN_FILE);
    if !token.exists() {
        let text = format!("{} is not there: start `venus-gateway run`", token.display());
        found.bad("token file", text);
    }
    let holds_token = !config.auth.token.expose_secret().is_empty();
    let written = holds_token.then(|| ctx.repo().join(FILE));
    let files = [Some(token), written, Some(config.token_file())];
    for file in files.into_iter().flatten().filter(|file| file.exists()) {
        let text = format!("{} can be read by others: `chmod 600 {0}`", file.display());
        let good = format!("only its owner can read {}", file.display());
        found.note("secret", is_private(&file), good, text);
    }
}

fn is_private(file: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(file).is_ok_and(|found| found.permissions().mode() & 0o077 == 0)
    }
    #[cfg(not(unix))]
    {
        file.exists()
    }
}

fn tls(config: &Config, found: &mut Findings) {
    let files = [&config.tls.cert, &config.tls.key];
    let Ok(endpoint) = config.endpoint() else { return };
    if endpoint.tls.is_none() {
        let local = endpoint.addr.ip().is_loopback();
        let bad = format!("{} is open to other machines without TLS: set [TLS] Cert and Key", endpoint.addr);
        found.note("tls", local || config.allowcleartext, "not needed", bad);
        return;
    }
    for file in files {
        let path = venus_bins_common::files::expand(file);
        match std::fs::File::open(&path) {
            Ok(_) => found.good("tls", format!("{} can be read", path.display())),
            Err(error) => found.bad("tls", format!("{}: {error}: correct [TLS]", path.display())),
        }
    }
}

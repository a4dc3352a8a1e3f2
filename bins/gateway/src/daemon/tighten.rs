//! Files that others must not read.

use std::path::Path;

use crate::config::FILE;

/// A configuration with a token in it is for its owner alone; sophon-gateway writes it for everybody.
pub(super) fn configuration(repo: &Path) {
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

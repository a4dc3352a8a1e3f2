//! How many files and sockets the process may have open.

use std::io;

/// What the system allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenFiles {
    /// Now; `None` for without a limit.
    pub soft: Option<u64>,
    /// How far the process may raise it by itself.
    pub hard: Option<u64>,
}

impl OpenFiles {
    /// Whether so many connections fit, with room for the files of the program itself.
    #[must_use]
    pub fn fits(&self, connections: usize) -> bool {
        /// Databases, logs, listeners, the runtime, connections to other components.
        const OWN: u64 = 128;
        self.soft.is_none_or(|soft| soft >= (connections as u64).saturating_add(OWN))
    }
}

/// The limits as they are.
#[must_use]
pub fn open_files() -> OpenFiles {
    #[cfg(unix)]
    {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        OpenFiles { soft: limit.current, hard: limit.maximum }
    }
    #[cfg(not(unix))]
    OpenFiles { soft: None, hard: None }
}

/// Raises the limit as far as the process may. Shells start with a low one for the sake of programs that `select`.
///
/// # Errors
/// The operating system refuses; the limit is as it was.
pub fn raise_open_files() -> io::Result<OpenFiles> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let limit = open_files();
        setrlimit(Resource::Nofile, Rlimit { current: limit.hard, maximum: limit.hard })?;
    }
    Ok(open_files())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raised_to_the_hard_limit() {
        let raised = raise_open_files().unwrap();
        assert_eq!(raised.soft, raised.hard);
        assert!(OpenFiles { soft: None, hard: None }.fits(1 << 20));
        assert!(!OpenFiles { soft: Some(1024), hard: None }.fits(1000));
    }
}

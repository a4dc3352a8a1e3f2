//! Where a program's log goes: stderr, as text or as one JSON object a line.
//!
//! Standard output belongs to the program's answers, so that `--json` output can be piped.
//!
//! What is logged at which level, and the names of fields, are conventions that the crate's page lists.

use std::{io, str::FromStr};

use tracing_subscriber::{EnvFilter, fmt, util::SubscriberInitExt};

use crate::progress::Progress;

/// The environment variable with the filter, in `tracing`'s syntax: `info`, `warn,venus_messager=debug`.
pub const FILTER_VARIABLE: &str = "VENUS_LOG";

/// Shape of a log line. Parses from `text` and `json`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// One line for people.
    #[default]
    Text,
    /// One JSON object for a log collector.
    Json,
}

/// Why logging did not start. None of them goes away by trying again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoggingError {
    /// The filter cannot be read.
    #[error(
        "{origin} is not a log filter: {reason} (write for example `info` or `warn,venus_messager=debug`)"
    )]
    Filter {
        /// Where the filter came from: the name of the variable, or "the default".
        origin: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The format is neither `text` nor `json`.
    #[error("log format `{0}` is unknown (use `text` or `json`)")]
    Format(String),
    /// A subscriber is already installed in this process.
    #[error("logging is already set up in this process")]
    AlreadySet,
}

impl FromStr for Format {
    type Err = LoggingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            other => Err(LoggingError::Format(other.to_owned())),
        }
    }
}

/// Sends this process's log to stderr, above the bars of `progress` where it draws any.
///
/// `default_filter` counts where [`FILTER_VARIABLE`] is unset or empty. Call once, before anything logs.
///
/// # Errors
/// [`LoggingError::Filter`] names the source of a bad filter; [`LoggingError::AlreadySet`] on a second call.
pub fn init(format: Format, default_filter: &str, progress: &Progress) -> Result<(), LoggingError> {
    let filter = filter(std::env::var(FILTER_VARIABLE).ok().as_deref(), default_filter)?;
    let color = progress.is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let builder = fmt().with_env_filter(filter).with_writer(progress.clone()).with_ansi(color);
    let started = match format {
        Format::Text => builder.finish().try_init(),
        Format::Json => builder.with_ansi(false).json().finish().try_init(),
    };
    started.map_err(|_| LoggingError::AlreadySet)
}

fn filter(variable: Option<&str>, default_filter: &str) -> Result<EnvFilter, LoggingError> {
    let (origin, text) = match variable {
        Some(text) if !text.trim().is_empty() => (FILTER_VARIABLE, text),
        _ => ("the default", default_filter),
    };
    EnvFilter::try_new(text).map_err(|error| LoggingError::Filter { origin, reason: error.to_string() })
}

/// A log line is one write; the lock that keeps it apart from the bars is [`Progress`]'s.
#[derive(Debug)]
pub struct LogWriter(Progress);

impl io::Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_raw(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::MakeWriter<'_> for Progress {
    type Writer = LogWriter;

    fn make_writer(&self) -> Self::Writer {
        LogWriter(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Sink;

    #[test]
    fn the_variable_wins_over_the_default() {
        assert_eq!(filter(Some("debug"), "warn").unwrap().to_string(), "debug");
        assert_eq!(filter(Some("  "), "warn").unwrap().to_string(), "warn");
        assert_eq!(filter(None, "warn").unwrap().to_string(), "warn");
    }

    #[test]
    fn a_bad_filter_names_where_it_came_from() {
        let error = filter(Some("venus=loud"), "warn").unwrap_err();
        assert!(error.to_string().starts_with("VENUS_LOG is not a log filter"), "{error}");
    }

    #[test]
    fn formats_parse() {
        assert_eq!("text".parse::<Format>().unwrap(), Format::Text);
        assert_eq!("json".parse::<Format>().unwrap(), Format::Json);
        assert!("xml".parse::<Format>().unwrap_err().to_string().contains("`xml`"));
    }

    #[test]
    fn json_lines_go_to_the_sink() {
        let sink = Sink::default();
        let progress = Progress::lines(sink.clone());
        let subscriber = fmt().json().with_writer(progress).finish();
        tracing::subscriber::with_default(subscriber, || tracing::info!(landed = 3, "head"));
        let text = sink.text();
        assert!(text.starts_with('{') && text.contains(r#""landed":3"#), "{text}");
    }
}

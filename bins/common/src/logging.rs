//! Where a program's log goes: stderr, as text or as one JSON object a line.
//!
//! Standard output belongs to the program's answers, so that `--json` output can be piped.
//!
//! What is logged at which level, and the names of fields, are conventions that the crate's page lists.

use std::{
    io,
    str::FromStr,
    sync::{Mutex, PoisonError},
};

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
    init_reloadable(format, default_filter, progress).map(|_| ())
}

/// As [`init`], with a handle by which the filter is changed while the program runs.
///
/// # Errors
/// As [`init`].
pub fn init_reloadable(
    format: Format,
    default_filter: &str,
    progress: &Progress,
) -> Result<Reload, LoggingError> {
    let filter = filter(std::env::var(FILTER_VARIABLE).ok().as_deref(), default_filter)?;
    let color = progress.is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let text = filter.to_string();
    let builder = fmt().with_env_filter(filter).with_writer(progress.clone()).with_ansi(color);
    let (started, apply): (_, Apply) = match format {
        Format::Text => {
            let builder = builder.with_filter_reloading();
            let handle = builder.reload_handle();
            (builder.finish().try_init(), Box::new(move |filter| handle.reload(filter).is_ok()))
        }
        Format::Json => {
            let builder = builder.with_ansi(false).json().with_filter_reloading();
            let handle = builder.reload_handle();
            (builder.finish().try_init(), Box::new(move |filter| handle.reload(filter).is_ok()))
        }
    };
    started.map_err(|_| LoggingError::AlreadySet)?;
    Ok(Reload { apply, filter: Mutex::new(text) })
}

/// Parts that can have a level of their own while a program runs.
const MAX_DIRECTIVES: usize = 64;

type Apply = Box<dyn Fn(EnvFilter) -> bool + Send + Sync>;

/// Changes what a running program logs.
pub struct Reload {
    apply: Apply,
    filter: Mutex<String>,
}

impl std::fmt::Debug for Reload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reload").field("filter", &self.filter).finish()
    }
}

impl Reload {
    /// Adds a directive as `debug` or `venus_messager=debug`; it wins over earlier ones for the same target.
    ///
    /// # Errors
    /// [`LoggingError::Filter`]; nothing changed then.
    pub fn add(&self, directive: &str) -> Result<(), LoggingError> {
        let mut current = self.filter.lock().unwrap_or_else(PoisonError::into_inner);
        let target = directive.split_once('=').map(|(target, _)| target);
        let same = |old: &&str| old.split_once('=').map(|(target, _)| target) != target;
        let kept: Vec<&str> = current.split(',').filter(same).chain([directive]).collect();
        // Whoever may set levels may not fill the memory with names of parts that nobody has.
        if kept.len() > MAX_DIRECTIVES {
            let reason = format!("more than {MAX_DIRECTIVES} parts have a level of their own");
            return Err(LoggingError::Filter { origin: "the request", reason });
        }
        let next = kept.join(",");
        let origin = "the request";
        let wrong = |reason: String| LoggingError::Filter { origin, reason };
        let filter = parsed(&next).map_err(wrong)?;
        if !(self.apply)(filter) {
            return Err(wrong("logging has ended".into()));
        }
        *current = next;
        Ok(())
    }
}

fn filter(variable: Option<&str>, default_filter: &str) -> Result<EnvFilter, LoggingError> {
    let (origin, text) = match variable {
        Some(text) if !text.trim().is_empty() => (FILTER_VARIABLE, text),
        _ => ("the default", default_filter),
    };
    parsed(text).map_err(|reason| LoggingError::Filter { origin, reason })
}

/// Libraries whose log nobody may read at any level: the RPC library quotes wrong parameters, which may be passwords;
/// those of WebSockets and HTTP/2 write whole frames and headers, with tokens, challenges and signatures in them. What
/// matters of it comes back as errors.
const QUIET: [&str; 4] = ["jsonrpsee_core::proc_macros_support", "tungstenite", "tokio_tungstenite", "h2"];

fn parsed(text: &str) -> Result<EnvFilter, String> {
    // The whole text first, so that a mistake is told also where it would not count.
    EnvFilter::try_new(text).map_err(|error| error.to_string())?;
    // The more exact directive wins: one for a part of a quiet library would undo ours.
    let heard: Vec<&str> =
        text.split(',').map(str::trim).filter(|directive| !is_of_quiet(directive)).collect();
    let mut filter = EnvFilter::try_new(heard.join(",")).map_err(|error| error.to_string())?;
    for library in QUIET {
        let directive = format!("{library}=off");
        filter = filter.add_directive(directive.parse().map_err(|error| format!("{directive}: {error}"))?);
    }
    Ok(filter)
}

fn is_of_quiet(directive: &str) -> bool {
    let target = directive.split(['=', '[']).next().unwrap_or_default();
    let is_part = |rest: &str| rest.is_empty() || rest.starts_with("::");
    QUIET.iter().any(|library| target.strip_prefix(library).is_some_and(is_part))
}

/// A log line is one write; the lock that keeps it apart from the bars is [`Progress`]'s.
#[derive(Debug)]
pub struct LogWriter(Progress);

impl io::Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A line that a full disk or a closed pipe does not take is lost. Told of it, the subscriber would complain on
        // stderr, where the complaint fails too and panics: in whatever was logging.
        let _ = self.0.write_raw(bytes);
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
        let chosen = |variable| filter(variable, "warn").unwrap().max_level_hint().unwrap().to_string();
        assert_eq!(chosen(Some("debug")), "debug");
        assert_eq!(chosen(Some("  ")), "warn");
        assert_eq!(chosen(None), "warn");
    }

    #[test]
    fn what_quotes_secrets_is_logged_at_no_level() {
        for text in [
            "trace",
            "jsonrpsee_core::proc_macros_support=trace,trace",
            "jsonrpsee_core=trace,tungstenite=trace",
            "tungstenite::handshake::client=trace, trace,tungstenite[{x}]=trace,h2::codec=trace",
        ] {
            let sink = Sink::default();
            let builder = fmt().with_env_filter(parsed(text).unwrap());
            let subscriber = builder.with_writer(Progress::lines(sink.clone())).finish();
            tracing::subscriber::with_default(subscriber, || {
                tracing::error!(target: "jsonrpsee_core::proc_macros_support", "invalid type: integer `123456`");
                tracing::debug!(target: "tungstenite::protocol", "123456");
                tracing::trace!(target: "tungstenite::handshake::client", "Bearer 123456");
                tracing::debug!(target: "h2::codec::framed_read", "123456");
                tracing::error!(target: "jsonrpsee_core::server", "shown");
            });
            let logged = sink.text();
            assert!(logged.contains("shown") && !logged.contains("123456"), "{text}: {logged}");
        }
    }

    #[test]
    fn a_bad_filter_names_where_it_came_from() {
        let error = filter(Some("venus=loud"), "warn").unwrap_err();
        assert!(error.to_string().starts_with("VENUS_LOG is not a log filter"), "{error}");
    }

    #[test]
    fn directives_replace_those_of_their_target() {
        let reload = Reload { apply: Box::new(|_| true), filter: Mutex::new("info,a=warn".into()) };
        reload.add("a=debug").unwrap();
        assert_eq!(*reload.filter.lock().unwrap(), "info,a=debug");
        reload.add("error").unwrap();
        assert_eq!(*reload.filter.lock().unwrap(), "a=debug,error");
        assert!(reload.add("a=loud").is_err());
        assert_eq!(*reload.filter.lock().unwrap(), "a=debug,error");
        let refused = (0..MAX_DIRECTIVES).filter(|n| reload.add(&format!("p{n}=warn")).is_err());
        assert_eq!(refused.count(), 2);
    }

    #[test]
    fn formats_parse() {
        assert_eq!("text".parse::<Format>().unwrap(), Format::Text);
        assert_eq!("json".parse::<Format>().unwrap(), Format::Json);
        assert!("xml".parse::<Format>().unwrap_err().to_string().contains("`xml`"));
    }

    #[test]
    fn a_log_that_takes_nothing_is_no_error() {
        struct Full;
        impl io::Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut writer = LogWriter(Progress::lines(Full));
        assert_eq!(io::Write::write(&mut writer, b"line").unwrap(), 4);
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

//! Progress for people: bars where stderr is a terminal, otherwise a few plain lines.
//!
//! A file or a CI log wants lines, but not one for every message: a plain bar prints when another tenth of the way is
//! done, when a second has passed since its last line, and when it is finished.

use std::{
    fmt,
    io::{self, IsTerminal, Write},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Time after which a plain bar may print although no tenth was completed.
const LINE_INTERVAL: Duration = Duration::from_secs(1);

/// Where progress goes. Cheap to clone; all clones share the screen.
#[derive(Clone)]
pub struct Progress(Arc<Output>);

enum Output {
    Bars(MultiProgress),
    Lines(Mutex<Box<dyn Write + Send>>),
    Silent,
}

impl Progress {
    /// Bars if stderr is a terminal that can draw them, otherwise plain lines on stderr.
    #[must_use]
    pub fn stderr() -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if io::stderr().is_terminal() && !dumb {
            Self(Arc::new(Output::Bars(MultiProgress::new())))
        } else {
            Self::lines(io::stderr())
        }
    }

    /// Plain lines into `sink`.
    #[must_use]
    pub fn lines(sink: impl Write + Send + 'static) -> Self {
        Self(Arc::new(Output::Lines(Mutex::new(Box::new(sink)))))
    }

    /// No progress at all; log lines still reach stderr.
    #[must_use]
    pub fn silent() -> Self {
        Self(Arc::new(Output::Silent))
    }

    /// Whether bars are drawn on a terminal.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        matches!(*self.0, Output::Bars(_))
    }

    /// Starts a bar at 0 of `total` steps. A `total` of 0 means "unknown": only the count is shown.
    #[must_use]
    pub fn bar(&self, label: impl Into<String>, total: u64) -> Bar {
        let label = label.into();
        let drawn = match &*self.0 {
            Output::Bars(screen) => Some(screen.add(drawn_bar(label.clone(), total))),
            Output::Lines(_) | Output::Silent => None,
        };
        let cadence = Mutex::new(Cadence::new(Instant::now(), total));
        Bar { progress: self.clone(), label, total, position: AtomicU64::new(0), drawn, cadence }
    }

    /// Prints a line above the bars. Silent progress swallows it.
    pub fn note(&self, line: &str) {
        if !matches!(*self.0, Output::Silent) {
            // Progress is a courtesy: a closed stderr must not end the work.
            let _ = self.write_raw(format!("{line}\n").as_bytes());
        }
    }

    /// Writes bytes without disturbing the bars; what the log uses.
    pub(crate) fn write_raw(&self, bytes: &[u8]) -> io::Result<()> {
        match &*self.0 {
            Output::Bars(screen) => screen.suspend(|| io::stderr().write_all(bytes)),
            Output::Lines(sink) => sink.lock().unwrap_or_else(PoisonError::into_inner).write_all(bytes),
            Output::Silent => io::stderr().write_all(bytes),
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &*self.0 {
            Output::Bars(_) => "Progress(bars)",
            Output::Lines(_) => "Progress(lines)",
            Output::Silent => "Progress(silent)",
        })
    }
}

fn drawn_bar(label: String, total: u64) -> ProgressBar {
    let template = if total == 0 { "{msg:>20} {spinner} {pos}" } else { "{msg:>20} [{bar:32}] {pos}/{len}" };
    let bar = if total == 0 { ProgressBar::no_length() } else { ProgressBar::new(total) };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style).with_message(label)
}

/// One running count. Safe to move from several threads; the position is the last one set.
#[derive(Debug)]
pub struct Bar {
    progress: Progress,
    label: String,
    total: u64,
    position: AtomicU64,
    drawn: Option<ProgressBar>,
    cadence: Mutex<Cadence>,
}

impl Bar {
    /// Sets the position. It may go back, as a count does after a chain reorganisation.
    pub fn set(&self, position: u64) {
        self.position.store(position, Ordering::Relaxed);
        self.show(position);
    }

    /// Moves the position forward.
    pub fn inc(&self, by: u64) {
        let before = self.position.fetch_add(by, Ordering::Relaxed);
        self.show(before.saturating_add(by));
    }

    /// The position last set.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position.load(Ordering::Relaxed)
    }

    /// Ends the bar where it stands; a plain bar prints its last line unless that line is already there.
    pub fn finish(&self) {
        let position = self.position();
        match &self.drawn {
            Some(bar) => bar.abandon(),
            None if self.cadence().is_news(position) => self.print(position),
            None => {}
        }
    }

    fn show(&self, position: u64) {
        match &self.drawn {
            Some(bar) => bar.set_position(position),
            None if self.cadence().is_due(Instant::now(), position) => self.print(position),
            None => {}
        }
    }

    fn cadence(&self) -> std::sync::MutexGuard<'_, Cadence> {
        self.cadence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn print(&self, position: u64) {
        match self.total {
            0 => self.progress.note(&format!("{}: {position}", self.label)),
            total => self.progress.note(&format!("{}: {position}/{total}", self.label)),
        }
    }
}

/// Decides which positions of a plain bar are worth a line.
#[derive(Debug)]
struct Cadence {
    total: u64,
    last_line: Instant,
    last_position: Option<u64>,
    tenths: u64,
}

impl Cadence {
    fn new(now: Instant, total: u64) -> Self {
        Self { total, last_line: now, last_position: None, tenths: 0 }
    }

    /// Whether to print now; remembers the line if so.
    fn is_due(&mut self, now: Instant, position: u64) -> bool {
        // Widened: a count near u64::MAX must not wrap.
        let reached = u128::from(position) * 10 / u128::from(self.total.max(1));
        let reached = u64::try_from(reached).unwrap_or(u64::MAX);
        let tenth = self.total > 0 && reached > self.tenths;
        let waited =
            now.duration_since(self.last_line) >= LINE_INTERVAL && self.last_position != Some(position);
        if tenth || waited {
            // Only forwards: a count that swings around a boundary must not print at every swing.
            self.tenths = self.tenths.max(reached);
            self.last_line = now;
            self.last_position = Some(position);
        }
        tenth || waited
    }

    /// Whether the final position was not printed yet; remembers it.
    fn is_news(&mut self, position: u64) -> bool {
        self.last_position.replace(position) != Some(position)
    }
}

/// A shared buffer that tests read back.
#[cfg(test)]
#[derive(Clone, Debug, Default)]
pub(crate) struct Sink(Arc<Mutex<Vec<u8>>>);

#[cfg(test)]
impl Sink {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[cfg(test)]
impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_count_prints_every_tenth() {
        let start = Instant::now();
        let mut cadence = Cadence::new(start, 100);
        let printed: Vec<u64> = (1..=100).filter(|n| cadence.is_due(start, *n)).collect();
        assert_eq!(printed, [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
        assert!(!cadence.is_news(100));
    }

    #[test]
    fn a_slow_count_prints_once_a_second_and_only_news() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut cadence = Cadence::new(start, 1000);
        assert!(!cadence.is_due(at(999), 1));
        assert!(cadence.is_due(at(1000), 1));
        assert!(!cadence.is_due(at(1500), 2));
        assert!(cadence.is_due(at(2000), 2));
        assert!(!cadence.is_due(at(9000), 2), "nothing moved");
    }

    #[test]
    fn a_count_around_a_boundary_prints_it_once() {
        let start = Instant::now();
        let mut cadence = Cadence::new(start, 10);
        assert!(cadence.is_due(start, 5));
        assert!(!cadence.is_due(start, 4));
        assert!(!cadence.is_due(start, 5));
        assert!(cadence.is_due(start, u64::MAX));
    }

    #[test]
    fn an_unknown_total_prints_by_time_only() {
        let start = Instant::now();
        let mut cadence = Cadence::new(start, 0);
        assert!(!cadence.is_due(start, 1_000_000));
        assert!(cadence.is_due(start + LINE_INTERVAL, 1_000_001));
    }

    #[test]
    fn lines_name_the_bar() {
        let sink = Sink::default();
        let progress = Progress::lines(sink.clone());
        let bar = progress.bar("messages landed", 4);
        bar.inc(3);
        progress.note("one reorg");
        bar.set(4);
        bar.finish();
        assert_eq!(sink.text(), "messages landed: 3/4\none reorg\nmessages landed: 4/4\n");
    }

    #[test]
    fn a_bar_stopped_early_says_where() {
        let sink = Sink::default();
        let bar = Progress::lines(sink.clone()).bar("epochs", 100);
        bar.set(7);
        bar.finish();
        bar.finish();
        assert_eq!(sink.text(), "epochs: 7/100\n");
    }
}

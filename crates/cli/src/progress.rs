//! Progress of a run: a bar on a terminal, a few lines otherwise.

mod bar;

use std::io::{self, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::args::Verbosity;
use bar::Bar;

/// Percent between two lines: a run prints twenty lines.
const PERCENT_PER_LINE: usize = 5;

/// Shows the number of rendered detector rows; any thread may update it.
#[derive(Debug)]
pub struct Progress(Show);

#[derive(Debug)]
enum Show {
    Nothing,
    Bar(Bar),
    Lines(Lines),
}

impl Progress {
    /// A bar on a terminal, lines on standard output otherwise.
    ///
    /// `wanted` is `-progress` or `-noprogress`; without these flags, nothing is shown with `-quiet`.
    pub fn new(wanted: Option<bool>, verbosity: Verbosity) -> Self {
        if !wanted.unwrap_or(verbosity > Verbosity::Quiet) {
            return Self(Show::Nothing);
        }
        match Bar::new() {
            Some(bar) => Self(Show::Bar(bar)),
            None => Self(Show::Lines(Lines::new(Box::new(io::stdout())))),
        }
    }

    /// The same, with the number of images of a series.
    pub fn of_images(wanted: Option<bool>, verbosity: Verbosity) -> Self {
        let progress = Self::new(wanted, verbosity);
        if let Show::Bar(bar) = &progress.0 {
            bar.count_images();
        }
        progress
    }

    /// Prints without the bar in the way.
    pub fn aside(&self, print: impl FnOnce()) {
        match &self.0 {
            Show::Bar(bar) => bar.suspend(print),
            Show::Nothing | Show::Lines(_) => print(),
        }
    }

    /// Reports that `done_rows` of `total_rows` are rendered.
    ///
    /// Calls may come in any order: the shown progress never decreases.
    pub fn update(&self, done_rows: usize, total_rows: usize) {
        match &self.0 {
            Show::Nothing => {}
            Show::Bar(bar) => bar.update(done_rows as u64, total_rows as u64),
            Show::Lines(lines) => lines.update(done_rows, total_rows),
        }
    }

    /// Clears the bar, so that the following text starts on a clean line.
    pub fn finish(&self) {
        if let Show::Bar(bar) = &self.0 {
            bar.clear();
        }
    }
}

/// Lines such as `10% done`, one for every five percent.
struct Lines {
    /// The percent of the last line divided by [`PERCENT_PER_LINE`].
    shown: AtomicUsize,
    out: Mutex<Box<dyn Write + Send>>,
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lines")
            .field("shown", &self.shown)
            .finish_non_exhaustive()
    }
}

impl Lines {
    fn new(out: Box<dyn Write + Send>) -> Self {
        Self {
            shown: AtomicUsize::new(0),
            out: Mutex::new(out),
        }
    }

    fn update(&self, done_rows: usize, total_rows: usize) {
        if total_rows == 0 {
            return;
        }
        let percent = done_rows.min(total_rows).saturating_mul(100) / total_rows;
        let line = percent / PERCENT_PER_LINE;
        if line <= self.shown.load(Ordering::Relaxed) {
            return;
        }
        // A writer that panicked in another thread cannot leave a broken state here.
        let mut out = self
            .out
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        if self.shown.fetch_max(line, Ordering::Relaxed) < line {
            // A closed output does not stop the rendering.
            let _ = writeln!(out, "{}% done", line * PERCENT_PER_LINE).and_then(|()| out.flush());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Page {
        fn lines(&self) -> Vec<String> {
            let bytes = self.0.lock().unwrap().clone();
            String::from_utf8(bytes)
                .unwrap()
                .lines()
                .map(str::to_owned)
                .collect()
        }
    }

    #[test]
    fn a_long_run_prints_twenty_lines() {
        let page = Page::default();
        let lines = Lines::new(Box::new(page.clone()));
        for row in 0..=5000 {
            lines.update(row, 5000);
        }
        let printed = page.lines();
        assert_eq!(printed.len(), 20);
        assert_eq!(printed[0], "5% done");
        assert_eq!(printed[19], "100% done");
    }

    #[test]
    fn many_threads_never_print_a_line_twice_or_backwards() {
        let page = Page::default();
        let lines = Lines::new(Box::new(page.clone()));
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while let row @ ..1000 = next.fetch_add(1, Ordering::Relaxed) {
                        lines.update(row + 1, 1000);
                    }
                });
            }
        });
        let percent: Vec<usize> = page
            .lines()
            .iter()
            .map(|line| line.trim_end_matches("% done").parse().unwrap())
            .collect();
        assert!(percent.is_sorted_by(|a, b| a < b));
        assert_eq!(percent.last(), Some(&100));
    }

    #[test]
    fn an_image_without_rows_prints_nothing() {
        let page = Page::default();
        Lines::new(Box::new(page.clone())).update(0, 0);
        assert!(page.lines().is_empty());
    }

    #[test]
    fn noprogress_beats_the_rest() {
        assert!(matches!(
            Progress::new(Some(false), Verbosity::Verbose).0,
            Show::Nothing
        ));
        assert!(matches!(
            Progress::new(None, Verbosity::Quiet).0,
            Show::Nothing
        ));
    }
}

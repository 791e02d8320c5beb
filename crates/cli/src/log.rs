//! Messages on standard error: one line each, `warning: ...`, without colours and time.

use std::fmt;
use std::io;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, MakeWriter};
use tracing_subscriber::registry::LookupSpan;

use crate::args::Verbosity;

/// Sends all following messages of the program to standard error.
///
/// Does nothing if a subscriber is already set: the first caller decides.
pub fn init(verbosity: Verbosity) {
    let _ = tracing::subscriber::set_global_default(subscriber(verbosity, io::stderr));
}

/// A subscriber that writes one plain line per message to `writer`.
pub fn subscriber<W>(verbosity: Verbosity, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    tracing_subscriber::fmt()
        .with_writer(writer)
        .with_ansi(false)
        // The subscriber would report a failed write on standard error, which is closed, and panic.
        .log_internal_errors(false)
        .with_max_level(most_detailed(verbosity))
        .event_format(PlainLines)
        .finish()
}

/// The most detailed level that is shown.
fn most_detailed(verbosity: Verbosity) -> Level {
    match verbosity {
        Verbosity::Silent => Level::ERROR,
        Verbosity::Quiet => Level::WARN,
        Verbosity::Normal => Level::INFO,
        Verbosity::Verbose => Level::DEBUG,
    }
}

/// `warning: message`; information has no prefix.
struct PlainLines;

impl<S, N> FormatEvent<S, N> for PlainLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        writer.write_str(match *event.metadata().level() {
            Level::ERROR => "error: ",
            Level::WARN => "warning: ",
            Level::INFO => "",
            Level::DEBUG | Level::TRACE => "debug: ",
        })?;
        context.format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn what_is_shown(verbosity: Verbosity) -> String {
        let page = Page::default();
        let pen = page.clone();
        tracing::subscriber::with_default(subscriber(verbosity, move || pen.clone()), || {
            tracing::debug!("three rings");
            tracing::info!("two rings");
            tracing::warn!(path = "A.mat", "one ring");
        });
        let bytes = page.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn warnings_are_plain_lines() {
        assert_eq!(
            what_is_shown(Verbosity::Normal),
            "two rings\nwarning: one ring path=\"A.mat\"\n"
        );
    }

    #[test]
    fn silent_hides_warnings_and_verbose_shows_all() {
        assert_eq!(what_is_shown(Verbosity::Silent), "");
        assert_eq!(
            what_is_shown(Verbosity::Quiet),
            "warning: one ring path=\"A.mat\"\n"
        );
        assert!(what_is_shown(Verbosity::Verbose).starts_with("debug: three rings\n"));
    }
}

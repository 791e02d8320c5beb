//! Threads. The only file that knows of them.
//!
//! Work is handed out in items (rows, mostly), and results come back in the order of the items. An item
//! is worked on by one thread and nothing is shared but tables that are only read. So the number of
//! threads changes no bit.
//!
//! Without the feature `parallel` everything is worked on one after the other.

use crate::error::Error;
use crate::progress::Cancel;
use crate::render::RunOptions;

#[cfg(feature = "parallel")]
use rayon::prelude::*;

/// Results that [`in_order`] lets wait: enough to keep many threads busy.
const AT_A_TIME: usize = 256;

/// Runs `work` on the threads that `options` asks for: all that it hands out runs there.
///
/// # Errors
/// Those of `work`, and [`Error::Threads`].
#[cfg(feature = "parallel")]
pub(crate) fn on_threads<R: Send>(
    options: &RunOptions<'_>,
    work: impl FnOnce() -> Result<R, Error> + Send,
) -> Result<R, Error> {
    let threads = options.threads;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|source| Error::Threads {
        threads,
        source: Box::new(source),
    })?;
    pool.install(work)
}

/// Runs `work` on this thread, the only one without the feature `parallel`.
#[cfg(not(feature = "parallel"))]
pub(crate) fn on_threads<R: Send>(
    _: &RunOptions<'_>,
    work: impl FnOnce() -> Result<R, Error> + Send,
) -> Result<R, Error> {
    work()
}

/// Does `work` for each of `items`, and returns the results in their order. A thread takes at most
/// `at_a_time` items together: few, so that all threads end at about the same time.
pub(crate) fn map<I: Send, T: Send>(
    items: impl IntoIterator<Item = I>,
    at_a_time: usize,
    work: impl Fn(I) -> T + Sync + Send,
) -> Vec<T> {
    #[cfg(feature = "parallel")]
    {
        let items: Vec<I> = items.into_iter().collect();
        let items = items.into_par_iter().with_max_len(at_a_time.max(1));
        items.map(work).collect()
    }
    #[cfg(not(feature = "parallel"))]
    {
        let _ = at_a_time;
        items.into_iter().map(work).collect()
    }
}

/// Does `work` for each of `items` on the threads that `options` asks for, and hands the results to
/// `take` in the order of the items. Only few results wait at a time.
///
/// # Errors
/// When the run is cancelled, or there are no threads for it.
pub(crate) fn in_order<I: Sync, T: Send>(
    options: &RunOptions<'_>,
    items: &[I],
    work: impl Fn(&I) -> T + Sync + Send,
    mut take: impl FnMut(T) + Send,
) -> Result<(), Error> {
    on_threads(options, || {
        for some in items.chunks(AT_A_TIME) {
            let done = map(some, AT_A_TIME, &work);
            stop_if_cancelled(options)?;
            done.into_iter().for_each(&mut take);
        }
        Ok(())
    })
}

/// # Errors
/// [`Error::Cancelled`] if the run was asked to stop.
pub(crate) fn stop_if_cancelled(options: &RunOptions<'_>) -> Result<(), Error> {
    match options.cancel {
        Some(cancel) if Cancel::is_raised(cancel) => Err(Error::Cancelled),
        _ => Ok(()),
    }
}

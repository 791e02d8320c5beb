//! Threads. No other file of this crate uses threads.
//!
//! Work is divided into items (usually rows), and results are returned in the order of the items. One
//! thread computes an item, and threads share only tables that nobody writes. The number of threads
//! therefore changes no bit.
//!
//! Without the feature `parallel` the items are computed one after the other.

use crate::error::Error;
use crate::progress::Cancel;
use crate::render::RunOptions;

#[cfg(feature = "parallel")]
use rayon::prelude::*;

/// The number of results that [`in_order`] keeps in memory: enough to keep many threads busy.
const AT_A_TIME: usize = 256;

/// Runs `work`, and everything that `work` starts, on the threads that `options` asks for.
///
/// # Errors
/// The errors of `work`, and [`Error::Threads`].
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

/// Calls `work` for each of `items` and returns the results in the order of the items. A thread takes
/// at most `at_a_time` items together. A small number lets all threads end at about the same time.
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

/// Calls `work` for each of `items` on the threads that `options` asks for, and passes the results to
/// `take` in the order of the items. At most [`AT_A_TIME`] results wait in memory.
///
/// # Errors
/// If the run is cancelled, or if the threads cannot be started.
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

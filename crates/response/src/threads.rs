//! Threads. No other file of this crate uses threads.

#[cfg(feature = "parallel")]
use rayon::prelude::*;

/// Calls `work` on `threads` threads; 0 is one for each core. If they cannot be started, on those of the
/// process: the number of threads changes no count.
#[cfg(feature = "parallel")]
pub(crate) fn on_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    if threads == 1 {
        return work();
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    match pool {
        Ok(pool) => pool.install(work),
        Err(_) => work(),
    }
}

/// Calls `work` on this thread, the only one without the feature `parallel`.
#[cfg(not(feature = "parallel"))]
pub(crate) fn on_threads<R: Send>(_: usize, work: impl FnOnce() -> R + Send) -> R {
    work()
}

/// Calls `work` for each chunk of `length` numbers, with its place among the chunks, on `threads` threads.
/// Returns the results in the order of the chunks.
pub(crate) fn map_chunks<T: Send, R: Send>(
    threads: usize,
    all: &mut [T],
    length: usize,
    work: impl Fn(usize, &mut [T]) -> R + Sync + Send,
) -> Vec<R> {
    #[cfg(feature = "parallel")]
    if threads != 1 {
        let chunks = all.par_chunks_mut(length).enumerate();
        return chunks.map(|(place, chunk)| work(place, chunk)).collect();
    }
    let _ = threads;
    let chunks = all.chunks_mut(length).enumerate();
    chunks.map(|(place, chunk)| work(place, chunk)).collect()
}

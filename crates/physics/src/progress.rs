//! Progress reports of a long run, and how to stop it.

use std::sync::atomic::{AtomicBool, Ordering};

/// Receives a call for every finished row, from any thread.
pub trait Progress: Sync {
    /// `done` of `total` rows are rendered.
    fn rows_done(&self, done: usize, total: usize);
}

/// A flag that another thread or a signal handler raises to stop a run between two rows.
#[derive(Debug, Default)]
pub struct Cancel(AtomicBool);

impl Cancel {
    /// A flag that is not raised; usable in a static.
    pub const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Asks the run to stop.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the run was asked to stop.
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

//! The bar on a terminal. A browser has none, and its module would import what the bar needs of it.

#[cfg(not(target_family = "wasm"))]
pub(super) use terminal::Bar;

#[cfg(not(target_family = "wasm"))]
mod terminal {
    use std::io::{self, IsTerminal};

    use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

    /// A bar on standard error.
    #[derive(Debug)]
    pub(in crate::progress) struct Bar(ProgressBar);

    impl Bar {
        /// `None` if standard error is no terminal.
        pub(in crate::progress) fn new() -> Option<Self> {
            if !io::stderr().is_terminal() {
                return None;
            }
            let style = ProgressStyle::with_template("{bar:40} {percent:>3}% {eta}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            Some(Self(bar.with_style(style)))
        }

        /// Shows the number of images.
        pub(in crate::progress) fn count_images(&self) {
            if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} images {eta}") {
                self.0.set_style(style);
            }
        }

        pub(in crate::progress) fn suspend(&self, print: impl FnOnce()) {
            self.0.suspend(print);
        }

        pub(in crate::progress) fn update(&self, done: u64, total: u64) {
            self.0.set_length(total);
            // The bar has no `fetch_max`: a late, smaller number moves the bar back only a little.
            self.0.set_position(self.0.position().max(done));
        }

        pub(in crate::progress) fn clear(&self) {
            self.0.finish_and_clear();
        }
    }
}

#[cfg(target_family = "wasm")]
#[derive(Debug)]
pub(super) enum Bar {}

#[cfg(target_family = "wasm")]
impl Bar {
    pub(super) fn new() -> Option<Self> {
        None
    }

    pub(super) fn count_images(&self) {
        match *self {}
    }

    pub(super) fn suspend(&self, _: impl FnOnce()) {
        match *self {}
    }

    pub(super) fn update(&self, _: u64, _: u64) {
        match *self {}
    }

    pub(super) fn clear(&self) {
        match *self {}
    }
}

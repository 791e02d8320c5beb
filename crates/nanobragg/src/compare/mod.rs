//! Two images held against each other: how far apart, where, and whether the same spots are there.
//!
//! Image A is what there should be, image B what there is. All figures are of finite pixels; those
//! that are not are counted.
//!
//! | figure | formula |
//! |---|---|
//! | relative difference of a pixel | \|a - b\| / max(\|a\|, \|b\|), from 0 to 2; 0 where both are 0 |
//! | quantile q | the smallest relative difference that a share q of the pixels does not exceed |
//! | correlation | Pearson's: sum (a - mean a)(b - mean b) / sqrt(sum (a - mean a)^2 sum (b - mean b)^2) |
//! | rmsd | sqrt(sum (a - b)^2 / pixels) |
//! | within tolerance t | every \|a - b\| <= t \|a\| + t 1e-3 brightest \|a\| |
//!
//! ```
//! use nanobragg::compare::{Comparison, Tolerance};
//! use nanobragg::io::Image;
//!
//! let a = Image::new(2, 2, vec![0.0, 1.0, 2.0, 5.0])?;
//! let b = Image::new(2, 2, vec![0.0, 1.0, 2.0, 4.0])?;
//! let comparison = Comparison::of(&a, &b, Tolerance::new(0.01)?)?;
//! assert_eq!(comparison.total_ratio(), Some(7.0 / 8.0));
//! assert_eq!(comparison.rmsd, 0.5);
//! assert_eq!(comparison.beyond, 1);
//! # Ok::<(), nanobragg::Error>(())
//! ```

mod comparison;
mod files;
mod json;
mod left_out;
mod panels;
mod peaks;
mod program;
mod quantiles;
mod report;
mod text;
mod tolerance;

pub use comparison::{Comparison, Difference};
pub use files::{ImageSides, NamedPair, read_pair, sides_of_header};
pub use left_out::LeftOut;
pub use panels::three_panels;
pub use peaks::{BRIGHTEST_PEAKS, MatchedPeaks, PEAK_PERCENT};
pub use program::ProgramRun;
pub use quantiles::{PERCENTS, Quantile};
pub use report::{ComparisonReport, NamedImage, ProgramPair, RunEnvironment};
pub use tolerance::Tolerance;

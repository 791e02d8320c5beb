//! The errors of a geometry.

use std::fmt;

/// The most pixels a detector may have.
pub const MAX_PIXELS: u64 = 1 << 31;

/// One of the two directions in which pixels are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PixelAxis {
    /// Along a row: neighbouring pixels are neighbours in memory.
    Fast,
    /// From row to row.
    Slow,
}

impl fmt::Display for PixelAxis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fast => "fast",
            Self::Slow => "slow",
        })
    }
}

/// Why a geometry cannot be built.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A number is infinite or not a number.
    #[error("{field} is {value}; it must be a finite number")]
    NotFinite {
        /// The quantity.
        field: &'static str,
        /// The number given.
        value: f64,
    },

    /// A number lies outside its allowed range.
    #[error("{field} is {value}; it must be {allowed}")]
    OutOfRange {
        /// The quantity, with its unit.
        field: &'static str,
        /// The number given.
        value: f64,
        /// The allowed range in words.
        allowed: &'static str,
    },

    /// A vector that must be a direction is zero, or its length is outside 1e-100 to 1e100.
    #[error("the {field} {vector:?} has no direction; its length must be between 1e-100 and 1e100")]
    NoDirection {
        /// Which vector.
        field: &'static str,
        /// The vector given.
        vector: [f64; 3],
    },

    /// Fast and slow are parallel or antiparallel.
    #[error("the fast vector {fast:?} and the slow vector {slow:?} are parallel; they must not be")]
    NoPlane {
        /// The fast direction, of unit length.
        fast: [f64; 3],
        /// The slow direction, of unit length.
        slow: [f64; 3],
    },

    /// The detector has no panel.
    #[error("the detector has no panel; it must have at least one")]
    NoPanels,

    /// Two panels have the same name.
    #[error("two panels are named \"{name}\"; each must have a name of its own")]
    PanelName {
        /// The name.
        name: String,
    },

    /// A number of a panel lies outside its allowed range.
    #[error("panel \"{panel}\": {field} is {value}; it must be {allowed}")]
    Panel {
        /// The name of the panel.
        panel: String,
        /// The field, with its unit.
        field: &'static str,
        /// The number given.
        value: f64,
        /// The allowed range in words.
        allowed: &'static str,
    },

    /// A detector of several panels is curved.
    #[error("a detector of several panels cannot be curved")]
    CurvedPanels,

    /// The size of a mask is not that of its panel.
    #[error(
        "the mask has {mask_fast} x {mask_slow} pixels, the detector {fast} x {slow}",
        mask_fast = mask[0], mask_slow = mask[1], fast = panel[0], slow = panel[1]
    )]
    MaskSize {
        /// Pixels of the mask along fast and slow.
        mask: [usize; 2],
        /// Pixels of the panel along fast and slow.
        panel: [usize; 2],
    },

    /// The detector has less than one pixel in a direction.
    #[error("the detector has no pixels along {axis}: {size_m} m holds none of {pixel_size_m} m")]
    NoPixels {
        /// The direction.
        axis: PixelAxis,
        /// The size of the detector in that direction, in metres.
        size_m: f64,
        /// The pixel size, in metres.
        pixel_size_m: f64,
    },

    /// The detector has more pixels than [`MAX_PIXELS`].
    #[error("the detector would have {fast} x {slow} pixels; at most {MAX_PIXELS} are possible")]
    TooManyPixels {
        /// Pixels along fast.
        fast: f64,
        /// Pixels along slow.
        slow: f64,
    },

    /// An end of a region of interest lies beyond the last pixel.
    #[error("the region of interest reaches {axis} pixel {end}, but the detector has {pixels}")]
    RoiOutside {
        /// The direction.
        axis: PixelAxis,
        /// The pixel asked for, counted from 0.
        end: i64,
        /// Pixels of the detector in that direction.
        pixels: u32,
    },

    /// The first pixel of a region of interest comes after its last.
    #[error("the region of interest runs backwards along {axis}: from {first} to {last}")]
    RoiReversed {
        /// The direction.
        axis: PixelAxis,
        /// The first pixel asked for.
        first: u32,
        /// The last pixel asked for.
        last: u32,
    },
}

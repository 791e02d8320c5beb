//! Which vector instructions a run uses. The only file with unsafe code.

use std::fmt;

use super::fast;
use super::interference::{Double, Single};
use super::lane::{Fused, Separate};
use super::slopes::{SlopeOutput, slope_part};
use crate::backend::{PartOutcome, RowPart};
use crate::gradient::tables::Tables;
use crate::scene::View;

/// A set of instructions to render with.
///
/// AVX2 and AVX-512 give the same image to the bit. The baseline of x86-64 does not fuse
/// multiplication and addition, and the reference uses the system's sine; how far that is apart is
/// stated in `docs/PARITY.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The scalar kernel, pixel by pixel: the judge.
    Reference,
    /// What every processor of the architecture has: SSE2 on x86-64, NEON on AArch64.
    Baseline,
    /// AVX2 and FMA, 4 lanes of double precision.
    Avx2,
    /// AVX-512, 8 lanes of double precision.
    Avx512,
}

impl Level {
    /// Every level, the slowest first.
    pub const ALL: [Self; 4] = [Self::Reference, Self::Baseline, Self::Avx2, Self::Avx512];

    /// The fastest level of this processor.
    pub fn detect() -> Self {
        Self::ALL
            .into_iter()
            .rev()
            .find(|level| level.is_available())
            .unwrap_or(Self::Baseline)
    }

    /// Whether this processor can run it.
    pub fn is_available(self) -> bool {
        match self {
            Self::Reference | Self::Baseline => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => {
                std::arch::is_x86_feature_detected!("avx2")
                    && std::arch::is_x86_feature_detected!("fma")
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                std::arch::is_x86_feature_detected!("fma")
                    && std::arch::is_x86_feature_detected!("avx512f")
                    && std::arch::is_x86_feature_detected!("avx512bw")
                    && std::arch::is_x86_feature_detected!("avx512dq")
                    && std::arch::is_x86_feature_detected!("avx512vl")
            }
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => false,
        }
    }

    /// Its name, as on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::Baseline => "baseline",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The precision of the interference function of a parallelepiped crystal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// Double precision throughout.
    #[default]
    Double,
    /// Single precision after the range reduction; indices stay in double precision.
    Single,
}

/// Renders one row with the instructions of `level`, or those of the baseline if this processor
/// does not have them.
pub(crate) fn lane_span(
    level: Level,
    precision: Precision,
    view: &View<'_>,
    part: &RowPart<'_>,
    row: &mut [f32],
) -> PartOutcome {
    match (level, precision) {
        #[cfg(target_arch = "x86_64")]
        (Level::Avx2, _) if level.is_available() => {
            // SAFETY: the processor has AVX2 and FMA, as was just asked.
            #[allow(unsafe_code)]
            unsafe {
                match precision {
                    Precision::Double => avx2_double(view, part, row),
                    Precision::Single => avx2_single(view, part, row),
                }
            }
        }
        #[cfg(target_arch = "x86_64")]
        (Level::Avx512, _) if level.is_available() => {
            // SAFETY: the processor has FMA and these parts of AVX-512, as was just asked.
            #[allow(unsafe_code)]
            unsafe {
                match precision {
                    Precision::Double => avx512_double(view, part, row),
                    Precision::Single => avx512_single(view, part, row),
                }
            }
        }
        (_, Precision::Double) => fast::render_part::<Double, Baseline>(view, part, row),
        (_, Precision::Single) => fast::render_part::<Single, Baseline>(view, part, row),
    }
}

/// What every processor of the architecture can do.
#[cfg(target_arch = "aarch64")]
pub(super) type Baseline = Fused;
#[cfg(not(target_arch = "aarch64"))]
pub(super) type Baseline = Separate;

/// The fast kernel, compiled for a set of instructions.
macro_rules! compiled_for {
    ($($name:ident: $features:literal, $precision:ty;)+) => {$(
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = $features)]
        fn $name(view: &View<'_>, part: &RowPart<'_>, row: &mut [f32]) -> PartOutcome {
            fast::render_part::<$precision, Fused>(view, part, row)
        }
    )+};
}

compiled_for! {
    avx2_double: "avx2,fma", Double;
    avx2_single: "avx2,fma", Single;
    avx512_double: "fma,avx512f,avx512bw,avx512dq,avx512vl", Double;
    avx512_single: "fma,avx512f,avx512bw,avx512dq,avx512vl", Single;
}

/// Renders one row with its derivatives with the instructions of `level`, or those of the baseline
/// if this processor does not have them; for experiments that suit the fast path.
pub(crate) fn render_slopes(
    level: Level,
    view: &View<'_>,
    tables: &Tables,
    part: &RowPart<'_>,
    output: &mut SlopeOutput<'_, '_>,
    leftover: &mut Vec<u32>,
) {
    match level {
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 if level.is_available() => {
            // SAFETY: the processor has AVX2 and FMA, as was just asked.
            #[allow(unsafe_code)]
            unsafe {
                avx2_slopes(view, tables, part, output, leftover);
            }
        }
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 if level.is_available() => {
            // SAFETY: the processor has FMA and these parts of AVX-512, as was just asked.
            #[allow(unsafe_code)]
            unsafe {
                avx512_slopes(view, tables, part, output, leftover);
            }
        }
        _ => slope_part::<Baseline>(view, tables, part, output, leftover),
    }
}

/// The derivatives, compiled for a set of instructions.
macro_rules! slopes_compiled_for {
    ($($name:ident: $features:literal;)+) => {$(
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = $features)]
        fn $name(
            view: &View<'_>,
            tables: &Tables,
            part: &RowPart<'_>,
            output: &mut SlopeOutput<'_, '_>,
            leftover: &mut Vec<u32>,
        ) {
            slope_part::<Fused>(view, tables, part, output, leftover);
        }
    )+};
}

slopes_compiled_for! {
    avx2_slopes: "avx2,fma";
    avx512_slopes: "fma,avx512f,avx512bw,avx512dq,avx512vl";
}

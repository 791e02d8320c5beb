//! Which vector instructions a run uses. The only file with unsafe code.

use std::fmt;

use super::lane::{self, Arithmetic};

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

/// What is compiled for each set of instructions.
pub(super) trait Task {
    type Output;

    /// Does it. Every implementation and all that it calls have to be `inline(always)`: only what is inlined
    /// into the function of a level is compiled for its instructions.
    fn run<A: Arithmetic>(self) -> Self::Output;
}

/// Does a task with the instructions of `level`, or those of the baseline if this processor does not
/// have them.
pub(super) fn run_at<T: Task>(level: Level, task: T) -> T::Output {
    match level {
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 if level.is_available() => {
            // SAFETY: the processor has AVX2 and FMA, as was just asked.
            #[allow(unsafe_code)]
            unsafe {
                run_avx2(task)
            }
        }
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 if level.is_available() => {
            // SAFETY: the processor has FMA and these parts of AVX-512, as was just asked.
            #[allow(unsafe_code)]
            unsafe {
                run_avx512(task)
            }
        }
        _ => task.run::<Baseline>(),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2<T: Task>(task: T) -> T::Output {
    task.run::<lane::Fused>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "fma,avx512f,avx512bw,avx512dq,avx512vl")]
fn run_avx512<T: Task>(task: T) -> T::Output {
    task.run::<lane::Fused>()
}

/// What every processor of the architecture can do.
#[cfg(target_arch = "aarch64")]
pub(super) type Baseline = lane::Fused;
#[cfg(not(target_arch = "aarch64"))]
pub(super) type Baseline = lane::Separate;

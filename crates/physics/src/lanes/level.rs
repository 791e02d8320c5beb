//! The vector instructions of a run. The only file with unsafe code.

use std::fmt;
use std::marker::PhantomData;

use super::interference::{Double, Interference, Single};
use super::lane::{self, Arithmetic};

/// A set of vector instructions.
///
/// AVX2 and AVX-512 give the same image to the bit. The baseline of x86-64 does not fuse multiplication and
/// addition, and the reference uses the sine of the system. `docs/PARITY.md` has the bound of the differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The scalar kernel, pixel by pixel: the standard.
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

    /// The fastest level that this processor supports.
    pub fn detect() -> Self {
        Self::ALL
            .into_iter()
            .rev()
            .find(|level| level.is_available())
            .unwrap_or(Self::Baseline)
    }

    /// Whether this processor supports the level.
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

    /// The name on the command line.
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
    /// Single precision after the range reduction. Indices are always in double precision.
    Single,
}

/// Work that is compiled for each set of instructions.
pub(super) trait Task {
    type Output;

    /// Runs the task. Every implementation and every function that it calls must be `inline(always)`:
    /// only code that is inlined into the function of a level is compiled for its instructions.
    fn run<A: Arithmetic>(self) -> Self::Output;
}

/// Work that is compiled for each precision too.
pub(super) trait Kernel {
    type Output;

    /// As [`Task::run`].
    fn run<P: Interference, A: Arithmetic>(self) -> Self::Output;
}

/// [`run_at`], in a precision.
pub(super) fn run_kernel<K: Kernel>(
    (level, precision): (Level, Precision),
    kernel: K,
) -> K::Output {
    match precision {
        Precision::Double => run_at(level, InPrecision(kernel, PhantomData::<Double>)),
        Precision::Single => run_at(level, InPrecision(kernel, PhantomData::<Single>)),
    }
}

struct InPrecision<K, P>(K, PhantomData<P>);

impl<K: Kernel, P: Interference> Task for InPrecision<K, P> {
    type Output = K::Output;

    #[inline(always)]
    fn run<A: Arithmetic>(self) -> K::Output {
        self.0.run::<P, A>()
    }
}

/// Runs a task with the instructions of `level`, or with those of the baseline if this processor does not
/// support the level.
pub(super) fn run_at<T: Task>(level: Level, task: T) -> T::Output {
    match level {
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 if level.is_available() => {
            // SAFETY: `is_available` has just checked that the processor has AVX2 and FMA.
            #[allow(unsafe_code)]
            unsafe {
                run_avx2(task)
            }
        }
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 if level.is_available() => {
            // SAFETY: `is_available` has just checked that the processor has FMA and these parts of AVX-512.
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

/// The arithmetic that every processor of the architecture supports.
#[cfg(target_arch = "aarch64")]
pub(super) type Baseline = lane::Fused;
#[cfg(not(target_arch = "aarch64"))]
pub(super) type Baseline = lane::Separate;

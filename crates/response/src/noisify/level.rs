//! Vector instructions for the sum of a point spread. The only file with unsafe code.

/// Adds `weight` times the kernel to a row, with the best instructions of this processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Baseline,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    pub(super) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx512f")
                && std::arch::is_x86_feature_detected!("avx512vl")
            {
                return Self::Avx512;
            }
            if std::arch::is_x86_feature_detected!("avx2") {
                return Self::Avx2;
            }
        }
        Self::Baseline
    }

    /// Runs `task` compiled for this level. It and all that it calls must be `inline(always)`.
    pub(super) fn run<T: Task>(self, task: T) {
        match self {
            Self::Baseline => task.run(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => {
                // SAFETY: `detect` alone makes this value, after it has found AVX2.
                #[allow(unsafe_code)]
                unsafe {
                    run_avx2(task);
                }
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                // SAFETY: `detect` alone makes this value, after it has found AVX-512F and AVX-512VL.
                #[allow(unsafe_code)]
                unsafe {
                    run_avx512(task);
                }
            }
        }
    }
}

/// Work that is compiled for each level.
pub(super) trait Task {
    fn run(self);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn run_avx2<T: Task>(task: T) {
    task.run();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl")]
fn run_avx512<T: Task>(task: T) {
    task.run();
}

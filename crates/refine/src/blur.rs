//! Smearing of an image by a Gaussian.

/// Standard deviations from the middle at which the kernel ends.
const REACH_SIGMAS: f64 = 3.0;

/// A Gaussian smearing along both axes; nothing comes in from beyond the edges.
#[derive(Debug, Clone)]
pub(crate) struct Blur {
    /// The kernel from its middle on, with a sum of 1 over both sides.
    kernel: Vec<f64>,
    fast: usize,
}

impl Blur {
    /// Smearing of images of `fast` pixels a line; `None` where `sigma_pixels` is 0.
    pub(crate) fn new(sigma_pixels: f64, fast: usize) -> Option<Self> {
        if sigma_pixels <= 0.0 || fast == 0 {
            return None;
        }
        let reach = (REACH_SIGMAS * sigma_pixels).ceil() as usize;
        let weight = |i: usize| (-0.5 * (i as f64 / sigma_pixels).powi(2)).exp();
        let kernel: Vec<f64> = (0..=reach).map(weight).collect();
        let total = 2.0 * kernel.iter().sum::<f64>() - 1.0;
        Some(Self {
            kernel: kernel.into_iter().map(|w| w / total).collect(),
            fast,
        })
    }

    /// `pixels`, `[slow][fast]`, smeared.
    pub(crate) fn apply(&self, pixels: &[f64]) -> Vec<f64> {
        let mut along_fast = vec![0.0; pixels.len()];
        for (to, from) in along_fast
            .chunks_exact_mut(self.fast)
            .zip(pixels.chunks_exact(self.fast))
        {
            self.spread(&mut to[..], from, 1);
        }
        let mut both = vec![0.0; pixels.len()];
        self.spread(&mut both, &along_fast, self.fast);
        both
    }

    /// Adds to each number of `to` the numbers of `from` that are whole `stride`s away, weighted.
    fn spread(&self, to: &mut [f64], from: &[f64], stride: usize) {
        for (i, &weight) in self.kernel.iter().enumerate() {
            let shift = i * stride;
            if shift >= from.len() {
                break;
            }
            let (later, earlier) = (from.iter().skip(shift), from.iter());
            for (to, value) in to.iter_mut().zip(later) {
                *to += weight * value;
            }
            if i > 0 {
                for (to, value) in to.iter_mut().skip(shift).zip(earlier) {
                    *to += weight * value;
                }
            }
        }
    }
}

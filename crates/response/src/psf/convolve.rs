//! The convolution of an image with a kernel. Pixels outside the image are 0, and what the kernel puts
//! there is gone.

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use super::PointSpreadKernel;

/// Kernels of more weights are applied by Fourier transform.
const MOST_DIRECT: usize = 289;

/// The smallest side of a transform.
const LEAST_SIDE: usize = 128;

/// The pixels after the point spread, `[slow][fast]` in rows of `width`:
/// `x'_i = sum_j kernel_j x_(i - j)`.
///
/// A large kernel is applied by fast Fourier transform. Its error is below 1e-14 of the sum of |x| in
/// the part of the image that is transformed together; pixels that are 0 can therefore become as small a
/// number of either sign.
pub(crate) fn convolve(kernel: &PointSpreadKernel, pixels: &[f64], width: usize) -> Vec<f64> {
    let width = width.max(1);
    if kernel.weights().len() <= MOST_DIRECT {
        return direct(kernel, pixels, width);
    }
    by_transform(kernel, pixels, width)
}

/// The sum itself.
pub(super) fn direct(kernel: &PointSpreadKernel, pixels: &[f64], width: usize) -> Vec<f64> {
    let (middle_fast, middle_slow) = kernel.middle();
    let mut out = vec![0.0; pixels.len()];
    let rows: Vec<&[f64]> = pixels.chunks(width).collect();
    for (slow, to) in out.chunks_mut(width).enumerate() {
        for (place, weights) in kernel.weights().chunks(kernel.width()).enumerate() {
            let from = (slow + middle_slow).checked_sub(place);
            let Some(from) = from.and_then(|from| rows.get(from)) else {
                continue;
            };
            for (place, &weight) in weights.iter().enumerate() {
                if weight != 0.0 {
                    let later = place.saturating_sub(middle_fast).min(width);
                    let earlier = middle_fast.saturating_sub(place).min(width);
                    let to = to.get_mut(later..).unwrap_or_default();
                    let from = from.get(earlier..).unwrap_or_default();
                    for (to, from) in to.iter_mut().zip(from) {
                        *to += weight * from;
                    }
                }
            }
        }
    }
    out
}

/// The same by Fourier transform of square tiles, whose results overlap and are added. Two tiles are
/// transformed together, as real and imaginary part of one: the kernel is real, so they stay apart.
pub(super) fn by_transform(kernel: &PointSpreadKernel, pixels: &[f64], width: usize) -> Vec<f64> {
    let height = pixels.len() / width;
    let longest = kernel.width().max(kernel.height());
    // A larger transform wastes less of its area on the overlap, but a transform larger than the image
    // with its overlap has nothing to do.
    let enough = (4 * longest).min(width.max(height) + longest - 1);
    let side = enough.max(2 * longest).max(LEAST_SIDE).next_power_of_two();
    let tile = side + 1 - longest;
    let mut transform = Transform::new(side);
    let mut spectrum = vec![Complex::default(); side * side];
    for (to, weights) in (spectrum.chunks_mut(side)).zip(kernel.weights().chunks(kernel.width())) {
        for (to, &weight) in to.iter_mut().zip(weights) {
            // The factor of the inverse transform.
            to.re = weight / (side * side) as f64;
        }
    }
    transform.forward(&mut spectrum);

    let (middle_fast, middle_slow) = kernel.middle();
    let mut out = vec![0.0; pixels.len()];
    let columns = width.div_ceil(tile);
    let tiles: Vec<[usize; 2]> = (0..height.div_ceil(tile) * columns)
        .map(|number| [number % columns * tile, number / columns * tile])
        .collect();
    let mut buffer = vec![Complex::default(); side * side];
    for pair in tiles.chunks(2) {
        buffer.fill(Complex::default());
        for (part, &[fast, slow]) in pair.iter().enumerate() {
            let rows = pixels.chunks(width).skip(slow).take(tile);
            for (to, from) in buffer.chunks_mut(side).zip(rows) {
                for (to, &from) in to.iter_mut().zip(from.iter().skip(fast).take(tile)) {
                    *(if part == 0 { &mut to.re } else { &mut to.im }) = from;
                }
            }
        }
        transform.forward(&mut buffer);
        for (number, factor) in buffer.iter_mut().zip(&spectrum) {
            *number *= factor;
        }
        transform.inverse(&mut buffer);
        for (part, &[fast, slow]) in pair.iter().enumerate() {
            // The first number of the buffer is for the pixel half a kernel before the tile.
            let (skip_slow, first_slow) = before(slow, middle_slow);
            let (skip_fast, first_fast) = before(fast, middle_fast);
            let rows = out.chunks_mut(width).skip(first_slow);
            for (to, from) in rows.zip(buffer.chunks(side).skip(skip_slow)) {
                let to = to.iter_mut().skip(first_fast);
                for (to, from) in to.zip(from.iter().skip(skip_fast)) {
                    *to += if part == 0 { from.re } else { from.im };
                }
            }
        }
    }
    out
}

/// The numbers to leave out, and the pixel of the first of the others.
fn before(start: usize, middle: usize) -> (usize, usize) {
    (middle.saturating_sub(start), start.saturating_sub(middle))
}

/// Fourier transforms of square arrays. The result of `forward` is transposed.
struct Transform {
    side: usize,
    forward: std::sync::Arc<dyn Fft<f64>>,
    inverse: std::sync::Arc<dyn Fft<f64>>,
    scratch: Vec<Complex<f64>>,
}

impl Transform {
    fn new(side: usize) -> Self {
        let mut planner = FftPlanner::new();
        let (forward, inverse) = (
            planner.plan_fft_forward(side),
            planner.plan_fft_inverse(side),
        );
        let needed = forward
            .get_inplace_scratch_len()
            .max(inverse.get_inplace_scratch_len());
        Self {
            side,
            forward,
            inverse,
            scratch: vec![Complex::default(); needed],
        }
    }

    fn forward(&mut self, array: &mut [Complex<f64>]) {
        self.forward.process_with_scratch(array, &mut self.scratch);
        transpose(array, self.side);
        self.forward.process_with_scratch(array, &mut self.scratch);
    }

    fn inverse(&mut self, array: &mut [Complex<f64>]) {
        self.inverse.process_with_scratch(array, &mut self.scratch);
        transpose(array, self.side);
        self.inverse.process_with_scratch(array, &mut self.scratch);
    }
}

/// Exchanges rows and columns, in blocks that fit in the cache.
fn transpose(array: &mut [Complex<f64>], side: usize) {
    const BLOCK: usize = 16;
    for rows in (0..side).step_by(BLOCK) {
        for columns in (rows..side).step_by(BLOCK) {
            for row in rows..(rows + BLOCK).min(side) {
                for column in columns.max(row + 1)..(columns + BLOCK).min(side) {
                    array.swap(row * side + column, column * side + row);
                }
            }
        }
    }
}

/// The convolution with the product of a symmetric kernel along rows and the same along columns.
/// `kernel` is the part from its middle to one end.
///
/// A Gaussian in two dimensions is the product of two in one dimension, which needs far fewer
/// operations.
pub(crate) fn convolve_separable(kernel: &[f64], pixels: &[f64], width: usize) -> Vec<f64> {
    let width = width.max(1);
    let mut along_fast = vec![0.0; pixels.len()];
    for (to, from) in along_fast.chunks_mut(width).zip(pixels.chunks(width)) {
        add_weighted(to, kernel, from, 1);
    }
    let mut both = vec![0.0; pixels.len()];
    add_weighted(&mut both, kernel, &along_fast, width);
    both
}

/// Adds to each number of `to` the weighted numbers of `from` at distances of 0, 1, 2, ... strides on
/// both sides.
fn add_weighted(to: &mut [f64], kernel: &[f64], from: &[f64], stride: usize) {
    for (i, &weight) in kernel.iter().enumerate() {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The error of the transform, relative to the sum of an image. A transform of n numbers has a relative
    /// error of some 1e-16 log n.
    const TRANSFORM_OF_SUM: f64 = 1e-14;

    /// An image of many magnitudes.
    fn image(width: usize, height: usize) -> Vec<f64> {
        let mut state = 1_u64;
        let next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            10_f64.powf((state >> 40) as f64 / (1 << 21) as f64)
        };
        std::iter::repeat_with(next).take(width * height).collect()
    }

    #[test]
    fn the_transform_is_the_sum() {
        for (width, height, fast, slow) in [(300, 170, 31, 31), (97, 211, 1, 61), (40, 33, 41, 77)]
        {
            let rows: Vec<Vec<f64>> = image(fast, slow)
                .chunks(fast)
                .map(<[f64]>::to_vec)
                .collect();
            // No symmetry, so that a mirrored kernel would be noticed.
            let kernel = PointSpreadKernel::try_from(rows).unwrap().normalised();
            let pixels = image(width, height);
            let sum: f64 = pixels.iter().sum();
            let exact = direct(&kernel, &pixels, width);
            for (a, b) in by_transform(&kernel, &pixels, width).iter().zip(&exact) {
                assert!((a - b).abs() < TRANSFORM_OF_SUM * sum, "{a} {b}");
            }
        }
    }

    #[test]
    fn the_image_of_a_point_is_the_kernel() {
        let kernel = PointSpreadKernel::try_from(vec![vec![1.0, 2.0, 3.0]; 1]).unwrap();
        let spread = convolve(&kernel, &[0.0, 6.0, 0.0, 0.0], 4);
        assert_eq!(spread, [6.0, 12.0, 18.0, 0.0]);
    }
}

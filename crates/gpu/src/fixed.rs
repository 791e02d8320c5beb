//! The numbers of the fixed-point kernel, and the largest scene that it is good enough for.
//!
//! With a direction `d` as `2^15 d = hi + lo` (`hi` an integer, `|lo| <= 1/2`) and `y = a/(2^15 lambda)`, an index is
//! `a.d/lambda + c = y.(hi + lo) + c`. Only its part below 1 has to be exact to 1e-9. `y` modulo 1 is kept as
//! `(w + r 2^-15) 2^-32`, `w` and `r` integers, and `y` itself rounded to single precision:
//!
//! ```text
//! part 2^32 = w.hi + round(r.hi / 2^15) + round(y.lo 2^32) + c 2^32    modulo 2^32
//! ```
//! Integers that wrap around are exactly modulo 2^32. The parts wrap to between -1/2 and 1/2, as the offset from the
//! nearest integer does.

/// `2^32`.
const ONE: f64 = 4_294_967_296.0;

/// `2^15`.
const SCALE: f64 = 32768.0;

/// What an index may be wrong by times the number of cells: the phase of the last cell, in turns.
const PHASE: f64 = 2e-6;

/// A bound on the error of a component of a direction.
const DIRECTION: f64 = 4e-11;

/// The largest index whose rounding in single precision leaves no doubt about the nearest integer.
const LARGEST_INDEX: f64 = 1e5;

/// A panel is worked out on the device if no point of it is nearer than this part of its farthest point.
const NEAREST: f64 = 0.25;

/// The sum of the two numbers of a sub-pixel that products of 16 bits have room for.
const MOST_STEPS: f64 = 65_500.0;

/// Whether indices are good enough for a crystal of so many cells along its longest edge. `largest_index` is a bound
/// on indices.
pub(crate) fn is_good(cells: f64, largest_index: f64) -> bool {
    cells * index_error(largest_index) <= PHASE && largest_index < LARGEST_INDEX
}

/// A bound on the error of an index in fixed point. `largest_index` is a bound on indices: twice the longest cell edge
/// over the shortest wavelength.
pub fn index_error(largest_index: f64) -> f64 {
    rounding(0.5 * largest_index) + 3.0_f64.sqrt() * DIRECTION * 0.5 * largest_index
}

/// The part of it that is there even if the direction is exact, for a cell edge over the wavelength.
fn rounding(edge: f64) -> f64 {
    // Roundings to 2^-32, and to single precision in the product with the rest of the direction.
    1e-9 + 6e-12 * edge
}

/// Whether the device can work out the directions of the sub-pixels of a plane.
pub(crate) fn fits_plane(nearest_m: f64, farthest_m: f64, steps: f64) -> bool {
    nearest_m >= NEAREST * farthest_m && steps < MOST_STEPS
}

/// The factors of the parts of a direction in one index.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Factors {
    pub(crate) whole: [i32; 4],
    pub(crate) rest: [i32; 4],
    pub(crate) rough: [f32; 4],
}

impl Factors {
    /// Of the index `by.d + constant`.
    pub(crate) fn new(by: [f64; 3], constant: f64) -> Self {
        let mut factors = Self {
            whole: [0, 0, 0, wrapped(part(constant) * ONE)],
            rest: [0; 4],
            rough: [0.0, 0.0, 0.0, constant as f32],
        };
        for (axis, by) in by.into_iter().enumerate() {
            let y = by / SCALE;
            let fine = part(y) * ONE;
            let whole = fine.round();
            factors.whole[axis] = wrapped(whole);
            factors.rest[axis] = ((fine - whole) * SCALE).round() as i32;
            factors.rough[axis] = y as f32;
        }
        factors
    }
}

/// The limit for the cosine of an angle over 4: cosines below `cosine` are less than it.
pub(crate) fn cosine_limit(cosine: f64) -> i32 {
    (0.25 * cosine * ONE).clamp(f64::from(i32::MIN), f64::from(i32::MAX)) as i32
}

/// A direction as an integer and a rest, in 2^-15.
pub(crate) fn split_direction(direction: [f64; 3]) -> ([i32; 3], [f32; 3]) {
    let scaled = direction.map(|x| x * SCALE);
    let hi = scaled.map(f64::round);
    (
        hi.map(|x| x as i32),
        std::array::from_fn(|i| (scaled[i] - hi[i]) as f32),
    )
}

/// The unit of lengths in which the farthest point of a panel is 2^15 away.
pub(crate) fn unit_m(farthest_m: f64) -> f64 {
    farthest_m * (1.0 + 1e-6) / SCALE
}

/// A coordinate as an integer and three words of 16 bits below it.
pub(crate) fn words(x: f64) -> [i32; 4] {
    let whole = x.floor();
    // 2^48 times a part below 1 is an integer of an f64.
    let fine = ((x - whole) * 65536.0 * ONE).round() as u64;
    let carry = (fine >> 48) as i64;
    let word = |shift: u32| (fine >> shift & 0xffff) as i32;
    [(whole as i64 + carry) as i32, word(32), word(16), word(0)]
}

/// The part between -1/2 and 1/2 that is left without the nearest integer.
fn part(x: f64) -> f64 {
    x - x.round()
}

/// The integer modulo 2^32.
fn wrapped(x: f64) -> i32 {
    x.round() as i64 as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A direction as the kernel has it.
    struct Ray {
        hi: [i32; 3],
        lo: [f32; 3],
    }

    /// `part_of` of the kernel, operation by operation.
    fn part_of(factors: &Factors, ray: &Ray) -> i32 {
        let Factors { whole, rest, rough } = factors;
        let dot = |by: &[i32; 4]| {
            (0..3).fold(0_i32, |sum, i| {
                sum.wrapping_add(by[i].wrapping_mul(ray.hi[i]))
            })
        };
        let middle = (dot(rest) + 16384) >> 15;
        let low = (rough[0] * ray.lo[0] + rough[1] * ray.lo[1]) + rough[2] * ray.lo[2];
        let bottom = (low * ONE as f32).round_ties_even() as i32;
        let top = dot(whole).wrapping_add(whole[3]);
        top.wrapping_add(middle).wrapping_add(bottom)
    }

    /// `ray_to` of the kernel, operation by operation. `root_error` is the relative error of its inverse root.
    fn ray_to(places: [[[i32; 4]; 3]; 3], fast: u32, slow: u32, root_error: f64) -> Ray {
        let [u, v, x] = places;
        let mut whole = [0_i32; 3];
        let mut rest = [0_f32; 3];
        for i in 0..3 {
            let sum = |word: usize| {
                let of = |n: i32| n as u32;
                of(u[i][word]) * fast + of(v[i][word]) * slow + of(x[i][word])
            };
            let lowest = sum(3);
            let low = sum(2) + (lowest >> 16);
            let middle = sum(1) + (low >> 16);
            let part = ((middle << 16) | (low & 0xffff)) as i32;
            let steps = u[i][0] * fast as i32 + v[i][0] * slow as i32 + x[i][0];
            whole[i] = steps + (middle >> 16) as i32 + i32::from(part < 0);
            rest[i] = part as f32 * 2.328_306_4e-10;
        }
        let rough = whole.map(|n| n as f32);
        let square: u32 = whole.iter().map(|n| (n * n) as u32).sum();
        let dot = |a: [f32; 3], b: [f32; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
        let more = 2.0 * dot(rough, rest) + dot(rest, rest);
        let root = (1.0 / f64::from(square as f32).sqrt() * (1.0 + root_error)) as f32;
        let y = (268_435_456.0 * root).round_ties_even() as u32;
        let y2 = y * y;
        let [al, ah, bl, bh] = [y2 & 0xffff, y2 >> 16, square & 0xffff, square >> 16];
        let [ll, lh, hl] = [al * bl, al * bh, ah * bl];
        let middle = (ll >> 16) + (lh & 0xffff) + (hl & 0xffff);
        let top = ah * bh + (lh >> 16) + (hl >> 16) + (middle >> 16);
        let bottom = (middle << 16) | (ll & 0xffff);
        let over = ((top.wrapping_sub(16_777_216) as i32) << 16) | (bottom >> 16) as i32;
        let e = -(over as f32 * 9.094_947e-13 + (y2 as f32 * 1.387_778_8e-17) * more);
        let correction = e * (e * (e * 0.3125 + 0.375) + 0.5);
        let inverse = y as f32 * 1.220_703_1e-4;
        let mut ray = Ray {
            hi: [0; 3],
            lo: [0.0; 3],
        };
        for i in 0..3 {
            let product = whole[i] * y as i32;
            let hi = (product + 4096) >> 13;
            let left = (product - (hi << 13)) as f32 * 1.220_703_1e-4;
            let lo = left + rest[i] * inverse + ((rough[i] + rest[i]) * inverse) * correction;
            let carry = lo.round_ties_even();
            ray.hi[i] = hi + carry as i32;
            ray.lo[i] = lo - carry;
        }
        ray
    }

    fn unit(v: [f64; 3]) -> [f64; 3] {
        let length = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        v.map(|x| x / length)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn an_index_is_within_its_bound(
            direction in prop::array::uniform3(-1.0..1.0_f64),
            edge in prop::array::uniform3(-1.0..1.0_f64),
            length in 1.0..2000.0_f64,
            constant in -2000.0..2000.0_f64,
        ) {
            let direction = unit(direction);
            let by = unit(edge).map(|x| x * length);
            let (hi, lo) = split_direction(direction);
            let ours = part_of(&Factors::new(by, constant), &Ray { hi, lo });
            let exact = (0..3).map(|i| by[i] * direction[i]).sum::<f64>() + constant;
            let off = part(exact - f64::from(ours) / ONE).abs();
            prop_assert!(off <= rounding(length), "{off:e}");
        }

        #[test]
        fn a_direction_is_within_its_bound(
            corner in prop::array::uniform2(-0.9..0.1_f64),
            tilt in -0.4..0.4_f64,
            across in 0.3..1.5_f64,
            pixels in prop::array::uniform2(0_u32..20_000),
            root_error in -6e-5..6e-5_f64,
        ) {
            // A panel at a distance of 1, up to 1.5 wide, of up to 20 000 sub-pixels along each edge.
            let step = across / 20_000.0;
            let (sin, cos) = tilt.sin_cos();
            let (fast, slow) = ([step * sin, step * cos, 0.0], [0.0, 0.0, step]);
            let origin = [1.0, corner[0], corner[1]];
            let at = |f: u32, s: u32| -> [f64; 3] {
                std::array::from_fn(|i| fast[i] * f64::from(f) + slow[i] * f64::from(s) + origin[i])
            };
            let length = |v: [f64; 3]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
            let corners = [[0, 0], [20_000, 0], [0, 20_000], [20_000, 20_000]];
            let farthest = corners.map(|[f, s]| length(at(f, s))).into_iter().fold(0.0, f64::max);
            let unit_m = unit_m(farthest);
            let places = [fast, slow, origin].map(|v| v.map(|x| words(x / unit_m)));
            let ray = ray_to(places, pixels[0], pixels[1], root_error);
            let exact = unit(at(pixels[0], pixels[1]));
            for (exact, (hi, lo)) in exact.into_iter().zip(ray.hi.into_iter().zip(ray.lo)) {
                let ours = (f64::from(hi) + f64::from(lo)) / SCALE;
                prop_assert!((ours - exact).abs() <= DIRECTION, "{:e}", ours - exact);
                prop_assert!(lo.abs() <= 0.5);
            }
        }
    }

    #[test]
    fn a_limit_on_the_cosine_is_a_limit_on_its_part() {
        let (hi, lo) = split_direction(unit([1.0, 0.3, 0.2]));
        let beam = [1.0, 0.0, 0.0];
        let ours = part_of(&Factors::new(beam.map(|x| 0.25 * x), 0.0), &Ray { hi, lo });
        let cosine = unit([1.0, 0.3, 0.2])[0];
        assert!(ours < cosine_limit(cosine + 1e-8) && ours > cosine_limit(cosine - 1e-8));
    }
}

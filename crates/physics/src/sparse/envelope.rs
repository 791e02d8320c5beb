//! Bounds on the lattice factor: how bright the best point of a small area can be.
//!
//! The area is a rectangle of a panel, over which the offset from a reflection is nearly a linear function of
//! the place: `d = middle + x fast + y slow`, with x and y between -1 and 1, up to a small `slack`. Everything
//! here is a bound from above. It may be too large, never too small.

use std::f64::consts::{LOG2_E, PI};

use nanobragg_crystal::{LatticeShape, Shape};
use nanobragg_geometry::vector::{cross, dot};

/// How offsets change over an area: the same for all reflections near it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// From the middle to the edge along fast and slow.
    pub(super) fast: [f64; 3],
    pub(super) slow: [f64; 3],
    /// What the linear function is wrong by at most, on each axis.
    pub(super) slack: [f64; 3],
    /// The largest change on each axis, slack included.
    pub(super) half: [f64; 3],
    /// The normal of the plane that `fast` and `slow` span. Its product with the offset does not change.
    pub(super) normal: [f64; 3],
    /// What slack changes of that product at most.
    normal_slack: f64,
}

impl Span {
    pub(super) fn new(fast: [f64; 3], slow: [f64; 3], slack: [f64; 3]) -> Self {
        let normal = cross(fast, slow);
        Self {
            fast,
            slow,
            slack,
            half: [0, 1, 2].map(|i| fast[i].abs() + slow[i].abs() + slack[i]),
            normal,
            normal_slack: dot(normal.map(f64::abs), slack),
        }
    }
}

/// The brightness of a spot, from above.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Envelope {
    /// The square of the largest lattice factor.
    pub(crate) peak_squared: f64,
    pub(crate) fall: Fall,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Fall {
    /// A parallelepiped: the product over the axes of `min(1, 1/(N sin(pi d)))^2`.
    Grating { cells: [f64; 3] },
    /// A function of the quadratic form `x = d Q d`.
    Ellipsoid {
        form: [[f64; 3]; 3],
        inverse: [[f64; 3]; 3],
        profile: Profile,
    },
    /// No bound but the peak.
    None,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Profile {
    /// `4^-x`.
    Gauss,
    /// The square of `3 (sin y - y cos y)/y^3` at `y = pi sqrt(x)`.
    Ball,
    /// 1 up to `x = 0.3969`.
    Tophat,
}

impl Envelope {
    /// `None` if the lattice factor has no bound: a Gaussian that grows outwards.
    pub(super) fn new(lattice: &LatticeShape) -> Option<Self> {
        let peak_squared = lattice.peak().powi(2);
        let (fall, peak_squared) = match lattice.shape {
            Shape::Square => {
                // With less than one cell along an edge the factor of the axis is at most 1.
                let cells = lattice.cells.map(|n| n.max(1.0));
                let all: f64 = cells.iter().product();
                (Fall::Grating { cells }, all * all)
            }
            Shape::Round => {
                let form = form_of(|d| lattice.fudge * lattice.index_radius_squared(d));
                (ellipsoid(form, Profile::Ball), peak_squared)
            }
            Shape::Gauss => (ellipsoid(exponent(lattice), Profile::Gauss), peak_squared),
            Shape::Tophat => {
                // The form of a Gaussian has the same squared radius, in other units.
                let unit = GAUSS_UNIT / LOG2_E;
                let form = exponent(lattice).map(|row| row.map(|x| x * unit));
                (ellipsoid(form, Profile::Tophat), peak_squared)
            }
        };
        // A parallelepiped does not look at it. NaN is no bound either.
        let grows =
            lattice.shape != Shape::Square && (lattice.fudge < 0.0 || lattice.fudge.is_nan());
        (!grows && peak_squared.is_finite()).then_some(Self { peak_squared, fall })
    }

    /// What [`bound_terms`](crate::lanes::bound_terms) needs for a crystal of this envelope, whose indices change by
    /// `fast` and `slow` over half an area. `base` is an envelope of a crystal that differs in size only: the cells along the edges of a parallelepiped. For the other
    /// shapes the ratio of the sizes; the length of half a diagonal of the area, in the metric of the form; and
    /// what makes a length of the product with the normal.
    #[inline(always)]
    pub(crate) fn numbers(
        &self,
        base: &Self,
        fast: &[f64; 3],
        slow: &[f64; 3],
        normal: &[f64; 3],
    ) -> [f64; 3] {
        match (&self.fall, &base.fall) {
            (Fall::Grating { cells }, _) => *cells,
            (Fall::Ellipsoid { form, inverse, .. }, Fall::Ellipsoid { form: of_base, .. }) => {
                let both = product(form, fast, slow).abs();
                let normal = value(inverse, normal).sqrt();
                [
                    (form[0][0] / of_base[0][0]).sqrt(),
                    (value(form, fast) + value(form, slow) + 2.0 * both).sqrt(),
                    if normal > 0.0 { 1.0 / normal } else { 0.0 },
                ]
            }
            _ => [1.0; 3],
        }
    }

    /// The inverse of the offset at which a spot is half gone, for edges of these lengths: how fine the bounds
    /// must resolve, in metres.
    pub(super) fn sharpness_m(&self, edges_m: [f64; 3]) -> f64 {
        let per_index = match &self.fall {
            Fall::Grating { cells } => *cells,
            Fall::Ellipsoid { form, .. } => [0, 1, 2].map(|i| form[i][i].sqrt()),
            Fall::None => [1.0; 3],
        };
        (0..3)
            .map(|i| per_index[i] * edges_m[i])
            .fold(0.0, f64::max)
    }

    /// The largest square of the lattice factor over an area, divided by that of the peak. `middle` is the offset
    /// of the middle from the reflection.
    pub(super) fn over(&self, middle: [f64; 3], span: &Span) -> f64 {
        let across = (dot(span.normal, middle).abs() - span.normal_slack).max(0.0);
        match &self.fall {
            Fall::Grating { cells } => {
                // On each axis the offset is at least that of the nearest edge of the area.
                let mut falls = 1.0;
                // With `u = N sin(pi d)` and `sin(pi d) >= slope d`, the plane is where the sum of `a u` is at least
                // `across`, with `a = |normal| / (N slope)`. Up to 1 a `u` costs nothing, and beyond it one large
                // `u` costs less than two: the product of `max(1, u)` is smallest with all but one at 1.
                let (mut sum, mut largest) = (0.0, 0.0);
                for i in 0..3 {
                    let nearest = (middle[i].abs() - span.half[i]).max(0.0);
                    let farthest = (middle[i].abs() + span.half[i]).min(0.5);
                    falls *= (cells[i] * sine_bound(nearest)).max(1.0);
                    let a = span.normal[i].abs() / (cells[i] * slope_bound(farthest));
                    sum += a;
                    largest = f64::max(largest, a);
                }
                let beyond = across - sum;
                let by_plane = if beyond > 0.0 {
                    1.0 + beyond / largest
                } else {
                    1.0
                };
                let fall = f64::max(falls, by_plane);
                1.0 / (fall * fall)
            }
            Fall::Ellipsoid {
                form,
                inverse,
                profile,
            } => {
                // The distance of the plane, in the metric of the form.
                let by_plane = if across > 0.0 {
                    across / value(inverse, &span.normal).sqrt()
                } else {
                    0.0
                };
                // The distance of the middle, less that of a corner from the middle.
                let [fast, slow] = [&span.fast, &span.slow].map(|edge| value(form, edge));
                let both = product(form, &span.fast, &span.slow).abs();
                let corner = (fast + slow + 2.0 * both).sqrt()
                    + (0..3)
                        .map(|i| form[i][i].sqrt() * span.slack[i])
                        .sum::<f64>();
                let by_middle = value(form, &middle).max(0.0).sqrt() - corner;
                let radius = f64::max(by_plane, by_middle).max(0.0) * (1.0 - ROUNDING);
                profile.at(radius * radius)
            }
            Fall::None => 1.0,
        }
    }
}

/// Rounding of the forms.
const ROUNDING: f64 = 1e-9;

/// The squared radius of a Gaussian is `0.63 / log2(e)` of its exponent to base 2.
const GAUSS_UNIT: f64 = nanobragg_crystal::constants::GAUSS_RADIUS_SQUARED;

impl Profile {
    /// The square of the lattice factor over that of the peak, from above.
    #[inline(always)]
    pub(crate) fn at(self, x: f64) -> f64 {
        match self {
            Self::Gauss => (-2.0 * x).exp2(),
            Self::Ball => {
                // `|sin y - y cos y| <= sqrt(1 + y^2)`.
                let squared = PI * PI * x;
                let bound = 9.0 * (1.0 + squared) / (squared * squared * squared);
                bound.min(1.0)
            }
            Self::Tophat => {
                let is_outside =
                    x > nanobragg_crystal::constants::TOPHAT_RADIUS_SQUARED * (1.0 + ROUNDING);
                if is_outside { 0.0 } else { 1.0 }
            }
        }
    }
}

/// What the bound on the slope of the sine loses with the offset.
pub(crate) const SLOPE_LOST: f64 = 2.0 * PI - 4.0;

/// A number that is at most `sin(pi d)`, for d from 0 to 1/2. Both are 0 at 0 and 1 at 1/2, and have the
/// same slope at 0.
fn sine_bound(d: f64) -> f64 {
    d * slope_bound(d)
}

/// A number that is at most `sin(pi x)/x` for all x from 0 to d.
fn slope_bound(d: f64) -> f64 {
    PI - SLOPE_LOST * d.min(0.5)
}

/// The form `x` of a Gaussian `2^-x`.
fn exponent(lattice: &LatticeShape) -> [[f64; 3]; 3] {
    let [hh, kk, ll, hk, hl, kl] = lattice.gaussian_form().map(|product| -product);
    [
        [hh, 0.5 * hk, 0.5 * hl],
        [0.5 * hk, kk, 0.5 * kl],
        [0.5 * hl, 0.5 * kl, ll],
    ]
}

/// The matrix of a quadratic form, from its values.
fn form_of(form: impl Fn([f64; 3]) -> f64) -> [[f64; 3]; 3] {
    let unit = |i: usize, j: usize| -> [f64; 3] {
        std::array::from_fn(|axis| f64::from(u8::from(axis == i) + u8::from(axis == j)))
    };
    let of = |i: usize| form(unit(i, i)) / 4.0;
    std::array::from_fn(|i| {
        std::array::from_fn(|j| match i == j {
            true => of(i),
            false => 0.5 * (form(unit(i, j)) - of(i) - of(j)),
        })
    })
}

/// The fall of a form that is positive definite; no fall at all for any other.
fn ellipsoid(form: [[f64; 3]; 3], profile: Profile) -> Fall {
    let cofactors = [
        cross(form[1], form[2]),
        cross(form[2], form[0]),
        cross(form[0], form[1]),
    ];
    let determinant = dot(form[0], cofactors[0]);
    let is_definite = form[0][0] > 0.0 && cofactors[2][2] > 0.0 && determinant > 0.0;
    let inverse = cofactors.map(|row| row.map(|x| x / determinant));
    let is_finite = |matrix: &[[f64; 3]; 3]| matrix.iter().flatten().all(|x| x.is_finite());
    if is_definite && is_finite(&form) && is_finite(&inverse) {
        Fall::Ellipsoid {
            form,
            inverse,
            profile,
        }
    } else {
        Fall::None
    }
}

#[inline(always)]
fn product(form: &[[f64; 3]; 3], a: &[f64; 3], b: &[f64; 3]) -> f64 {
    dot(form.map(|row| dot(row, *b)), *a)
}

#[inline(always)]
fn value(form: &[[f64; 3]; 3], d: &[f64; 3]) -> f64 {
    product(form, d, d)
}

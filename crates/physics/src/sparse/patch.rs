//! Small areas of a panel, and how the scattering vector changes over them.

use nanobragg_geometry::{Surface, vector};

use crate::scene::{SourceRow, View};

/// A square of sub-pixels, counted from the corner of the plane of the panel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Area {
    /// The first sub-pixel along fast and slow.
    pub(super) first: [u32; 2],
    /// The number of sub-pixels along each edge: that of a leaf times a power of 2.
    pub(super) size: u32,
}

impl Area {
    pub(super) fn quarters(self) -> [Self; 4] {
        let size = self.size / 2;
        let [fast, slow] = self.first;
        let at = |first| Self { first, size };
        [
            at([fast, slow]),
            at([fast + size, slow]),
            at([fast, slow + size]),
            at([fast + size, slow + size]),
        ]
    }
}

/// The directions of an area, as a linear function of the place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patch {
    /// The unit vector towards the middle.
    middle: [f64; 3],
    /// Its change from the middle to the middles of two edges.
    fast: [f64; 3],
    slow: [f64; 3],
    /// What the linear function is wrong by at most.
    pub(super) slack: f64,
    /// The distance of the nearest point in metres, from below.
    pub(super) nearest_m: f64,
}

/// An area that is seen under a larger angle than this, in radian, is not taken for flat.
const WIDEST: f64 = 0.3;

impl Patch {
    /// `None` if the area is too wide for a linear function.
    pub(super) fn of(view: &View<'_>, area: &Area, layer: u32) -> Option<Self> {
        let panel = view.panel;
        let subpixel_m = panel.pixel_size_m() / f64::from(view.setup.oversample);
        let half_m = 0.5 * f64::from(area.size) * subpixel_m;
        let middle_m = area
            .first
            .map(|first| f64::from(first) * subpixel_m + half_m);
        let depth_m = f64::from(layer) * panel.sensor().layer_step_m;
        let at = |by: [f64; 2]| {
            let [fast_m, slow_m] = [0, 1].map(|i| middle_m[i] + by[i]);
            panel.position_m(fast_m, slow_m, depth_m)
        };
        let position_m = at([0.0; 2]);
        let distance_m = vector::norm(position_m);
        let [fast_m, slow_m] = [
            half_m * vector::norm(panel.fast()),
            half_m * vector::norm(panel.slow()),
        ];
        let nearest_m = distance_m - (fast_m + slow_m);
        let angle = (fast_m + slow_m) / nearest_m;
        // NaN and areas around the crystal are not narrow either.
        if !(nearest_m > 0.0 && angle < WIDEST) {
            return None;
        }
        let change = |by: [f64; 2]| {
            let [up, down] = [by, by.map(|x| -x)].map(|by| vector::unit(at(by)));
            vector::scale(0.5, vector::sub(up, down))
        };
        // The second derivative of a direction along a line in a plane at the distance r is at most
        // `1.155 / r^2`; on a curved panel, which turns about two axes by `1/r`, at most `2 / r^2`. The third
        // one, which the differences above leave out, is at most `6 / r^3`.
        let second = match panel.surface() {
            Surface::Flat => 0.58,
            Surface::Curved => 1.0,
        };
        let squared = match panel.surface() {
            Surface::Flat if is_square(view) => {
                (fast_m * fast_m + slow_m * slow_m) / (nearest_m * nearest_m)
            }
            _ => angle * angle,
        };
        let cubed = (fast_m.powi(3) + slow_m.powi(3)) / nearest_m.powi(3);
        Some(Self {
            middle: vector::unit(position_m),
            fast: change([half_m, 0.0]),
            slow: change([0.0, half_m]),
            slack: second * squared + cubed,
            nearest_m,
        })
    }

    /// The scattering vectors of a source.
    pub(super) fn scatter(&self, source: &SourceRow) -> Scattering {
        let per_m = 1.0 / source.wavelength_m;
        let scaled = |direction| vector::scale(per_m, direction);
        Scattering {
            middle: scaled(vector::sub(self.middle, source.incident)),
            fast: scaled(self.fast),
            slow: scaled(self.slow),
            slack: per_m * self.slack,
        }
    }

    /// The angle from the middle to an edge, in radian.
    pub(super) fn half_angle(&self) -> f64 {
        f64::max(vector::norm(self.fast), vector::norm(self.slow))
    }
}

/// Whether the two directions of the panel are perpendicular.
fn is_square(view: &View<'_>) -> bool {
    vector::dot(view.panel.fast(), view.panel.slow()).abs() < 1e-9
}

/// The scattering vectors of an area in 1/m, as a linear function of the place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scattering {
    middle: [f64; 3],
    fast: [f64; 3],
    slow: [f64; 3],
    slack: f64,
}

impl Scattering {
    /// The shortest and the longest vector, from below and from above.
    pub(super) fn lengths(&self) -> [f64; 2] {
        let middle = vector::norm(self.middle);
        let change = vector::norm(self.fast) + vector::norm(self.slow) + self.slack;
        [middle - change, middle + change]
    }

    /// The vector of the middle, and its changes along fast and slow.
    #[inline(always)]
    pub(crate) fn vectors(&self) -> [[f64; 3]; 3] {
        [self.middle, self.fast, self.slow]
    }
}

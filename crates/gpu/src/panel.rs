//! A panel in the bytes of the kernel: its plane, or a table of directions.

use std::ops::Range;

use nanobragg_geometry::{Panel, PixelKind, Surface, vector};
use nanobragg_physics::Tables;

use crate::fixed;
use crate::plan::Arithmetic;
use crate::tables::Bytes;

/// A panel in the bytes of the kernel.
#[derive(Debug)]
pub struct PanelTables {
    /// Binding 3.
    pub bytes: Vec<u8>,
    /// Binding 6: the plane, from which the kernel works out directions. `None` if it needs those of some rows,
    /// [`Plan::direction_bytes`](crate::Plan::direction_bytes).
    pub plane: Option<Vec<u8>>,
}

impl PanelTables {
    /// `unit` is the intensity that is 1 on the device.
    pub(crate) fn new(
        arithmetic: Arithmetic,
        tables: &Tables<'_>,
        number: usize,
        unit: f64,
    ) -> Self {
        let panel = &tables.panels()[number];
        let plane = Plane::new(tables, panel).filter(|plane| match arithmetic {
            Arithmetic::Fixed => plane.fits(tables, panel),
            Arithmetic::Double => true,
        });
        let unit_m = match (&plane, arithmetic) {
            (Some(plane), Arithmetic::Fixed) => fixed::unit_m(plane.farthest_m),
            _ => 1.0,
        };
        let sensor = panel.sensor();
        let mut bytes = Bytes::new(arithmetic);
        bytes.real(panel.normal());
        bytes.real([
            panel.pixel_size_m().powi(2) * panel.close_distance_m(),
            sensor.layer_step_m * sensor.mu_per_m,
            tables.kahn_factor(),
            unit_m,
            tables.water(number).0 / unit,
            tables
                .running_sum(number)
                .map_or(0.0, |own| own.start / unit),
        ]);
        let plane = plane.map(|plane| {
            let mut bytes = Bytes::new(arithmetic);
            let vectors = [plane.fast_m, plane.slow_m];
            for vector in vectors.into_iter().chain(plane.first_m) {
                match arithmetic {
                    Arithmetic::Fixed => {
                        bytes.signed(vector.into_iter().flat_map(|x| fixed::words(x / unit_m)));
                    }
                    Arithmetic::Double => bytes.real(vector),
                }
            }
            bytes.bytes
        });
        Self {
            bytes: bytes.bytes,
            plane,
        }
    }
}

/// A flat panel by its sub-pixels.
struct Plane {
    /// From one sub-pixel to the next.
    fast_m: [f64; 3],
    slow_m: [f64; 3],
    /// The first sub-pixel of each layer.
    first_m: Vec<[f64; 3]>,
    farthest_m: f64,
}

impl Plane {
    fn new(tables: &Tables<'_>, panel: &Panel) -> Option<Self> {
        if panel.surface() == Surface::Curved {
            return None;
        }
        let subpixel_m = panel.pixel_size_m() / f64::from(tables.oversample());
        let sensor = panel.sensor();
        let depths = (0..sensor.layers).map(|layer| f64::from(layer) * sensor.layer_step_m);
        let half_m = 0.5 * subpixel_m;
        let first = depths
            .clone()
            .map(|depth_m| panel.position_m(half_m, half_m, depth_m));
        let region = panel.roi();
        let ends = |range: std::ops::RangeInclusive<u32>, first: u32| {
            let [start, end] = [*range.start(), *range.end() + 1];
            [start, end].map(|pixel| f64::from(pixel + first) * panel.pixel_size_m())
        };
        let [first_fast, first_slow] = panel.first_pixel();
        let (fast, slow) = (
            ends(region.fast(), first_fast),
            ends(region.slow(), first_slow),
        );
        let corners = depths.flat_map(|depth_m| {
            fast.into_iter().flat_map(move |f_m| {
                slow.into_iter()
                    .map(move |s_m| vector::norm(panel.position_m(f_m, s_m, depth_m)))
            })
        });
        Some(Self {
            fast_m: vector::scale(subpixel_m, panel.fast()),
            slow_m: vector::scale(subpixel_m, panel.slow()),
            first_m: first.collect(),
            farthest_m: corners.fold(0.0, f64::max),
        })
    }

    /// Whether fixed point is good enough for its directions.
    fn fits(&self, tables: &Tables<'_>, panel: &Panel) -> bool {
        // No point of a plane is nearer than its foot. Axes that a user gives need not be perpendicular to the normal.
        let normal = vector::unit(vector::cross(self.fast_m, self.slow_m));
        let feet_m = self
            .first_m
            .iter()
            .map(|first_m| vector::dot(*first_m, normal).abs());
        let nearest_m = feet_m.fold(f64::INFINITY, f64::min);
        let [fast, slow] = panel.first_pixel().map(f64::from);
        let pixels = fast + slow + f64::from(panel.pixels_fast()) + f64::from(panel.pixels_slow());
        let steps = pixels * f64::from(tables.oversample());
        fixed::fits_plane(nearest_m, self.farthest_m, steps)
    }
}

/// The directions of the sub-pixels of some rows, layer by layer.
pub(crate) fn direction_bytes(
    arithmetic: Arithmetic,
    tables: &Tables<'_>,
    panel: &Panel,
    rows: Range<u32>,
) -> Vec<u8> {
    let oversample = tables.oversample();
    let subpixel_m = panel.pixel_size_m() / f64::from(oversample);
    let [first_fast, first_slow] = panel.first_pixel();
    let middle_m = |number: u32| (f64::from(number) + 0.5) * subpixel_m;
    let region = panel.roi().fast();
    let fast =
        (region.start() + first_fast) * oversample..(region.end() + 1 + first_fast) * oversample;
    let slow = (rows.start + first_slow) * oversample..(rows.end + first_slow) * oversample;
    let mut bytes = Bytes::new(arithmetic);
    for layer in 0..panel.sensor().layers {
        let depth_m = f64::from(layer) * panel.sensor().layer_step_m;
        for s in slow.clone() {
            for f in fast.clone() {
                let position_m = panel.position_m(middle_m(f), middle_m(s), depth_m);
                let (direction, path_m) = (vector::unit(position_m), vector::norm(position_m));
                match arithmetic {
                    Arithmetic::Fixed => {
                        let (hi, lo) = fixed::split_direction(direction);
                        bytes.signed(hi);
                        bytes.whole([0]);
                        bytes.single(lo);
                        bytes.single([path_m as f32]);
                    }
                    Arithmetic::Double => {
                        bytes.real(direction);
                        bytes.real([path_m]);
                    }
                }
            }
        }
    }
    bytes.bytes
}

/// Whether the solid angle is that of a point.
pub(crate) fn is_point(panel: &Panel) -> bool {
    panel.pixel_kind() == PixelKind::Point
}

//! The detector, resolved.

use nanobragg_numeric::Scalar;

use crate::beam::BeamFrame;
use crate::convention::Convention;
use crate::detector::centre::BeamCentre;
use crate::detector::ignored::{exchanged_axes, ignored_centre, ignored_pivot, ignored_pix0};
use crate::detector::pixel::{curved_position, curved_position_own_frame, flat_position};
use crate::detector::place::{Placement, PlacementInput, place};
use crate::detector::resolve::{
    centre_input, check_numbers, pivot, pixel_counts, placement_input, size, unit_axes,
};
use crate::detector::sensor::{LayerRule, Sensor};
use crate::detector::spec::{DetectorSpec, PixelKind, Surface};
use crate::detector::warning::Warning;
use crate::error::Error;
use crate::pivot::Pivot;
use crate::units::Angle;
use crate::vector::{cross, dot, sub};

/// A detector in its place: everything about it that the physics needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Detector {
    pixels_fast: u32,
    pixels_slow: u32,
    pixel_size_m: f64,
    size_fast_m: f64,
    size_slow_m: f64,
    convention: Convention,
    pivot: Pivot,
    centre: BeamCentre<f64>,
    placement_input: PlacementInput<f64>,
    placement: Placement<f64>,
    beam_frame: BeamFrame,
    spindle: [f64; 3],
    twotheta_axis: [f64; 3],
    rotations: [Angle; 3],
    twotheta: Angle,
    surface: Surface,
    bends_along_own_axes: bool,
    pixel_kind: PixelKind,
    sensor: Sensor,
    warnings: Vec<Warning>,
}

impl Detector {
    /// The detector that `spec` describes.
    ///
    /// # Errors
    /// [`Error::NotFinite`] or [`Error::OutOfRange`] naming the number that is wrong,
    /// [`Error::NoPixels`] and [`Error::TooManyPixels`] for a grid that cannot be.
    pub fn new(spec: &DetectorSpec) -> Result<Self, Error> {
        let _span = tracing::debug_span!("detector").entered();
        check_numbers(spec)?;
        let mut warnings = Vec::new();

        let pixel_size_m = spec.pixel_size.m();
        let size_fast_m = size(spec.pixels_fast, spec.size_fast, pixel_size_m);
        let size_slow_m = size(spec.pixels_slow, spec.size_slow, pixel_size_m);
        let [pixels_fast, pixels_slow] = pixel_counts(size_fast_m, size_slow_m, pixel_size_m)?;

        let axes = unit_axes(spec, &mut warnings);
        let centre_input = centre_input(spec, size_fast_m, size_slow_m);
        let centre_any = centre_input.resolve_any();
        let centre = if spec.fixes.beam_centre {
            centre_any
        } else {
            centre_input.resolve()
        };
        let pivot = pivot(spec);
        let input = placement_input(spec, &axes, &centre, pivot);
        let placement = place(&input);

        warnings.extend(ignored_centre(spec, &centre, &centre_any, pivot));
        warnings.extend(ignored_pivot(spec, &input, &placement));
        warnings.extend(ignored_pix0(spec, &placement));
        warnings.extend(exchanged_axes(spec));

        let rule = if spec.fixes.thickness {
            LayerRule::Filling
        } else {
            LayerRule::Reference
        };
        let (sensor, sensor_warning) = Sensor::new(&spec.sensor, rule)?;
        warnings.extend(sensor_warning);

        Ok(Self {
            pixels_fast,
            pixels_slow,
            pixel_size_m,
            size_fast_m,
            size_slow_m,
            convention: spec.convention,
            pivot,
            centre,
            placement_input: input,
            placement,
            beam_frame: BeamFrame::from_unit(axes.beam, axes.polarization),
            spindle: axes.spindle,
            twotheta_axis: axes.twotheta,
            rotations: spec.rotations,
            twotheta: spec.twotheta,
            surface: spec.surface,
            bends_along_own_axes: spec.fixes.curved,
            pixel_kind: spec.pixel_kind,
            sensor,
            warnings,
        })
    }

    /// What was replaced, guessed or not listened to on the way.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The number of pixels along fast.
    pub const fn pixels_fast(&self) -> u32 {
        self.pixels_fast
    }

    /// The number of pixels along slow.
    pub const fn pixels_slow(&self) -> u32 {
        self.pixels_slow
    }

    /// The edge of a pixel in metres.
    pub const fn pixel_size_m(&self) -> f64 {
        self.pixel_size_m
    }

    /// The size along fast in metres, as given if the pixels were not counted.
    pub const fn size_fast_m(&self) -> f64 {
        self.size_fast_m
    }

    /// The size along slow in metres, as given if the pixels were not counted.
    pub const fn size_slow_m(&self) -> f64 {
        self.size_slow_m
    }

    /// What placed the detector: axes, centres and distance before any rotation.
    pub const fn placement_input(&self) -> &PlacementInput<f64> {
        &self.placement_input
    }

    /// Where the detector is: corner, axes, distances and centres after all rotations.
    pub const fn placement(&self) -> &Placement<f64> {
        &self.placement
    }

    /// The outer corner of the first pixel, in metres from the sample.
    pub const fn pix0_m(&self) -> [f64; 3] {
        self.placement.pix0_m
    }

    /// The unit vector along increasing fast pixel.
    pub const fn fast(&self) -> [f64; 3] {
        self.placement.fast
    }

    /// The unit vector along increasing slow pixel.
    pub const fn slow(&self) -> [f64; 3] {
        self.placement.slow
    }

    /// The unit vector normal to the detector.
    pub const fn normal(&self) -> [f64; 3] {
        self.placement.normal
    }

    /// The direct beam and its transverse directions.
    pub const fn beam_frame(&self) -> &BeamFrame {
        &self.beam_frame
    }

    /// The unit vector along the beam, from source to sample.
    pub const fn beam(&self) -> [f64; 3] {
        self.beam_frame.direction()
    }

    /// The unit vector of the beam's electric field.
    pub const fn polarization(&self) -> [f64; 3] {
        self.beam_frame.polarization()
    }

    /// `unit(beam x polarization)`.
    pub const fn vertical(&self) -> [f64; 3] {
        self.beam_frame.vertical()
    }

    /// The unit vector of the spindle.
    pub const fn spindle(&self) -> [f64; 3] {
        self.spindle
    }

    /// The two-theta axis, of the length it was given.
    pub const fn twotheta_axis(&self) -> [f64; 3] {
        self.twotheta_axis
    }

    /// The rotations about laboratory X, Y and Z.
    pub const fn rotations(&self) -> [Angle; 3] {
        self.rotations
    }

    /// The rotation about the two-theta axis.
    pub const fn twotheta(&self) -> Angle {
        self.twotheta
    }

    /// The distance along the beam in metres; negative for a detector that faces away.
    pub const fn distance_m(&self) -> f64 {
        self.placement.distance_m
    }

    /// The distance along the detector normal in metres.
    pub const fn close_distance_m(&self) -> f64 {
        self.placement.close_distance_m
    }

    /// The beam centre's X in the sense of the convention, in metres.
    pub const fn x_beam_m(&self) -> f64 {
        self.centre.beam_m[0]
    }

    /// The beam centre's Y in the sense of the convention, in metres.
    pub const fn y_beam_m(&self) -> f64 {
        self.centre.beam_m[1]
    }

    /// The near point's X as given or defaulted, before rotation, in metres.
    pub const fn x_close_m(&self) -> f64 {
        self.centre.close_m[0]
    }

    /// The near point's Y as given or defaulted, before rotation, in metres.
    pub const fn y_close_m(&self) -> f64 {
        self.centre.close_m[1]
    }

    /// The direct-beam spot along fast after all rotations, in metres.
    pub const fn f_beam_m(&self) -> f64 {
        self.placement.f_beam_m
    }

    /// The direct-beam spot along slow after all rotations, in metres.
    pub const fn s_beam_m(&self) -> f64 {
        self.placement.s_beam_m
    }

    /// The near point along fast after all rotations, in metres.
    pub const fn f_close_m(&self) -> f64 {
        self.placement.f_close_m
    }

    /// The near point along slow after all rotations, in metres.
    pub const fn s_close_m(&self) -> f64 {
        self.placement.s_close_m
    }

    /// The near point along fast in pixels, as XDS counts them.
    pub fn org_x(&self) -> f64 {
        self.placement.f_close_m / self.pixel_size_m + 0.5
    }

    /// The near point along slow in pixels, as XDS counts them.
    pub fn org_y(&self) -> f64 {
        self.placement.s_close_m / self.pixel_size_m + 0.5
    }

    /// The corner of the first pixel as DIALS writes it: `(pix0.z, pix0.y, -pix0.x)` in mm.
    pub fn dials_origin_mm(&self) -> [f64; 3] {
        let pix0 = self.placement.pix0_m;
        // As inner products, which is where a written zero gets its sign.
        [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]].map(|axis| 1000.0 * dot(pix0, axis))
    }

    /// The beam in the frame of the detector, `(b.f, b.s, b.o)`: XDS's INCIDENT_BEAM_DIRECTION.
    pub fn xds_incident_beam(&self) -> [f64; 3] {
        let Placement {
            fast, slow, normal, ..
        } = self.placement;
        [fast, slow, normal].map(|axis| dot(self.beam(), axis))
    }

    /// The convention.
    pub const fn convention(&self) -> Convention {
        self.convention
    }

    /// The pivot the rotations were about.
    pub const fn pivot(&self) -> Pivot {
        self.pivot
    }

    /// The shape.
    pub const fn surface(&self) -> Surface {
        self.surface
    }

    /// Whether a curved detector is bent along its own axes instead of laboratory y and z.
    pub const fn bends_along_own_axes(&self) -> bool {
        self.bends_along_own_axes
    }

    /// What a pixel collects.
    pub const fn pixel_kind(&self) -> PixelKind {
        self.pixel_kind
    }

    /// The sensor.
    pub const fn sensor(&self) -> &Sensor {
        &self.sensor
    }

    /// The place in metres of the point `f_m`, `s_m` from the corner of the first pixel along fast
    /// and slow, `o_m` deep in the sensor.
    pub fn position_m(&self, f_m: f64, s_m: f64, o_m: f64) -> [f64; 3] {
        self.position_placed(&self.placement, f_m, s_m, o_m)
    }

    /// [`position_m`](Self::position_m) of a detector placed elsewhere, in numbers that may carry
    /// derivatives.
    pub fn position_placed<T: Scalar>(
        &self,
        placement: &Placement<T>,
        f_m: T,
        s_m: T,
        o_m: T,
    ) -> [T; 3] {
        let Placement {
            pix0_m,
            fast,
            slow,
            normal,
            ..
        } = *placement;
        let flat = flat_position(f_m, s_m, o_m, fast, slow, normal, pix0_m);
        match (self.surface, self.bends_along_own_axes) {
            (Surface::Flat, _) => flat,
            (Surface::Curved, false) => {
                let beam = self.beam().map(T::from_f64);
                curved_position(flat, placement.distance_m, beam, fast, slow)
            }
            (Surface::Curved, true) => {
                curved_position_own_frame(flat, placement.close_distance_m, fast, slow, normal)
            }
        }
    }

    /// Where a ray from the sample along `direction` meets the flat detector, as fast and slow in
    /// pixels from the corner of the first one. `None` if it runs along the detector or away from
    /// it, or if the detector is curved.
    pub fn pixel_at(&self, direction: [f64; 3]) -> Option<(f64, f64)> {
        let Placement {
            pix0_m, fast, slow, ..
        } = self.placement;
        let normal = cross(fast, slow);
        let reach = dot(pix0_m, normal) / dot(direction, normal);
        if self.surface == Surface::Curved || !reach.is_finite() || reach <= 0.0 {
            return None;
        }
        let in_plane = sub(direction.map(|x| reach * x), pix0_m);
        // Cramer's rule, so that axes that are not at right angles are served too.
        let area = dot(normal, normal);
        let f_m = dot(cross(in_plane, slow), normal) / area;
        let s_m = dot(cross(fast, in_plane), normal) / area;
        Some((f_m / self.pixel_size_m, s_m / self.pixel_size_m))
    }
}

//! A detector: a list of panels, each with its own position and directions.

use nanobragg_numeric::Scalar;

use crate::beam_stop::Shade;
use crate::detector::pixel::{curved_position, curved_position_own_frame, flat_position};
use crate::detector::place::Placement;
use crate::detector::sensor::Sensor;
use crate::detector::spec::{PixelKind, Surface};
use crate::error::Error;
use crate::gaps::Gaps;
use crate::mask::Mask;
use crate::roi::Roi;
use crate::vector::{cross, dot, sub};

/// One rectangle of square pixels in the laboratory, flat or curved.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    pub(crate) name: String,
    pub(crate) pixels_fast: u32,
    pub(crate) pixels_slow: u32,
    pub(crate) first_pixel: [u32; 2],
    pub(crate) pixel_size_m: f64,
    pub(crate) placement: Placement<f64>,
    pub(crate) beam: [f64; 3],
    pub(crate) surface: Surface,
    pub(crate) bends_along_own_axes: bool,
    pub(crate) pixel_kind: PixelKind,
    pub(crate) sensor: Sensor,
    pub(crate) trusted_range: Option<[f64; 2]>,
    pub(crate) roi: Roi,
    pub(crate) gaps: Option<Gaps>,
    pub(crate) shade: Shade,
    /// With the gaps.
    pub(crate) mask: Option<Mask>,
}

impl Panel {
    /// The name of the panel in messages and files.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of pixels along fast.
    pub const fn pixels_fast(&self) -> u32 {
        self.pixels_fast
    }

    /// The number of pixels along slow.
    pub const fn pixels_slow(&self) -> u32 {
        self.pixels_slow
    }

    /// The number of pixels.
    pub const fn pixel_count(&self) -> usize {
        (self.pixels_fast as usize).saturating_mul(self.pixels_slow as usize)
    }

    /// The position of the first pixel on the plane, in pixels along fast and slow from the corner
    /// of [`plane`](Self::plane). It is `[0, 0]` unless the panel was [cut](Self::cut) out of
    /// another.
    pub const fn first_pixel(&self) -> [u32; 2] {
        self.first_pixel
    }

    /// The edge of a pixel in metres.
    pub const fn pixel_size_m(&self) -> f64 {
        self.pixel_size_m
    }

    /// The plane of the panel: corner, axes, distances and centres after all rotations.
    pub const fn plane(&self) -> &Placement<f64> {
        &self.placement
    }

    /// The outer corner of the first pixel, in metres from the sample.
    pub fn pix0_m(&self) -> [f64; 3] {
        let [fast, slow] = self.first_pixel;
        // Without this branch the sum `0 fast + 0 slow + pix0` could change the sign of a zero.
        if [fast, slow] == [0, 0] {
            return self.placement.pix0_m;
        }
        let [f_m, s_m] = [fast, slow].map(|pixels| f64::from(pixels) * self.pixel_size_m);
        let Placement {
            pix0_m,
            fast,
            slow,
            normal,
            ..
        } = self.placement;
        flat_position(f_m, s_m, 0.0, fast, slow, normal, pix0_m)
    }

    /// The unit vector along increasing fast pixel.
    pub const fn fast(&self) -> [f64; 3] {
        self.placement.fast
    }

    /// The unit vector along increasing slow pixel.
    pub const fn slow(&self) -> [f64; 3] {
        self.placement.slow
    }

    /// The unit vector normal to the panel.
    pub const fn normal(&self) -> [f64; 3] {
        self.placement.normal
    }

    /// The distance along the beam in metres. Negative if the normal points against the beam: the
    /// panel then lies upstream of the sample.
    pub const fn distance_m(&self) -> f64 {
        self.placement.distance_m
    }

    /// The distance along the normal in metres.
    pub const fn close_distance_m(&self) -> f64 {
        self.placement.close_distance_m
    }

    /// The beam spot along fast, in metres from the corner of the plane.
    pub const fn f_beam_m(&self) -> f64 {
        self.placement.f_beam_m
    }

    /// The beam spot along slow, in metres from the corner of the plane.
    pub const fn s_beam_m(&self) -> f64 {
        self.placement.s_beam_m
    }

    /// The near point along fast, in metres from the corner of the plane.
    pub const fn f_close_m(&self) -> f64 {
        self.placement.f_close_m
    }

    /// The near point along slow, in metres from the corner of the plane.
    pub const fn s_close_m(&self) -> f64 {
        self.placement.s_close_m
    }

    /// The near point along fast in pixels, as XDS counts them: the middle of the first pixel is 1.
    pub fn org_x(&self) -> f64 {
        self.placement.f_close_m / self.pixel_size_m + 0.5
    }

    /// The near point along slow in pixels, as XDS counts them: the middle of the first pixel is 1.
    pub fn org_y(&self) -> f64 {
        self.placement.s_close_m / self.pixel_size_m + 0.5
    }

    /// The corner of the first pixel in the frame of DIALS: `(pix0.z, pix0.y, -pix0.x)` in mm.
    ///
    /// The exchange takes the frame of MOSFLM, with the beam along x, to that of DIALS, with the
    /// beam along -z. The reference program writes it in every convention.
    pub fn dials_origin_mm(&self) -> [f64; 3] {
        let pix0 = self.pix0_m();
        // Inner products, as in the reference program: their sums decide the sign of a zero that is
        // written to a header.
        [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]].map(|axis| 1000.0 * dot(pix0, axis))
    }

    /// The components of `direction` along fast, slow and normal. Those of the beam are XDS's
    /// INCIDENT_BEAM_DIRECTION.
    pub fn in_own_frame(&self, direction: [f64; 3]) -> [f64; 3] {
        let Placement {
            fast, slow, normal, ..
        } = self.placement;
        [fast, slow, normal].map(|axis| dot(direction, axis))
    }

    /// The shape of the panel.
    pub const fn surface(&self) -> Surface {
        self.surface
    }

    /// Whether a curved panel is bent along its own axes. Otherwise it is bent along laboratory y
    /// and z, as in the reference program.
    pub const fn bends_along_own_axes(&self) -> bool {
        self.bends_along_own_axes
    }

    /// The photons that a pixel collects.
    pub const fn pixel_kind(&self) -> PixelKind {
        self.pixel_kind
    }

    /// The sensor.
    pub const fn sensor(&self) -> &Sensor {
        &self.sensor
    }

    /// The smallest and the largest count that can be trusted. `None` if no file states them.
    pub const fn trusted_range(&self) -> Option<[f64; 2]> {
        self.trusted_range
    }

    /// The pixels that are rendered, except those that the mask excludes.
    pub const fn roi(&self) -> Roi {
        self.roi
    }

    /// The mask, if some pixels are not rendered.
    pub const fn mask(&self) -> Option<&Mask> {
        self.mask.as_ref()
    }

    /// Whether a pixel is rendered: it is inside the region of interest, and the mask does not
    /// exclude it.
    pub fn uses(&self, fast: u32, slow: u32) -> bool {
        // A pixel outside the mask has no flag and is not rendered.
        let in_mask = |mask: &Mask| mask.row(slow as usize).get(fast as usize) == Some(&true);
        self.roi.contains(fast, slow) && self.mask().is_none_or(in_mask)
    }

    /// The panel with another region of interest.
    ///
    /// # Errors
    /// [`Error::RoiOutside`] if the region does not lie on the panel.
    pub fn with_roi(mut self, roi: Roi) -> Result<Self, Error> {
        self.roi = roi.on(self.pixels_fast, self.pixels_slow)?;
        Ok(self)
    }

    /// Whether a pixel lies in a gap between modules.
    pub fn is_gap(&self, fast: u32, slow: u32) -> bool {
        let [first_fast, first_slow] = self.first_pixel;
        self.gaps
            .is_some_and(|gaps| gaps.contain(fast + first_fast, slow + first_slow))
    }

    /// The pixels in the shadow of a beam stop, in their order: the number of each, row by row, and the part
    /// of its photons that passes.
    pub fn shade(&self) -> &[(u32, f32)] {
        &self.shade
    }

    /// Masks these pixels, numbered row by row.
    pub(crate) fn hide(&mut self, pixels: &[u32]) {
        if pixels.is_empty() {
            return;
        }
        let mut used = match &self.mask {
            Some(mask) => mask.clone(),
            None => Mask::all(self.pixels_fast as usize, self.pixel_count()),
        };
        used.leave_out(pixels);
        self.mask = Some(used);
    }

    /// The panel with a mask, or without any. Gaps between modules stay masked.
    ///
    /// # Errors
    /// [`Error::MaskSize`] if mask and panel differ in size.
    pub fn with_mask(mut self, mask: Option<Mask>) -> Result<Self, Error> {
        if let Some(mask) = &mask {
            let own = [self.pixels_fast, self.pixels_slow].map(|count| count as usize);
            let found = [mask.pixels_fast(), mask.pixels_slow()];
            if found != own {
                return Err(Error::MaskSize {
                    mask: found,
                    panel: own,
                });
            }
        }
        let size = [self.pixels_fast, self.pixels_slow];
        let of_gaps = (self.gaps).and_then(|gaps| gaps.mask(self.first_pixel, size));
        self.mask = match (of_gaps, mask) {
            (Some(of_gaps), Some(mask)) => Some(of_gaps.and(&mask)),
            (one, other) => one.or(other),
        };
        Ok(self)
    }

    /// A new panel of the pixels `fast[0]` to `fast[1]` and `slow[0]` to `slow[1]` of this one. Both
    /// ends are included; negative ends are the edges.
    ///
    /// It keeps the plane of this panel and stores the position of its first pixel on that plane.
    /// Its pixels therefore have the same positions to the last bit. A new corner would be rounded
    /// once more.
    ///
    /// # Errors
    /// [`Error::RoiOutside`] and [`Error::RoiReversed`], as [`Roi::new`].
    pub fn cut(&self, name: String, fast: [i64; 2], slow: [i64; 2]) -> Result<Self, Error> {
        let part = Roi::new(fast, slow, self.pixels_fast, self.pixels_slow)?;
        let (first_fast, first_slow) = (*part.fast().start(), *part.slow().start());
        let pixels_fast = *part.fast().end() - first_fast + 1;
        let pixels_slow = *part.slow().end() - first_slow + 1;
        let mask = self.mask().map(|mask| mask.crop(&part));
        let shade = self.shade.iter().filter_map(|&(number, passed)| {
            let fast = (number % self.pixels_fast).checked_sub(first_fast)?;
            let slow = (number / self.pixels_fast).checked_sub(first_slow)?;
            (fast < pixels_fast && slow < pixels_slow)
                .then_some((slow * pixels_fast + fast, passed))
        });
        let shade = shade.collect();
        Ok(Self {
            name,
            pixels_fast,
            pixels_slow,
            first_pixel: [
                self.first_pixel[0] + first_fast,
                self.first_pixel[1] + first_slow,
            ],
            roi: Roi::full(pixels_fast, pixels_slow)?,
            mask,
            shade,
            ..self.clone()
        })
    }

    /// A panel of so many pixels, fast and slow, in the plane of this one. Its first pixel is `first` pixels along fast
    /// and slow from the first one of this panel. It has no mask, no gaps and no beam stop.
    ///
    /// # Errors
    /// [`Error::RoiOutside`] if it has no pixels.
    pub fn continued(&self, first: [i64; 2], pixels: [u32; 2]) -> Result<Self, Error> {
        let [f_m, s_m] = [0, 1].map(|axis| {
            let from_corner = i64::from(self.first_pixel[axis]) + first[axis];
            from_corner as f64 * self.pixel_size_m
        });
        let plane = self.placement;
        let pix0_m = flat_position(
            f_m,
            s_m,
            0.0,
            plane.fast,
            plane.slow,
            plane.normal,
            plane.pix0_m,
        );
        Ok(Self {
            pixels_fast: pixels[0],
            pixels_slow: pixels[1],
            first_pixel: [0, 0],
            placement: Placement {
                pix0_m,
                f_beam_m: plane.f_beam_m - f_m,
                s_beam_m: plane.s_beam_m - s_m,
                f_close_m: plane.f_close_m - f_m,
                s_close_m: plane.s_close_m - s_m,
                ..plane
            },
            roi: Roi::full(pixels[0], pixels[1])?,
            gaps: None,
            shade: Shade::default(),
            mask: None,
            ..self.clone()
        })
    }

    /// The position in metres of a point of the panel: `f_m` and `s_m` along fast and slow from the
    /// corner of the plane, and `o_m` deep in the sensor.
    pub fn position_m(&self, f_m: f64, s_m: f64, o_m: f64) -> [f64; 3] {
        self.position_placed(&self.placement, f_m, s_m, o_m)
    }

    /// The position in metres of the middle of a pixel, on the front of the sensor.
    pub fn middle_m(&self, fast: u32, slow: u32) -> [f64; 3] {
        let along = |pixel: u32, first: u32| {
            (f64::from(pixel) + f64::from(first) + 0.5) * self.pixel_size_m
        };
        let [first_fast, first_slow] = self.first_pixel;
        self.position_m(along(fast, first_fast), along(slow, first_slow), 0.0)
    }

    /// As [`position_m`](Self::position_m), on another plane and in numbers that can carry
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
                let beam = self.beam.map(T::from_f64);
                curved_position(flat, placement.distance_m, beam, fast, slow)
            }
            (Surface::Curved, true) => {
                curved_position_own_frame(flat, placement.close_distance_m, fast, slow, normal)
            }
        }
    }

    /// Where the beam along a unit vector meets the panel, along fast and slow in metres from the corner of the first
    /// pixel of the whole panel. [`f_beam_m`](Self::f_beam_m) and [`s_beam_m`](Self::s_beam_m) are what the C program
    /// says instead, which is elsewhere under two-theta; of a curved panel, or one that the beam does not meet, this
    /// returns them too.
    pub fn beam_spot_m(&self, beam: [f64; 3]) -> [f64; 2] {
        let first = self.first_pixel.map(f64::from);
        self.pixel_at(beam)
            .map_or([self.f_beam_m(), self.s_beam_m()], |(fast, slow)| {
                [fast + first[0], slow + first[1]].map(|pixels| pixels * self.pixel_size_m)
            })
    }

    /// The point where a ray from the sample along `direction` meets the plane of a flat panel, as
    /// fast and slow in pixels from the corner of the first pixel. It can lie outside the panel.
    /// `None` if the ray is parallel to the plane or leads away from it, or if the panel is curved.
    pub fn pixel_at(&self, direction: [f64; 3]) -> Option<(f64, f64)> {
        let Placement {
            pix0_m, fast, slow, ..
        } = self.placement;
        // The point is `reach direction`. It lies in the plane if its component along the normal is
        // that of pix0. The sign and length of the normal cancel.
        let normal = cross(fast, slow);
        let reach = dot(pix0_m, normal) / dot(direction, normal);
        if self.surface == Surface::Curved || !reach.is_finite() || reach <= 0.0 {
            return None;
        }
        let in_plane = sub(direction.map(|x| reach * x), pix0_m);
        // `in_plane = f fast + s slow`, solved by Cramer's rule. Inner products with the axes would
        // be wrong for custom axes, which need not be perpendicular.
        let area = dot(normal, normal);
        let f_m = dot(cross(in_plane, slow), normal) / area;
        let s_m = dot(cross(fast, in_plane), normal) / area;
        let [first_fast, first_slow] = self.first_pixel.map(f64::from);
        Some((
            f_m / self.pixel_size_m - first_fast,
            s_m / self.pixel_size_m - first_slow,
        ))
    }
}

/// A detector: one panel or more, in the order of their pixels in images.
#[derive(Clone, Debug, PartialEq)]
pub struct Detector {
    /// Never empty.
    panels: Vec<Panel>,
}

impl Detector {
    /// A detector of these panels.
    ///
    /// # Errors
    /// [`Error::NoPanels`] for an empty list, [`Error::PanelName`] if two panels have the same name.
    pub fn new(panels: Vec<Panel>) -> Result<Self, Error> {
        if panels.is_empty() {
            return Err(Error::NoPanels);
        }
        let mut names = std::collections::BTreeSet::new();
        if let Some(twice) = panels.iter().find(|panel| !names.insert(panel.name())) {
            return Err(Error::PanelName {
                name: twice.name.clone(),
            });
        }
        Ok(Self { panels })
    }

    /// The panels in their order.
    pub fn panels(&self) -> &[Panel] {
        &self.panels
    }

    pub(crate) fn panels_mut(&mut self) -> &mut [Panel] {
        &mut self.panels
    }

    /// The first panel. Most detectors have no other.
    pub fn first(&self) -> &Panel {
        &self.panels[0]
    }

    /// The number of pixels of all panels.
    pub fn pixel_count(&self) -> usize {
        let counts = self.panels.iter().map(Panel::pixel_count);
        counts.fold(0, usize::saturating_add)
    }

    /// The fast and slow pixels of each panel, if all panels have the same size.
    pub fn common_size(&self) -> Option<[u32; 2]> {
        let size = |panel: &Panel| [panel.pixels_fast, panel.pixels_slow];
        let own = size(self.first());
        self.panels
            .iter()
            .all(|panel| size(panel) == own)
            .then_some(own)
    }
}

impl From<Panel> for Detector {
    fn from(panel: Panel) -> Self {
        Self {
            panels: vec![panel],
        }
    }
}

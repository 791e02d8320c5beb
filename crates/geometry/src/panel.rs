//! A detector is a list of panels, each with a place of its own.

use nanobragg_numeric::Scalar;

use crate::detector::pixel::{curved_position, curved_position_own_frame, flat_position};
use crate::detector::place::Placement;
use crate::detector::sensor::Sensor;
use crate::detector::spec::{PixelKind, Surface};
use crate::error::Error;
use crate::mask::Mask;
use crate::roi::Roi;
use crate::vector::{cross, dot, sub};

/// One flat (or curved) rectangle of square pixels in its place: everything about it that the
/// physics needs.
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
    pub(crate) mask: Option<Mask>,
}

impl Panel {
    /// The name, by which messages and files call it.
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

    /// Where the first pixel lies on the plane of the panel, as fast and slow in pixels from the
    /// point [`plane`](Self::plane) begins at. It is `[0, 0]` unless the panel was
    /// [cut](Self::cut) out of another.
    pub const fn first_pixel(&self) -> [u32; 2] {
        self.first_pixel
    }

    /// The edge of a pixel in metres.
    pub const fn pixel_size_m(&self) -> f64 {
        self.pixel_size_m
    }

    /// Where the plane of the panel is: corner, axes, distances and centres after all rotations.
    pub const fn plane(&self) -> &Placement<f64> {
        &self.placement
    }

    /// The outer corner of the first pixel, in metres from the sample.
    pub fn pix0_m(&self) -> [f64; 3] {
        let [fast, slow] = self.first_pixel;
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

    /// The distance along the beam in metres; negative for a panel that faces away.
    pub const fn distance_m(&self) -> f64 {
        self.placement.distance_m
    }

    /// The distance along the normal in metres.
    pub const fn close_distance_m(&self) -> f64 {
        self.placement.close_distance_m
    }

    /// The direct-beam spot along fast, in metres from where the plane begins.
    pub const fn f_beam_m(&self) -> f64 {
        self.placement.f_beam_m
    }

    /// The direct-beam spot along slow, in metres from where the plane begins.
    pub const fn s_beam_m(&self) -> f64 {
        self.placement.s_beam_m
    }

    /// The point nearest the sample along fast, in metres from where the plane begins.
    pub const fn f_close_m(&self) -> f64 {
        self.placement.f_close_m
    }

    /// The point nearest the sample along slow, in metres from where the plane begins.
    pub const fn s_close_m(&self) -> f64 {
        self.placement.s_close_m
    }

    /// The point nearest the sample along fast in pixels, as XDS counts them.
    pub fn org_x(&self) -> f64 {
        self.placement.f_close_m / self.pixel_size_m + 0.5
    }

    /// The point nearest the sample along slow in pixels, as XDS counts them.
    pub fn org_y(&self) -> f64 {
        self.placement.s_close_m / self.pixel_size_m + 0.5
    }

    /// The corner of the first pixel as DIALS writes it: `(pix0.z, pix0.y, -pix0.x)` in mm.
    pub fn dials_origin_mm(&self) -> [f64; 3] {
        let pix0 = self.pix0_m();
        // As inner products, which is where a written zero gets its sign.
        [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]].map(|axis| 1000.0 * dot(pix0, axis))
    }

    /// The unit vector `direction` in the frame of the panel, `(b.f, b.s, b.o)`: of the beam, XDS's
    /// INCIDENT_BEAM_DIRECTION.
    pub fn in_own_frame(&self, direction: [f64; 3]) -> [f64; 3] {
        let Placement {
            fast, slow, normal, ..
        } = self.placement;
        [fast, slow, normal].map(|axis| dot(direction, axis))
    }

    /// The shape.
    pub const fn surface(&self) -> Surface {
        self.surface
    }

    /// Whether a curved panel is bent along its own axes instead of laboratory y and z.
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

    /// The smallest and the largest count that can be trusted, where a file states them.
    pub const fn trusted_range(&self) -> Option<[f64; 2]> {
        self.trusted_range
    }

    /// The pixels that are rendered, but for those that the mask leaves out.
    pub const fn roi(&self) -> Roi {
        self.roi
    }

    /// The pixels that are left out; `None` leaves out none.
    pub const fn mask(&self) -> Option<&Mask> {
        self.mask.as_ref()
    }

    /// Whether a pixel is rendered: inside the region of interest, and not left out by the mask.
    pub fn uses(&self, fast: u32, slow: u32) -> bool {
        let in_mask = |mask: &Mask| mask.row(slow as usize).get(fast as usize) == Some(&true);
        self.roi.contains(fast, slow) && self.mask().is_none_or(in_mask)
    }

    /// The panel with another region of interest.
    ///
    /// # Errors
    /// [`Error::RoiOutside`] unless the region lies on the panel.
    pub fn with_roi(mut self, roi: Roi) -> Result<Self, Error> {
        self.roi = roi.on(self.pixels_fast, self.pixels_slow)?;
        Ok(self)
    }

    /// The panel with a mask, or without any.
    ///
    /// # Errors
    /// [`Error::MaskSize`] if the mask has other pixels than the panel.
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
        self.mask = mask;
        Ok(self)
    }

    /// The part of this panel from pixel `fast[0]` to `fast[1]` and `slow[0]` to `slow[1]` (both
    /// ends included; negative ends are the edges), as a panel of its own.
    ///
    /// It keeps the plane of the whole and remembers where on it its first pixel lies. Its pixels
    /// are therefore those of the whole to the last bit; a corner worked out anew would be rounded.
    ///
    /// # Errors
    /// [`Error::RoiOutside`] and [`Error::RoiReversed`].
    pub fn cut(&self, name: String, fast: [i64; 2], slow: [i64; 2]) -> Result<Self, Error> {
        let part = Roi::new(fast, slow, self.pixels_fast, self.pixels_slow)?;
        let (first_fast, first_slow) = (*part.fast().start(), *part.slow().start());
        let pixels_fast = *part.fast().end() - first_fast + 1;
        let pixels_slow = *part.slow().end() - first_slow + 1;
        let mask = self.mask().map(|mask| mask.crop(&part));
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
            ..self.clone()
        })
    }

    /// The place in metres of the point `f_m`, `s_m` along fast and slow from the point the plane
    /// begins at, `o_m` deep in the sensor.
    pub fn position_m(&self, f_m: f64, s_m: f64, o_m: f64) -> [f64; 3] {
        self.position_placed(&self.placement, f_m, s_m, o_m)
    }

    /// The place in metres of the middle of a pixel, at the front of the sensor.
    pub fn middle_m(&self, fast: u32, slow: u32) -> [f64; 3] {
        let along = |pixel: u32, first: u32| {
            (f64::from(pixel) + f64::from(first) + 0.5) * self.pixel_size_m
        };
        let [first_fast, first_slow] = self.first_pixel;
        self.position_m(along(fast, first_fast), along(slow, first_slow), 0.0)
    }

    /// [`position_m`](Self::position_m) of a panel placed elsewhere, in numbers that may carry
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

    /// Where a ray from the sample along `direction` meets the flat panel or its continuation, as
    /// fast and slow in pixels from the corner of the first one. `None` if it runs along the panel
    /// or away from it, or if the panel is curved.
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
        let [first_fast, first_slow] = self.first_pixel.map(f64::from);
        Some((
            f_m / self.pixel_size_m - first_fast,
            s_m / self.pixel_size_m - first_slow,
        ))
    }
}

/// A detector: one panel or more, in the order in which images hold them.
#[derive(Clone, Debug, PartialEq)]
pub struct Detector {
    /// Never empty.
    panels: Vec<Panel>,
}

impl Detector {
    /// A detector of these panels.
    ///
    /// # Errors
    /// [`Error::NoPanels`] for an empty list, [`Error::PanelName`] if two panels have one name.
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

    /// The first panel, which is the only one of most detectors.
    pub fn first(&self) -> &Panel {
        &self.panels[0]
    }

    /// The number of pixels of all panels.
    pub fn pixel_count(&self) -> usize {
        let counts = self.panels.iter().map(Panel::pixel_count);
        counts.fold(0, usize::saturating_add)
    }

    /// Fast and slow pixels of every panel if all have as many; `None` otherwise.
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

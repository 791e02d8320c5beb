//! The user's description of a detector.

use serde::{Deserialize, Serialize};

use crate::convention::{Convention, CustomAxes};
use crate::detector::attached::AttachedPanel;
use crate::detector::sensor::SensorSpec;
use crate::gaps::Gaps;
use crate::in_unit;
use crate::pivot::Pivot;
use crate::units::{Angle, Length};

/// The shape of the detector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Surface {
    /// A plane.
    #[default]
    Flat,
    /// Every pixel equally far from the sample.
    Curved,
}

/// The photons that a pixel collects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PixelKind {
    /// The photons in the solid angle of its square.
    #[default]
    Facet,
    /// The photons at a point, in proportion to the inverse square of its distance.
    Point,
}

/// The oddities of the reference program that are corrected when a detector is placed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct GeometryFixes {
    /// `pivot`: [`DetectorSpec::explicit_pivot`] replaces the pivot of the convention.
    pub pivot: bool,
    /// `beam-centre`: every way of giving the centre is valid in every convention.
    pub beam_centre: bool,
    /// `thickness`: the layers of a sensor fill it, [`LayerRule::Filling`](super::LayerRule).
    pub thickness: bool,
    /// `curved`: the curved detector is bent along its own axes.
    pub curved: bool,
    /// `ignored-input`: [`DetectorSpec::pix0_m`] places the detector.
    pub ignored_input: bool,
    /// `twotheta-distance`: distances along the beam and the beam spot include two-theta.
    pub twotheta_distance: bool,
}

/// A detector as the user describes it. `None` is for numbers that were not given.
///
/// ```
/// use nanobragg_geometry::{Convention, DetectorSpec, Laboratory, Length};
///
/// let laboratory = Laboratory::new(&DetectorSpec {
///     convention: Convention::Xds,
///     distance: Length::from_mm(250.0),
///     org_x: Some(512.5),
///     org_y: Some(512.5),
///     ..DetectorSpec::default()
/// })?;
/// assert_eq!(laboratory.panel().pix0_m()[2], 0.25);
/// # Ok::<(), nanobragg_geometry::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DetectorSpec {
    /// The edge of the square pixels, 0.1 mm by default.
    #[serde(rename = "pixel_size_mm", with = "in_unit::mm")]
    pub pixel_size: Length,
    /// The size along fast, 102.4 mm by default. Ignored if the number of pixels is given.
    #[serde(rename = "size_fast_mm", with = "in_unit::mm")]
    pub size_fast: Length,
    /// The size along slow, 102.4 mm by default. Ignored if the number of pixels is given.
    #[serde(rename = "size_slow_mm", with = "in_unit::mm")]
    pub size_slow: Length,
    /// The number of pixels along fast.
    pub pixels_fast: Option<u32>,
    /// The number of pixels along slow.
    pub pixels_slow: Option<u32>,
    /// The distance from sample to beam spot, 100 mm by default. Ignored if the close distance is
    /// given.
    #[serde(rename = "distance_mm", with = "in_unit::mm")]
    pub distance: Length,
    /// The distance from sample to detector plane, along its normal.
    #[serde(rename = "close_distance_mm", with = "in_unit::mm")]
    pub close_distance: Option<Length>,
    /// X of the beam centre, as the convention defines it.
    #[serde(rename = "x_beam_mm", with = "in_unit::mm")]
    pub x_beam: Option<Length>,
    /// Y of the beam centre, as the convention defines it.
    #[serde(rename = "y_beam_mm", with = "in_unit::mm")]
    pub y_beam: Option<Length>,
    /// The near point along fast; the default of `x_beam` under XDS, DIALS and CUSTOM.
    #[serde(rename = "x_close_mm", with = "in_unit::mm")]
    pub x_close: Option<Length>,
    /// The near point along slow; the default of `y_beam` under XDS, DIALS and CUSTOM.
    #[serde(rename = "y_close_mm", with = "in_unit::mm")]
    pub y_close: Option<Length>,
    /// The near point along fast in pixels; 0.5 is the outer edge of the first pixel.
    #[serde(rename = "org_x_px")]
    pub org_x: Option<f64>,
    /// The near point along slow in pixels; 0.5 is the outer edge of the first pixel.
    #[serde(rename = "org_y_px")]
    pub org_y: Option<f64>,
    /// The convention.
    pub convention: Convention,
    /// The axes of [`Convention::Custom`].
    pub axes: CustomAxes,
    /// The pivot of [`Convention::Custom`]; the beam if `None`.
    pub pivot: Option<Pivot>,
    /// The pivot that the user asked for explicitly. Named conventions ignore it unless
    /// [`GeometryFixes::pivot`] is set.
    pub explicit_pivot: Option<Pivot>,
    /// The corner of the first pixel in metres. It places a detector of [`Convention::Custom`] if
    /// [`GeometryFixes::ignored_input`] is set; otherwise it is ignored.
    pub pix0_m: Option<[f64; 3]>,
    /// Rotations about laboratory X, Y and Z, applied in this order.
    #[serde(rename = "rotations_deg", with = "in_unit::deg")]
    pub rotations: [Angle; 3],
    /// The rotation about the two-theta axis, applied last.
    #[serde(rename = "twotheta_deg", with = "in_unit::deg")]
    pub twotheta: Angle,
    /// The shape.
    pub surface: Surface,
    /// The photons that a pixel collects.
    pub pixel_kind: PixelKind,
    /// The sensor.
    pub sensor: SensorSpec,
    /// The gaps between the modules of the panel that the fields above describe; `None` for no gaps.
    pub gaps: Option<Gaps>,
    /// The maker's name of the detector, for headers.
    pub model: Option<String>,
    /// The name of the panel, `Panel` by default.
    pub name: Option<String>,
    /// The smallest and the largest count that can be trusted, if a file states them.
    #[serde(rename = "trusted_range_counts")]
    pub trusted_range: Option<[f64; 2]>,
    /// The other panels of the detector. They keep their positions relative to the panel that the
    /// fields above describe.
    #[serde(rename = "other_panels")]
    pub others: Vec<AttachedPanel>,
    /// The oddities that are corrected.
    #[serde(skip)]
    pub fixes: GeometryFixes,
}

impl Default for DetectorSpec {
    fn default() -> Self {
        Self {
            pixel_size: Length::from_mm(0.1),
            size_fast: Length::from_mm(102.4),
            size_slow: Length::from_mm(102.4),
            pixels_fast: None,
            pixels_slow: None,
            distance: Length::from_mm(100.0),
            close_distance: None,
            x_beam: None,
            y_beam: None,
            x_close: None,
            y_close: None,
            org_x: None,
            org_y: None,
            convention: Convention::default(),
            axes: CustomAxes::default(),
            pivot: None,
            explicit_pivot: None,
            pix0_m: None,
            rotations: [Angle::default(); 3],
            twotheta: Angle::default(),
            surface: Surface::default(),
            pixel_kind: PixelKind::default(),
            sensor: SensorSpec::default(),
            gaps: None,
            model: None,
            name: None,
            trusted_range: None,
            others: Vec::new(),
            fixes: GeometryFixes::default(),
        }
    }
}

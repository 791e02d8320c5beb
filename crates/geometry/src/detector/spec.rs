//! What a user says about a detector.

use serde::{Deserialize, Serialize};

use crate::convention::{Convention, CustomAxes};
use crate::detector::attached::AttachedPanel;
use crate::detector::sensor::SensorSpec;
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

/// What a pixel collects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PixelKind {
    /// A facet of the detector, by the solid angle it fills.
    #[default]
    Facet,
    /// A point, by the inverse square of its distance alone.
    Point,
}

/// Which of the reference program's oddities in placing a detector are put right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct GeometryFixes {
    /// `pivot`: [`DetectorSpec::explicit_pivot`] wins over the convention's.
    pub pivot: bool,
    /// `beam-centre`: any way of giving the centre counts in any convention.
    pub beam_centre: bool,
    /// `thickness`: n layers of a sensor are a distance of thickness/n apart.
    pub thickness: bool,
    /// `curved`: the curved detector is bent along its own axes.
    pub curved: bool,
    /// `ignored-input`: [`DetectorSpec::pix0_m`] places the detector.
    pub ignored_input: bool,
}

/// A detector as the user described it; `None` where nothing was said.
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
    /// The size along fast, 102.4 mm by default; not looked at if the pixels are counted.
    #[serde(rename = "size_fast_mm", with = "in_unit::mm")]
    pub size_fast: Length,
    /// The size along slow, 102.4 mm by default; not looked at if the pixels are counted.
    #[serde(rename = "size_slow_mm", with = "in_unit::mm")]
    pub size_slow: Length,
    /// The number of pixels along fast.
    pub pixels_fast: Option<u32>,
    /// The number of pixels along slow.
    pub pixels_slow: Option<u32>,
    /// From sample to beam spot, 100 mm by default; not looked at if the next one is given.
    #[serde(rename = "distance_mm", with = "in_unit::mm")]
    pub distance: Length,
    /// From sample to detector plane, along its normal.
    #[serde(rename = "close_distance_mm", with = "in_unit::mm")]
    pub close_distance: Option<Length>,
    /// The beam centre's X in the sense of the convention.
    #[serde(rename = "x_beam_mm", with = "in_unit::mm")]
    pub x_beam: Option<Length>,
    /// The beam centre's Y in the sense of the convention.
    #[serde(rename = "y_beam_mm", with = "in_unit::mm")]
    pub y_beam: Option<Length>,
    /// The near point along fast; the default of `x_beam` under XDS, DIALS and CUSTOM.
    #[serde(rename = "x_close_mm", with = "in_unit::mm")]
    pub x_close: Option<Length>,
    /// The near point along slow; the default of `y_beam` under XDS, DIALS and CUSTOM.
    #[serde(rename = "y_close_mm", with = "in_unit::mm")]
    pub y_close: Option<Length>,
    /// The near point along fast in pixels; 0.5 is the corner of the first pixel.
    #[serde(rename = "org_x_px")]
    pub org_x: Option<f64>,
    /// The near point along slow in pixels; 0.5 is the corner of the first pixel.
    #[serde(rename = "org_y_px")]
    pub org_y: Option<f64>,
    /// The convention.
    pub convention: Convention,
    /// The axes of [`Convention::Custom`].
    pub axes: CustomAxes,
    /// The pivot of [`Convention::Custom`]; the beam if `None`.
    pub pivot: Option<Pivot>,
    /// The pivot asked for, whatever the convention: named conventions follow it only with
    /// [`GeometryFixes::pivot`].
    pub explicit_pivot: Option<Pivot>,
    /// The corner of the first pixel in metres: [`Convention::Custom`] follows it only with
    /// [`GeometryFixes::ignored_input`].
    pub pix0_m: Option<[f64; 3]>,
    /// Rotations about laboratory X, Y and Z, applied in this order.
    #[serde(rename = "rotations_deg", with = "in_unit::deg")]
    pub rotations: [Angle; 3],
    /// The rotation about the two-theta axis, applied last.
    #[serde(rename = "twotheta_deg", with = "in_unit::deg")]
    pub twotheta: Angle,
    /// The shape.
    pub surface: Surface,
    /// What a pixel collects.
    pub pixel_kind: PixelKind,
    /// The sensor.
    pub sensor: SensorSpec,
    /// The name of the panel, `Panel` by default.
    pub name: Option<String>,
    /// The smallest and the largest count that can be trusted, where a file states them.
    #[serde(rename = "trusted_range_counts")]
    pub trusted_range: Option<[f64; 2]>,
    /// The other panels of the detector. They keep their places relative to the panel that all
    /// fields above describe.
    #[serde(rename = "other_panels")]
    pub others: Vec<AttachedPanel>,
    /// The oddities put right.
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
            name: None,
            trusted_range: None,
            others: Vec::new(),
            fixes: GeometryFixes::default(),
        }
    }
}

//! Detector, beam and spindle in the laboratory frame.
//!
//! Beamline programs use different axes for the laboratory and different definitions of a beam
//! centre. This crate accepts the numbers in the convention of each supported program. It returns
//! the laboratory position of every point of the detector, with the sample at the origin. The
//! detector is a plane through the outer corner `pix0` of its first pixel, spanned by the unit
//! vectors fast and slow:
//!
//! ```text
//!   pix0 +--------------> fast (F)        position = F fast + S slow + O normal + pix0
//!        |. . . . . . .
//!        |. . x . . . .                   x  beam spot:  where the direct beam hits
//!        |. . . . o . .                   o  near point: the foot of the normal from the
//!        v                                               sample, where it is closest
//!   slow (S)
//! ```
//!
//! The directions of the axes are in [`convention`], the definitions of a beam centre in
//! [`detector::centre`], and the rotations of the plane in [`mod@detector::place`].
//!
//! ```
//! use nanobragg_geometry::{Convention, DetectorSpec, Laboratory, Length};
//!
//! // A beam centre of (40, 60) mm in ADXV's sense: Y is measured from the far end of slow.
//! let laboratory = Laboratory::new(&DetectorSpec {
//!     convention: Convention::Adxv,
//!     x_beam: Some(Length::from_mm(40.0)),
//!     y_beam: Some(Length::from_mm(60.0)),
//!     ..DetectorSpec::default()
//! })?;
//! let beam = laboratory.beam.direction();
//! let (fast, slow) = laboratory.panel().pixel_at(beam).expect("the beam hits the detector");
//! assert!((fast - 400.0).abs() < 1e-9);
//! assert!((slow - (1024.0 - 600.0)).abs() < 1e-9);
//! # Ok::<(), nanobragg_geometry::Error>(())
//! ```
//!
//! Formulas are generic over [`nanobragg_numeric::Real`], so that they also return derivatives.
//! They keep the order of operations of the reference program, the C program nanoBragg.

#![forbid(unsafe_code)]

pub mod beam;
pub mod beam_stop;
pub mod convention;
pub mod detector;
pub mod error;
pub mod gaps;
pub mod goniometer;
pub mod in_unit;
pub mod mask;
pub mod panel;
pub mod pivot;
pub mod roi;
pub mod rotation;
pub mod units;
pub mod vector;

pub use beam::BeamFrame;
pub use beam_stop::{BeamStop, BeamStopSpec, HolderSpec, Shade};
pub use convention::{Axes, Convention, CustomAxes};
pub use detector::{
    AXIS_TOLERANCE, AttachedPanel, Attenuation, BeamCentre, CentreInput, DetectorSpec,
    GeometryFixes, Laboratory, LayerRule, Layout, PixelKind, Placement, PlacementInput, Sensor,
    SensorMaterial, SensorSpec, Surface, Warning, capture_fraction, curved_position,
    curved_position_own_frame, flat_position, place, point_solid_angle, solid_angle,
    subpixel_offset,
};
pub use error::{Error, PixelAxis};
pub use gaps::Gaps;
pub use goniometer::Goniometer;
pub use mask::Mask;
pub use panel::{Detector, Panel};
pub use pivot::Pivot;
pub use roi::Roi;
pub use rotation::{rotate_about, rotate_by, rotate_xyz};
pub use units::{Angle, Length};
pub use vector::Vec3;

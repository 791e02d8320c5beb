//! From the user's description of a detector to panels in the laboratory.
//!
//! 1. [`spec`]: the user's description, [`DetectorSpec`].
//! 2. [`centre`]: the beam spot and the near point of a beam centre, for each convention.
//! 3. [`mod@place`]: the corner of the first pixel and the rotated axes, from beam spot or near
//!    point, distance and rotations.
//! 4. `attached`: the other panels of a detector, rigidly attached to the first.
//! 5. [`sensor`]: the layers of the sensor.
//! 6. [`layout`]: the result of all steps, [`Laboratory`], with its [`warning`]s.
//! 7. [`pixel`] and [`mod@solid_angle`]: the formulas that are evaluated for every pixel.

mod attached;
pub mod centre;
mod ignored;
pub mod layout;
pub mod pixel;
pub mod place;
mod resolve;
pub mod sensor;
mod shift;
pub mod solid_angle;
pub mod spec;
mod tilt;
pub mod warning;

pub use attached::{AXIS_TOLERANCE, AttachedPanel};
pub use centre::{BeamCentre, CentreInput};
pub use layout::{Laboratory, Layout};
pub use pixel::{curved_position, curved_position_own_frame, flat_position, subpixel_offset};
pub use place::{Placement, PlacementInput, place};
pub use sensor::{Attenuation, LayerRule, Sensor, SensorMaterial, SensorSpec, capture_fraction};
pub use solid_angle::{point_solid_angle, solid_angle};
pub use spec::{DetectorSpec, GeometryFixes, PixelKind, Surface};
pub use warning::Warning;

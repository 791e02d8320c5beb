//! The geometry in an `XDS.INP`, or in an `XPARM.XDS`, which has the same numbers without keywords.
//!
//! | keywords | what they say |
//! |---|---|
//! | `NX NY QX QY` | pixels and their edges in mm |
//! | `ORGX ORGY DETECTOR_DISTANCE` | where the normal through the sample meets the detector, in pixels from 1, and how far, negative against X x Y |
//! | `DIRECTION_OF_DETECTOR_X-AXIS`, `..._Y-AXIS` | fast and slow |
//! | `INCIDENT_BEAM_DIRECTION X-RAY_WAVELENGTH` | the beam, from source to sample |
//! | `FRACTION_OF_POLARIZATION POLARIZATION_PLANE_NORMAL` | its polarization |
//! | `ROTATION_AXIS OSCILLATION_RANGE STARTING_ANGLE` | the spindle; with `STARTING_FRAME` and `DATA_RANGE` the angle of the first image |
//! | `UNIT_CELL_A-AXIS`, `..._B-AXIS`, `..._C-AXIS` | the cell at phi 0 |
//! | `UNIT_CELL_CONSTANTS` with `SPACE_GROUP_NUMBER` | a cell without orientation |
//! | `SEGMENT`, `DIRECTION_OF_SEGMENT_X-AXIS`, `..._Y-AXIS`, `SEGMENT_ORGX`, `..._ORGY`, `..._DISTANCE` | a panel of several |
//! | `UNTRUSTED_RECTANGLE` | masked pixels |
//! | `SENSOR_THICKNESS SILICON` | the sensor, in mm and 1/mm |
//!
//! Vectors are those of the laboratory of XDS: that of [`super::frame`] turned by half a turn about x.

mod entry;
mod keywords;
mod read;
mod segments;
mod write;
mod xparm;

pub use read::{parse, read};
pub use write::{ImageFormat, Images, write};

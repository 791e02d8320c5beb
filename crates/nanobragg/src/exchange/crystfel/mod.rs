//! Files of CrystFEL.
//!
//! | file | content | in and out |
//! |---|---|---|
//! | `.geom` | detector | [`read()`], [`write()`] |
//! | `.cell` | unit cell | [`read_cell`] |
//! | `.stream` | for each image its spots, crystal and reflections | [`stream_head`], [`stream_chunk`] |
//! | `.sol` | for each image its orientation | [`solution`] |
//!
//! ```text
//!            y  towards the zenith
//!            |
//!            |      z  along the beam
//!   beam ----o----> z         (o: the sample)
//!           /
//!          x   completes a right-handed set: the left of one who looks along the beam
//! ```
//!
//! x and z are those of dxtbx with their signs changed, y is the same: half a turn about y
//! ([`turned_about_y`]). A point `f`, `s` of a panel, in pixels from the outer corner of its first one, is at
//!
//! ```text
//! x = (corner_x + f fs.x + s ss.x) / res + detector_shift_x
//! y = (corner_y + f fs.y + s ss.y) / res + detector_shift_y
//! z = clen + coffset + (f fs.z + s ss.z) / res
//! ```

mod bad;
mod cell;
mod entry;
mod groups;
mod keys;
mod lattice;
mod layout;
mod mask_file;
mod panel;
mod read;
mod stream;
mod write;

pub use cell::{parse_cell, read_cell};
pub(crate) use stream::each_chunk;
pub use stream::{ImageName, solution, stream_chunk, stream_head};

pub use groups::Groups;
pub use layout::DataLayout;
pub use read::{Outside, mask_files, parse, read};
pub use write::{Layout, write};

/// Half a turn about y: from dxtbx's laboratory to CrystFEL's, or back. It rounds no number.
pub fn turned_about_y([x, y, z]: [f64; 3]) -> [f64; 3] {
    [0.0 - x, y, 0.0 - z]
}

//! SMV images, as ADSC detectors and d*TREK write them: a header of text, then pixels. Integers of 16 and 32 bits are
//! written; integers of 8 to 32 bits and floats are read.
//!
//! ```text
//! {
//! HEADER_BYTES=512;       length of the header, blanks included
//! DIM=2;
//! BYTE_ORDER=little_endian;
//! TYPE=unsigned_short;
//! SIZE1=61;               fast pixels
//! SIZE2=47;               slow pixels
//! DISTANCE=100;           further keys, see Fields
//! }<form feed, then blanks up to HEADER_BYTES, then pixels [slow][fast]>
//! ```
//!
//! The C program states 512 bytes even if its header is longer, and starts the pixels directly
//! after the header. [`read`] accepts such a file if its length proves where the pixels start.

mod fields;
mod header;
mod number_type;
mod read;
mod write;

pub use fields::Fields;
pub use header::Header;
pub use read::{parse, read, read_header};
pub use write::{SmvPixel, write};

/// The length of a header is a multiple of this number of bytes.
const BLOCK: usize = 512;

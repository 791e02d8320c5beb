//! Writing a CBF.

use std::io::Write;

use super::header::{lines, tables};
use super::{BOUNDARY, START, byte_offset, md5_base64};
use crate::exposure::marked;
use crate::{Exposure, Image, Result};

/// The number of zeroes after the pixels, so that a reader of blocks of 4096 bytes stays in the
/// file.
const PADDING: usize = 4095;

/// Writes `counts` with both headers of `exposure`. Masked pixels become negative.
///
/// # Errors
/// Errors of the writer.
///
/// ```
/// use nanobragg_io::{Exposure, Image, cbf};
///
/// let counts = Image::new(2, 1, vec![70000, -1])?;
/// let mut file = Vec::new();
/// cbf::write(&mut file, &Exposure::default(), &counts)?;
/// assert_eq!(cbf::parse(&file)?, counts);
/// # Ok::<(), nanobragg_io::Error>(())
/// ```
pub fn write(mut writer: impl Write, exposure: &Exposure, counts: &Image<i32>) -> Result<()> {
    let (fast, slow) = (counts.fast(), counts.slow());
    let packed = byte_offset::compress(&marked(counts.pixels(), &exposure.masked));
    let version = env!("CARGO_PKG_VERSION");
    write!(
        writer,
        "###CBF: VERSION 1.5, nanoBragg {version}\r\n\r\ndata_image\r\n\r\n{tables}\
         _array_data.array_id ARRAY\r\n_array_data.binary_id 1\r\n\
         _array_data.header_convention \"GENERIC_MINI\"\r\n\
         _array_data.header_contents\r\n;\r\n{lines};\r\n\r\n\
         _array_data.data\r\n;\r\n{BOUNDARY}\r\n\
         Content-Type: application/octet-stream;\r\n     conversions=\"x-CBF_BYTE_OFFSET\"\r\n\
         Content-Transfer-Encoding: BINARY\r\n\
         X-Binary-Size: {size}\r\nX-Binary-ID: 1\r\n\
         X-Binary-Element-Type: \"signed 32-bit integer\"\r\n\
         X-Binary-Element-Byte-Order: LITTLE_ENDIAN\r\n\
         Content-MD5: {md5}\r\n\
         X-Binary-Number-of-Elements: {count}\r\n\
         X-Binary-Size-Fastest-Dimension: {fast}\r\n\
         X-Binary-Size-Second-Dimension: {slow}\r\n\
         X-Binary-Size-Padding: {PADDING}\r\n\r\n",
        tables = tables(exposure, fast, slow),
        lines = lines(exposure),
        size = packed.len(),
        md5 = md5_base64(&packed),
        count = counts.pixels().len(),
    )?;
    writer.write_all(&START)?;
    writer.write_all(&packed)?;
    writer.write_all(&[0; PADDING])?;
    Ok(write!(writer, "\r\n{BOUNDARY}--\r\n;\r\n\r\n")?)
}

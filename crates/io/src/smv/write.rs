//! Writing an SMV image.

use std::io::Write;

use super::{BLOCK, Fields};
use crate::bytes::write_pixels;
use crate::{Image, Result};

/// A pixel that can be written.
pub trait SmvPixel: Copy {
    /// The name of the type in a header.
    const TYPE: &str;

    /// Writes pixels, little-endian.
    ///
    /// # Errors
    /// Errors of the writer.
    fn write_all(pixels: &[Self], writer: impl Write) -> std::io::Result<()>;
}

impl SmvPixel for u16 {
    const TYPE: &str = "unsigned_short";

    fn write_all(pixels: &[Self], writer: impl Write) -> std::io::Result<()> {
        write_pixels(writer, pixels, Self::to_le_bytes)
    }
}

impl SmvPixel for i32 {
    const TYPE: &str = "long_integer";

    fn write_all(pixels: &[Self], writer: impl Write) -> std::io::Result<()> {
        write_pixels(writer, pixels, Self::to_le_bytes)
    }
}

/// Writes a header, with the keys that describe the file and then `fields`, and the `counts`,
/// little-endian.
///
/// `HEADER_BYTES` is 512, or the next multiple of 512 that holds the header.
///
/// # Errors
/// Errors of the writer.
pub fn write<P: SmvPixel>(
    mut writer: impl Write,
    fields: &Fields,
    counts: &Image<P>,
) -> Result<()> {
    let mut length = BLOCK;
    let mut text = header(fields, counts, length);
    // `HEADER_BYTES` may get one digit longer, so the new length is checked again.
    while text.len() > length {
        length = text.len().next_multiple_of(BLOCK);
        text = header(fields, counts, length);
    }
    let mut block = text.into_bytes();
    block.resize(length, b' ');
    writer.write_all(&block)?;
    Ok(P::write_all(counts.pixels(), writer)?)
}

fn header<P: SmvPixel>(fields: &Fields, counts: &Image<P>, length: usize) -> String {
    let mut text = format!(
        "{{\nHEADER_BYTES={length};\nDIM=2;\nBYTE_ORDER=little_endian;\nTYPE={};\n\
         SIZE1={};\nSIZE2={};\n",
        P::TYPE,
        counts.fast(),
        counts.slow()
    );
    for (key, value) in fields.iter() {
        text.extend([key, "=", value, ";\n"]);
    }
    text.push_str("}\x0c");
    let mut behind = fields.behind().peekable();
    if behind.peek().is_some() {
        // The zero ends the text for programs in C that search it as a string.
        text.push('\0');
    }
    for (key, value) in behind {
        // Without `;`, which dxtbx does not need, so that most headers keep their 512 bytes.
        text.extend(["\n", key, "=", value]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smv::Header;

    fn file_with(value: &str) -> Vec<u8> {
        let mut fields = Fields::new();
        fields.push_text("A", value).unwrap();
        let mut file = Vec::new();
        write(
            &mut file,
            &fields,
            &Image::new(2, 1, vec![258_u16, 3]).unwrap(),
        )
        .unwrap();
        file
    }

    #[test]
    fn a_short_header_is_as_the_c_program_writes_it() {
        let file = file_with("1");
        let expected = "{\nHEADER_BYTES=512;\nDIM=2;\nBYTE_ORDER=little_endian;\n\
                        TYPE=unsigned_short;\nSIZE1=2;\nSIZE2=1;\nA=1;\n}\x0c";
        let (header, pixels) = file.split_at(512);
        assert_eq!(header, format!("{expected:512}").as_bytes());
        assert_eq!(pixels, [2, 1, 3, 0]);
    }

    #[test]
    fn lines_behind_the_end_are_no_part_of_the_header() {
        let mut fields = Fields::new();
        fields.push_text("A", "1").unwrap();
        fields.push_behind("A", "2").unwrap();
        let mut file = Vec::new();
        write(&mut file, &fields, &Image::new(1, 1, vec![0_u16]).unwrap()).unwrap();
        assert_eq!(file.len(), 512 + 2);
        let text = std::str::from_utf8(&file[..512]).unwrap().trim_end();
        assert!(text.ends_with("A=1;\n}\x0c\0\nA=2"));
        let header = Header::parse(&file).unwrap();
        assert_eq!(header.number("A").unwrap(), Some(1.0));
    }

    #[test]
    fn a_long_header_states_its_length_at_every_edge() {
        for count in (380..450)
            .chain(890..960)
            .chain([9000, 9900, 9999, 10_100, 70_000])
        {
            // The é has two bytes: the length counts bytes, not letters.
            let value = format!("é{}", "x".repeat(count));
            let file = file_with(&value);
            let header = Header::parse(&file).unwrap();
            let stated: usize = header.exact("HEADER_BYTES").unwrap().parse().unwrap();
            assert_eq!(stated, header.length().next_multiple_of(512));
            assert_eq!(file.len(), stated + 4);
            assert_eq!(header.exact("A"), Some(value.as_str()));
            assert!(
                file[header.length()..stated]
                    .iter()
                    .all(|&byte| byte == b' ')
            );
        }
    }
}

//! SMV files of the C program, and files with wrong headers.

#![allow(clippy::panic, reason = "what fails here fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use nanobragg_io::{Error, Image, Output, StoredPixels, printf, smv};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

/// `smv::read` of a file of these bytes. The error must name the file, and `smv::read_header` must
/// agree.
fn read(bytes: &[u8]) -> Result<(smv::Header, StoredPixels), Error> {
    let file = tempfile::NamedTempFile::new().expect("the temporary folder can be written");
    fs::write(file.path(), bytes).expect("the temporary folder can be written");
    assert_eq!(
        smv::read_header(file.path()).map_err(|error| error.to_string()),
        smv::read(file.path())
            .map(|(header, _)| header)
            .map_err(|error| error.to_string()),
    );
    smv::read(file.path()).map_err(|error| {
        assert!(
            matches!(&error, Error::InFile { path, .. } if path == file.path()),
            "{error}"
        );
        match error {
            Error::InFile { fault, .. } => *fault,
            other => other,
        }
    })
}

/// Counts of 16 bits, and how many are along fast and slow.
fn counts(pixels: &StoredPixels) -> &Image<u16> {
    match pixels {
        StoredPixels::U16(image) => image,
        other => panic!("{other:?}"),
    }
}

fn file(header: &str, pixels: &[u8]) -> Vec<u8> {
    [format!("{header:512}").as_bytes(), pixels].concat()
}

#[test]
fn percent_g_agrees_with_c() {
    let table = fs::read_to_string(data("percent_g.txt")).unwrap();
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let [bits, six, three] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let x = f64::from_bits(u64::from_str_radix(bits, 16).unwrap());
        assert_eq!(printf::general(x), six, "{x:e}");
        assert_eq!(printf::general_with(x, 3), three, "{x:e}");
    }
}

#[test]
fn a_file_of_the_c_program_is_read() {
    let (header, pixels) = smv::read(data("own.img")).unwrap();
    let image = counts(&pixels);
    assert_eq!((image.fast(), image.slow()), (61, 47));
    assert_eq!(header.number("XDS_ORGX").unwrap(), Some(28.5));
    assert_eq!(header.number_of_c("ORGX"), Some(28.5));
    assert_eq!(header.number("DISTANCE").unwrap(), Some(73.5));
    assert_eq!(header.number_of_c("DISTANCE"), Some(72.0));
    assert_eq!(image.get(60, 46), Some(&9));
}

#[test]
fn an_overlong_header_of_the_c_program_is_read_if_the_length_fits() {
    let bytes = fs::read(data("overrun.img")).unwrap();
    let (header, pixels) = smv::read(data("overrun.img")).unwrap();
    let image = counts(&pixels);
    assert_eq!(
        (header.length(), header.exact("HEADER_BYTES")),
        (526, Some("512"))
    );
    assert_eq!(header.number("TWOTHETA").unwrap(), Some(7.77777));
    let first = u16::from_le_bytes([bytes[526], bytes[527]]);
    assert_eq!(image.get(0, 0), Some(&first));
    // With one byte more or less, the length does not prove where the pixels start.
    for other in [&bytes[..bytes.len() - 1], &[&bytes[..], b"\0"].concat()] {
        assert!(matches!(
            read(other),
            Err(Error::Unclosed { header_bytes: 512 })
        ));
    }
}

#[test]
fn both_byte_orders_are_read() {
    let header = "{\nHEADER_BYTES=512;\nBYTE_ORDER=big_endian;\nSIZE1=2;\nSIZE2=1;\n}\x0c";
    assert_eq!(
        counts(&read(&file(header, &[1, 2, 3, 4])).unwrap().1).pixels(),
        [0x0102, 0x0304]
    );
    let header = header.replace("big", "little");
    assert_eq!(
        counts(&read(&file(&header, &[1, 2, 3, 4])).unwrap().1).pixels(),
        [0x0201, 0x0403]
    );
    let header = header.replace("little", "middle");
    assert!(matches!(
        read(&file(&header, &[0; 4])),
        Err(Error::Unsupported { .. })
    ));
}

#[test]
fn a_header_may_be_shorter_than_a_block() {
    let header = "{\nHEADER_BYTES=64;\nSIZE1=2;\nSIZE2=1;\n}\x0c";
    let bytes = [format!("{header:64}").as_bytes(), &[1, 0, 2, 0]].concat();
    assert_eq!(counts(&read(&bytes).unwrap().1).pixels(), [1, 2]);
}

#[test]
fn a_brace_may_be_the_last_byte_of_the_header() {
    let header = "{\nHEADER_BYTES=38;\nSIZE1=2;\nSIZE2=1;\n}";
    assert_eq!(header.len(), 38);
    let bytes = [header.as_bytes(), &[0x0c, 0, 2, 0]].concat();
    assert_eq!(counts(&read(&bytes).unwrap().1).pixels(), [12, 2]);
}

#[test]
fn wrong_headers_are_errors() {
    let header = |entries: &str| format!("{{\n{entries};\n}}\x0c");
    let fault = |entries: &str| read(&file(&header(entries), &[0; 8])).unwrap_err();
    assert!(matches!(
        fault("SIZE1=2"),
        Error::MissingKey {
            key: "HEADER_BYTES"
        }
    ));
    assert!(matches!(
        fault("HEADER_BYTES=512;SIZE2=2"),
        Error::MissingKey { key: "SIZE1" }
    ));
    assert!(matches!(fault("HEADER_BYTES=0"), Error::Range { .. }));
    assert!(matches!(fault("HEADER_BYTES=-512"), Error::Range { .. }));
    assert!(matches!(fault("HEADER_BYTES=1e300"), Error::Range { .. }));
    assert!(matches!(
        fault("HEADER_BYTES=many"),
        Error::NotANumber { .. }
    ));
    assert!(matches!(
        fault("HEADER_BYTES=20;SIZE1=2;SIZE2=2"),
        Error::Unclosed { .. }
    ));
    assert!(matches!(
        fault("HEADER_BYTES=1024;SIZE1=2;SIZE2=2"),
        Error::Length { .. }
    ));
    assert!(matches!(
        fault("HEADER_BYTES=512;SIZE1=2.5;SIZE2=2"),
        Error::Range { .. }
    ));
    assert!(matches!(
        fault("HEADER_BYTES=512;SIZE1=2;SIZE2=2;TYPE=double"),
        Error::Unsupported { key: "TYPE", .. }
    ));
    assert!(matches!(
        fault("HEADER_BYTES=512;SIZE1=3;SIZE2=2"),
        Error::Length {
            expected: 524,
            found: 520
        }
    ));
    // 8 bytes are 2 x 1 pixels of 32 bits, and nothing says so.
    assert!(matches!(
        fault("HEADER_BYTES=512;SIZE1=2;SIZE2=1"),
        Error::MissingKey { key: "TYPE" }
    ));
    let bomb = fault("HEADER_BYTES=512;SIZE1=2147483647;SIZE2=2147483647");
    assert!(matches!(bomb, Error::Length { found: 520, .. }));
    assert!(matches!(read(b"").unwrap_err(), Error::NotSmv));
    assert!(matches!(smv::read("no such file"), Err(Error::Read { .. })));
    assert!(matches!(smv::read("."), Err(Error::Folder { .. })));
}

#[test]
fn an_error_of_a_full_disk_names_the_file() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let counts = Image::filled(1000, 100, 0).unwrap();
    let mut output = Output::create("/dev/full").unwrap();
    let error = smv::write(&mut output, &smv::Fields::new(), &counts).unwrap_err();
    assert!(
        error.to_string().starts_with("cannot write /dev/full: "),
        "{error}"
    );
}

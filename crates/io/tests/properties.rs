//! Properties of the readers and writers for any file and any number.

use std::fs;
use std::path::Path;

use nanobragg_io::hdf5::Compression;
use nanobragg_io::{Exposure, Image, PixelState, cbf, float, nexus, pgm, png, printf, smv, tiff};
use proptest::prelude::*;

/// Runs `f` on a file of these bytes.
fn with_file<T>(bytes: &[u8], f: impl FnOnce(&Path) -> T) -> T {
    let file = tempfile::NamedTempFile::new().expect("the temporary folder can be written");
    fs::write(file.path(), bytes).expect("the temporary folder can be written");
    f(file.path())
}

fn image<T: std::fmt::Debug + Clone>(
    pixel: impl Strategy<Value = T> + Clone,
) -> impl Strategy<Value = Image<T>> {
    (1_usize..12, 1_usize..12).prop_flat_map(move |(fast, slow)| {
        prop::collection::vec(pixel.clone(), fast * slow)
            .prop_map(move |pixels| Image::new(fast, slow, pixels).expect("fast * slow pixels"))
    })
}

fn fields() -> impl Strategy<Value = smv::Fields> {
    prop::collection::vec(("[A-Z_]{1,12}[0-9]?", "[ -:<-z]{0,40}"), 0..40).prop_map(|pairs| {
        let mut fields = smv::Fields::new();
        for (key, value) in pairs {
            // A key that contains one of these would be found in place of the writer's own.
            if !["HEADER_BYTES", "SIZE1", "SIZE2"]
                .iter()
                .any(|own| key.contains(own))
            {
                let _ = fields.push_text(&key, &value);
            }
        }
        fields
    })
}

/// Changes some of `bytes`.
fn damage(bytes: &mut [u8], damage: &[(prop::sample::Index, u8)]) {
    for (at, byte) in damage {
        let at = at.index(bytes.len());
        bytes[at] = *byte;
    }
}

proptest! {
    #[test]
    fn byte_offset_expands_to_what_was_compressed(
        pixels in prop::collection::vec(
            prop_oneof![
                any::<i32>(),
                -200..200,
                -70_000..70_000,
                Just(i32::MIN),
                Just(i32::MAX),
            ],
            0..300,
        ),
    ) {
        let bytes = cbf::byte_offset::compress(&pixels);
        prop_assert_eq!(cbf::byte_offset::expand(&bytes, pixels.len()).unwrap(), pixels);
    }

    #[test]
    fn cbf_reads_back_what_was_written(counts in image(any::<i32>())) {
        let mut file = Vec::new();
        cbf::write(&mut file, &Exposure::default(), &counts).unwrap();
        prop_assert_eq!(cbf::parse(&file).unwrap(), counts);
    }

    #[test]
    fn damaged_cbf_and_tiff_parse_or_fail(
        counts in image(any::<i32>()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        length in any::<prop::sample::Index>(),
    ) {
        let mut file = Vec::new();
        cbf::write(&mut file, &Exposure::default(), &counts).unwrap();
        damage(&mut file, &changes);
        let _ = cbf::parse(&file);
        let _ = cbf::parse(&file[..length.index(file.len())]);

        let mut file = Vec::new();
        tiff::write_counts(&mut file, &[Exposure::default()], std::slice::from_ref(&counts)).unwrap();
        // The directory is in the first 160 bytes.
        damage(&mut file[..160], &changes);
        let _ = tiff::parse(&file);
        let _ = tiff::parse(&file[..length.index(file.len())]);
    }

    #[test]
    fn nexus_reads_back_what_was_written(
        counts in image(any::<i32>()),
        masked in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        length in any::<prop::sample::Index>(),
        compression in prop::sample::select(Compression::NAMES.to_vec()),
    ) {
        let compression = Compression::named(compression).unwrap();
        let masked = masked.index(counts.pixels().len());
        let exposure = Exposure {
            masked: (0..counts.pixels().len()).map(|pixel| u16::from(pixel == masked)).collect(),
            ..Exposure::default()
        };
        let mut file = Vec::new();
        let panels = [counts.clone(), counts.clone()];
        let exposures = [exposure.clone(), exposure];
        nexus::write_counts(&mut file, &exposures, &panels, compression, &[]).unwrap();
        let (pixels, marks) = nexus::parse(file.clone(), None).unwrap();
        // A gap is -1 in the file.
        let mut marked = counts.pixels().to_vec();
        marked[masked] = -1;
        let marked = Image::new(counts.fast(), counts.slow(), marked).unwrap();
        let both = Image::stacked(&[marked.clone(), marked]).unwrap();
        let states = pixels.states(&marks);
        prop_assert_eq!(pixels, both.clone().into());
        for (pixel, (&count, state)) in both.pixels().iter().zip(states).enumerate() {
            let is_masked = count < 0 || pixel % counts.pixels().len() == masked;
            prop_assert_eq!(state == PixelState::Masked, is_masked);
        }

        let _ = nexus::parse(file[..length.index(file.len())].to_vec(), None);
        damage(&mut file, &changes);
        let _ = nexus::parse(file, None);
    }

    #[test]
    fn any_bytes_parse_or_fail(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let _ = smv::Header::parse(&bytes);
        let _ = cbf::parse(&[b"###CBF--CIF-BINARY-FORMAT-SECTION--", &bytes[..]].concat());
        let _ = nexus::parse([b"\x89HDF\r\n\x1a\n", &bytes[..]].concat(), Some(1));
        let _ = tiff::parse(&[b"II*\0\x08\0\0\0", &bytes[..]].concat());
        with_file(&bytes, |path| {
            let _ = (smv::read(path), smv::read_header(path), pgm::read(path), float::read(path, 3, 5));
        });
        with_file(&[b"{\nHEADER_BYTES=", &bytes[..]].concat(), |path| { let _ = smv::read(path); });
        with_file(&[b"P5\n", &bytes[..]].concat(), |path| { let _ = pgm::read(path); });
    }

    #[test]
    fn damaged_headers_parse_or_fail(
        counts in image(any::<u16>()),
        fields in fields(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        length in any::<prop::sample::Index>(),
    ) {
        let mut bytes = Vec::new();
        smv::write(&mut bytes, &fields, &counts).unwrap();
        for (at, byte) in damage {
            let at = at.index(bytes.len().min(200));
            bytes[at] = byte;
        }
        with_file(&bytes, |path| { let _ = smv::read(path); });
        bytes.truncate(length.index(bytes.len()));
        with_file(&bytes, |path| { let _ = smv::read(path); });
    }

    #[test]
    fn smv_reads_back_what_was_written(counts in image(any::<u16>()), fields in fields()) {
        let mut bytes = Vec::new();
        smv::write(&mut bytes, &fields, &counts).unwrap();
        let (header, back) = with_file(&bytes, |path| smv::read(path)).unwrap();
        prop_assert_eq!(back, counts.into());
        let trimmed = fields.iter().map(|(key, value)| (key, value.trim()));
        prop_assert!(header.entries().skip(6).eq(trimmed));
    }

    #[test]
    fn a_truncated_file_is_an_error(counts in image(any::<u16>()), lost in any::<prop::sample::Index>()) {
        let mut bytes = Vec::new();
        smv::write(&mut bytes, &smv::Fields::new(), &counts).unwrap();
        bytes.truncate(lost.index(bytes.len()));
        prop_assert!(with_file(&bytes, |path| smv::read(path)).is_err());
        prop_assert!(with_file(&bytes, |path| smv::read_header(path)).is_err());
    }

    #[test]
    fn greymaps_and_floats_read_back(
        greys in image(any::<u8>()),
        photons in image(-1e30_f32..1e30),
        scale in any::<f64>(),
    ) {
        let mut bytes = Vec::new();
        pgm::write(&mut bytes, &greys, scale).unwrap();
        prop_assert_eq!(with_file(&bytes, |path| pgm::read(path)).unwrap(), greys);
        bytes.clear();
        float::write(&mut bytes, &photons).unwrap();
        let back = with_file(&bytes, |path| float::read(path, photons.fast(), photons.slow()));
        prop_assert_eq!(back.unwrap(), photons);
    }

    #[test]
    fn percent_g_is_within_half_a_digit(x in any::<f64>(), digits in 1_usize..18) {
        let text = printf::general_with(x, digits);
        prop_assume!(x.is_finite());
        let back: f64 = text.parse().unwrap();
        // The largest numbers may round up beyond all f64.
        prop_assume!(back.is_finite());
        let unit = 10_f64.powi(1 - digits as i32);
        prop_assert!((back - x).abs() <= 0.5000001 * unit * x.abs() + f64::MIN_POSITIVE, "{x:e} {text}");
        let mantissa = text.split('e').next().unwrap();
        let significant = mantissa.chars().filter(char::is_ascii_digit).collect::<String>();
        prop_assert!(significant.trim_start_matches('0').len() <= digits, "{text}");
        prop_assert!(!mantissa.contains('.') || !mantissa.ends_with(['0', '.']), "{text}");
    }

    #[test]
    fn any_photons_become_a_picture(photons in image(any::<f32>())) {
        for grey in [png::Grey::Logarithmic, png::Grey::SquareRoot] {
            png::write(std::io::sink(), &photons, grey).unwrap();
        }
    }
}

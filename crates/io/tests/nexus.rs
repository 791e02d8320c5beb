//! Images of HDF5 that other programs wrote. `tests/data/eiger_*.h5` are by h5py 3.16 and hdf5plugin 7.1: two
//! images of 20 x 12 counts, bitshuffled and packed by LZ4, in a file that a master links to. Its pixel i, counted
//! from 0 on for the first image and from 1000 on for the second, is i^2 modulo 777; one pixel of each is 2^32 - 1.

use std::path::{Path, PathBuf};

use nanobragg_io::any::{AnyImage, Format, StoredImage};
use nanobragg_io::hdf5::Compression;
use nanobragg_io::nexus::{PlacedModule, parse_instrument, write_counts};
use nanobragg_io::{Error, Exposure, Image, PixelState};

fn master() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/eiger_master.h5")
}

fn read(path: &Path, image: &str) -> Result<StoredImage, String> {
    let path = format!("{}{image}", path.display());
    match AnyImage::read(path).map_err(|error| error.to_string())? {
        AnyImage::Shaped(image) => Ok(image),
        AnyImage::RawFloats(_) => Err("raw floats".to_owned()),
    }
}

#[test]
fn an_image_of_an_eiger_is_read_through_its_master() -> Result<(), String> {
    for (image, first) in [("#1", 0), ("#2", 1000)] {
        let image = read(&master(), image)?;
        let count = |i: u32| match i {
            107 => u32::MAX,
            i => (first + i).pow(2) % 777,
        };
        let counts: Vec<u32> = (0..240).map(count).collect();
        let states = counts.iter().enumerate().map(|(i, &count)| match count {
            // The fourth row is masked by the pixel_mask.
            _ if i / 20 == 3 => PixelState::Masked,
            u32::MAX => PixelState::Masked,
            700.. => PixelState::Overloaded,
            _ => PixelState::Measured,
        });
        assert_eq!(image.states(), states.collect::<Vec<_>>());
        assert_eq!(image.format, Format::Hdf5);
        let expected = Image::new(20, 12, counts).map_err(|error| error.to_string())?;
        assert_eq!(image.pixels, expected.into());
    }
    Ok(())
}

#[test]
fn an_image_in_a_missing_file_is_an_error_with_its_name() -> Result<(), String> {
    for image in ["", "#3"] {
        let error = read(&master(), image).expect_err("the second file of the series is missing");
        assert!(error.contains("eiger_data_000002.h5"), "{error}");
    }
    let part = master().with_file_name("eiger_data_000001.h5");
    let error = read(&part, "").expect_err("it holds two images");
    assert!(error.contains("#1 to #2"), "{error}");
    assert_eq!(read(&part, "#2")?.pixels, read(&master(), "#2")?.pixels);
    Ok(())
}

/// Two chips of two modules, side by side and tilted.
fn two_panels() -> Result<(Vec<Exposure>, Vec<u8>), Error> {
    let panel = |module: &str, x: f64| Exposure {
        pixel_mm: 0.075,
        origin_mm: [x, 3.0, -120.0],
        fast: [0.6, 0.0, 0.8],
        slow: [0.0, -1.0, 0.0],
        wavelength_angstrom: 1.3,
        start_degrees: 12.0,
        width_degrees: 0.5,
        sensor_mm: 0.32,
        cutoff: 9000,
        module: module.to_owned(),
        masked: vec![0, 1, 0, 0, 0, 256],
        ..Exposure::default()
    };
    let exposures = vec![panel("m0", -2.0), panel("m1", 7.5)];
    let image = Image::new(3, 2, vec![1, 2, 3, 4, 5, 6])?;
    let mut file = Vec::new();
    write_counts(
        &mut file,
        &exposures,
        &[image.clone(), image],
        Compression::Gzip,
        &[],
    )?;
    Ok((exposures, file))
}

#[test]
fn the_geometry_of_a_file_is_that_which_was_written() -> Result<(), Error> {
    let (exposures, file) = two_panels()?;
    let found = parse_instrument(file.clone(), None)?;
    assert_eq!(found.wavelength_angstrom, Some(1.3));
    assert_eq!((found.underload, found.overload), (Some(0.0), Some(9000.0)));
    assert_eq!(found.sensor_material.as_deref(), Some("Si"));
    let near = |a: f64, b: f64| (a - b).abs() < 1e-12;
    assert!(found.sensor_mm.is_some_and(|mm| near(mm, 0.32)));
    assert!(found.start_degrees.is_some_and(|start| near(start, 12.0)));
    assert!(found.width_degrees.is_some_and(|width| near(width, 0.5)));
    assert_eq!(found.spindle, Some([1.0, 0.0, 0.0]));
    assert_eq!(found.modules.len(), 2);
    for (module, exposure) in found.modules.iter().zip(&exposures) {
        let PlacedModule {
            origin_mm,
            fast,
            slow,
            pixels,
            masked,
            ..
        } = module;
        let same = |a: &[f64; 3], b: [f64; 3]| a.iter().zip(b).all(|(a, b)| near(*a, b));
        assert!(same(origin_mm, exposure.origin_mm), "{origin_mm:?}");
        assert!(same(fast, exposure.fast) && same(slow, exposure.slow));
        assert_eq!(*pixels, [3, 2]);
        assert_eq!(*masked, [false, true, false, false, false, true]);
    }
    let missing = parse_instrument(file, Some(2));
    assert!(matches!(
        missing,
        Err(Error::NoSuchImage {
            number: 2,
            images: 1
        })
    ));
    Ok(())
}

#[test]
fn no_damage_of_a_file_makes_the_reader_of_its_geometry_panic() -> Result<(), Error> {
    let (_, file) = two_panels()?;
    for at in (0..file.len()).step_by(7) {
        for change in [0xff, 0x80] {
            let mut damaged = file.clone();
            if let Some(byte) = damaged.get_mut(at) {
                *byte ^= change;
            }
            let _ = parse_instrument(damaged, Some(1));
        }
    }
    Ok(())
}

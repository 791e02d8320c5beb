//! Images of HDF5 that other programs wrote. `tests/data/eiger_*.h5` are by h5py 3.16 and hdf5plugin 7.1: two
//! images of 20 x 12 counts, bitshuffled and packed by LZ4, in a file that a master links to. Its pixel i, counted
//! from 0 on for the first image and from 1000 on for the second, is i^2 modulo 777; one pixel of each is 2^32 - 1.

use std::path::{Path, PathBuf};

use nanobragg_io::any::{AnyImage, Format, StoredImage};
use nanobragg_io::{Image, PixelState};

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

//! The picture of a failed comparison.

use std::fs;
use std::io::BufWriter;
use std::path::PathBuf;

use nanobragg::compare;
use nanobragg::io::{Image, png};

use crate::binary::leftovers_folder;

/// Writes three panels side by side (expected, difference, tested), dark where bright, and returns the
/// path. Images have the shape `[slow][fast]`.
///
/// # Panics
/// When the picture cannot be written.
pub fn three_panels(name: &str, fast: usize, expected: &[f32], ours: &[f32]) -> PathBuf {
    let image = |pixels: &[f32]| Image::new(fast, pixels.len() / fast, pixels.to_vec()).unwrap();
    let picture = compare::three_panels(&image(expected), &image(ours)).unwrap();
    let folder = leftovers_folder();
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{name}.png"));
    let file = BufWriter::new(fs::File::create(&path).unwrap());
    png::write(file, &picture, png::Grey::Logarithmic).unwrap();
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_three_images_wide() {
        let path = three_panels("picture-of-a-test", 2, &[0.0, 9.0], &[0.0, 8.0]);
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes[16..24], [0, 0, 0, 10, 0, 0, 0, 1]);
        fs::remove_file(path).unwrap();
    }
}

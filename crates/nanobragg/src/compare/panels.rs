use nanobragg_io::Image;

use super::comparison::same_sides;
use crate::Error;

/// Columns between two panels.
const GAP: usize = 2;

/// Three panels side by side: image A, the difference, image B. The difference is |a - b|, stretched
/// until the largest is as bright as A's brightest pixel. Between the panels there is infinity, which
/// a [preview](nanobragg_io::png) draws black without letting it set the scale.
///
/// # Errors
/// [`Error::ImageSides`] if the images are not of the same sides.
///
/// ```
/// use nanobragg::{compare::three_panels, io::Image};
///
/// let a = Image::new(2, 1, vec![0.0, 8.0])?;
/// let b = Image::new(2, 1, vec![0.0, 6.0])?;
/// let picture = three_panels(&a, &b)?;
/// let line = f32::INFINITY;
/// assert_eq!(picture.pixels(), [0., 8., line, line, 0., 8., line, line, 0., 6.]);
/// # Ok::<(), nanobragg::Error>(())
/// ```
pub fn three_panels(a: &Image<f32>, b: &Image<f32>) -> Result<Image<f32>, Error> {
    let [fast, slow] = same_sides(a, b)?;
    let apart = |(a, b): (&f32, &f32)| (f64::from(*a) - f64::from(*b)).abs();
    let top = brightest(a.pixels().iter().map(|&a| a.into()));
    let top = if top > 0.0 { top } else { 1.0 };
    let largest = brightest(a.pixels().iter().zip(b.pixels()).map(apart));
    let stretched = |difference: f64| {
        if largest > 0.0 {
            (difference / largest * top) as f32
        } else {
            0.0
        }
    };
    let mut pixels = Vec::with_capacity((3 * fast + 2 * GAP) * slow);
    for (a, b) in a.rows().zip(b.rows()) {
        pixels.extend_from_slice(a);
        pixels.extend([f32::INFINITY; GAP]);
        pixels.extend(a.iter().zip(b).map(|pair| stretched(apart(pair))));
        pixels.extend([f32::INFINITY; GAP]);
        pixels.extend_from_slice(b);
    }
    Ok(Image::new(3 * fast + 2 * GAP, slow, pixels)?)
}

/// The largest of the finite values; 0 if none is above that.
fn brightest(values: impl Iterator<Item = f64>) -> f64 {
    values.filter(|value| value.is_finite()).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_images_have_an_empty_middle() {
        let a = Image::new(1, 2, vec![0.0, 1e30]).unwrap();
        let picture = three_panels(&a, &a).unwrap();
        assert_eq!(picture.get(3, 0), Some(&0.0));
        assert_eq!(picture.get(3, 1), Some(&0.0));
    }

    #[test]
    fn dark_images_and_tiny_differences_can_be_drawn() {
        let a = Image::new(1, 1, vec![0.0]).unwrap();
        let b = Image::new(1, 1, vec![f32::from_bits(1)]).unwrap();
        assert_eq!(three_panels(&a, &b).unwrap().get(3, 0), Some(&1.0));
    }
}

//! What holds for a comparison of any two images.

use nanobragg::compare::{Comparison, Tolerance, three_panels};
use nanobragg::io::Image;
use proptest::collection::vec;
use proptest::num::f32::ANY;
use proptest::prelude::*;

fn compared(a: &Image<f32>, b: &Image<f32>) -> Comparison {
    Comparison::of(a, b, Tolerance::default()).expect("the sides are the same")
}

/// Photons of a size at which f64 sums of them are exact, so that halves and doubles are too.
fn photons() -> impl Strategy<Value = f32> {
    prop_oneof![Just(0.0), (0..1_u32 << 24).prop_map(|n| n as f32 / 256.0)]
}

/// Images of up to 19 x 19 such pixels.
fn images(pixel: impl Strategy<Value = f32>) -> impl Strategy<Value = Image<f32>> {
    (1..20_usize, 1..20_usize, vec(pixel, 19 * 19)).prop_map(|(fast, slow, mut pixels)| {
        pixels.truncate(fast * slow);
        Image::new(fast, slow, pixels).expect("as many pixels as the sides say")
    })
}

proptest! {
    #[test]
    fn an_image_equals_itself(image in images(ANY)) {
        let found = compared(&image, &image);
        prop_assert_eq!(found.equal_bits, found.pixels);
        prop_assert_eq!(found.beyond, 0);
        prop_assert_eq!(found.rmsd, 0.0);
        prop_assert_eq!(found.largest_absolute, None);
        prop_assert_eq!(found.largest_relative, None);
        prop_assert_eq!(found.relative_quantiles.map(|q| q.value), [0.0; 5]);
        prop_assert_eq!(found.peaks.found, found.peaks.sought);
        prop_assert_eq!(found.peaks.mean_offset_pixels, [0.0; 2]);
        if let Some(ratio) = found.total_ratio() {
            prop_assert_eq!(ratio, 1.0);
        }
        if let Some(correlation) = found.correlation {
            prop_assert!((correlation - 1.0).abs() < 1e-9, "{}", correlation);
        }
    }

    #[test]
    fn twice_the_photons_are_a_ratio_of_two(image in images(photons())) {
        let found = compared(&image, &image.map(|pixel| 2.0 * pixel));
        if let Some(ratio) = found.total_ratio() {
            prop_assert_eq!(ratio, 2.0);
            prop_assert_eq!(found.largest_relative.map(|at| at.value), Some(0.5));
            prop_assert!(found.beyond > 0);
        }
        prop_assert_eq!(found.peaks.found, found.peaks.sought);
    }

    #[test]
    fn one_pixel_changed_is_found_where_it_is(
        image in images(photons()),
        at in any::<prop::sample::Index>(),
        by in 1.0..1e6_f32,
    ) {
        let mut pixels = image.pixels().to_vec();
        let at = at.index(pixels.len());
        pixels[at] += by;
        let other = Image::new(image.fast(), image.slow(), pixels).unwrap();
        let found = compared(&image, &other);
        prop_assert_eq!(found.equal_bits, found.pixels - 1);
        for largest in [found.largest_absolute, found.largest_relative] {
            let largest = largest.unwrap();
            prop_assert_eq!(largest.slow * image.fast() + largest.fast, at);
            prop_assert_eq!((largest.a, largest.b), (image.pixels()[at], other.pixels()[at]));
        }
        let difference = found.largest_absolute.unwrap().value;
        let rmsd = difference / (found.pixels as f64).sqrt();
        prop_assert!((found.rmsd - rmsd).abs() <= 1e-12 * rmsd);
    }

    #[test]
    fn the_order_of_two_images_does_not_matter_to_their_distance(
        (a, b) in (1..400_usize).prop_flat_map(|n| (vec(photons(), n), vec(photons(), n)))
    ) {
        let image = |pixels: Vec<f32>| Image::new(pixels.len(), 1, pixels).unwrap();
        let (a, b) = (image(a), image(b));
        let (one, other) = (compared(&a, &b), compared(&b, &a));
        prop_assert_eq!(one.rmsd, other.rmsd);
        prop_assert_eq!(one.relative_quantiles, other.relative_quantiles);
        prop_assert_eq!(one.equal_bits, other.equal_bits);
        prop_assert_eq!(one.correlation, other.correlation);
    }

    #[test]
    fn quantiles_rise_to_the_largest((a, b) in (
        1..400_usize
    ).prop_flat_map(|n| (vec(ANY, n), vec(ANY, n)))) {
        let image = |pixels: Vec<f32>| Image::new(pixels.len(), 1, pixels).unwrap();
        let found = compared(&image(a), &image(b));
        let values = found.relative_quantiles.map(|quantile| quantile.value);
        prop_assert!(values.is_sorted());
        prop_assert_eq!(values[4], found.largest_relative.map_or(0.0, |at| at.value));
        prop_assert!((0.0..=2.0).contains(&values[4]));
    }

    #[test]
    fn any_two_images_can_be_drawn((a, b) in (
        1..400_usize
    ).prop_flat_map(|n| (vec(ANY, n), vec(ANY, n)))) {
        let image = |pixels: Vec<f32>| Image::new(1, pixels.len(), pixels).unwrap();
        let (a, b) = (image(a), image(b));
        let panels = three_panels(&a, &b).unwrap();
        prop_assert_eq!((panels.fast(), panels.slow()), (7, a.slow()));
    }
}

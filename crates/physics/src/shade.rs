//! The shadow of a beam stop on finished images.
//!
//! A pixel in the shadow gets a part of its photons, which is a constant of the pixel. Photons, derivatives
//! and weights of derivatives are therefore multiplied by it.

use std::ops::MulAssign;

use nanobragg_geometry::Panel;

use crate::scene::Scene;

/// Multiplies the pixels of a panel, shape `[slow][fast]`, by the part of their photons that passes.
pub(crate) fn shade<T: MulAssign + From<f32>>(panel: &Panel, pixels: &mut [T]) {
    for &(number, part) in panel.shade() {
        if let Some(pixel) = pixels.get_mut(number as usize) {
            *pixel *= T::from(part);
        }
    }
}

/// [`shade`] for images of the whole detector, each of shape `[panel][slow][fast]`.
pub(crate) fn shade_images(scene: &Scene, images: &mut [f64]) {
    let size = scene.pixel_count().max(1);
    for image in images.chunks_mut(size) {
        let mut rest = image;
        for panel in scene.panels() {
            let end = panel.pixel_count().min(rest.len());
            let (own, after) = rest.split_at_mut(end);
            shade(panel, own);
            rest = after;
        }
    }
}

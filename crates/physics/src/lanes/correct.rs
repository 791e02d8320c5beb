//! Solid angle, capture and polarization of a block of pixels.
//!
//! Every loop writes every lane, if only with the old value: a store in some of the lanes would prevent
//! vectorisation.

use nanobragg_geometry::{PixelKind, capture_fraction, point_solid_angle, solid_angle};
use nanobragg_numeric::Scalar;

use super::block::{BLOCK, Block, Column, any};
use super::lane::{Arithmetic, Lane};
use super::observer::BlockObserver;
use crate::polarization::polarization_factor;
use crate::sampling::{CorrectionRules, Scales};
use crate::scene::View;

/// Computes the solid angle where it is not known yet, or in every lane if it is computed at every sub-pixel.
#[inline(always)]
pub(super) fn correct_solid_angle<O: BlockObserver>(
    view: &View<'_>,
    block: &mut Block,
    observer: &mut O,
) {
    let each = view.rules.solid_angle.refreshes;
    if !each && !any(&block.solid_angle_sr, |w| w == 0.0) {
        return;
    }
    let panel = view.panel;
    let (pixel_m, close_m) = (panel.pixel_size_m(), panel.close_distance_m());
    let mut now = [0.0; BLOCK];
    match panel.pixel_kind() {
        PixelKind::Facet => {
            for i in 0..BLOCK {
                now[i] = solid_angle(pixel_m, close_m, block.path_m[i]);
            }
        }
        PixelKind::Point => {
            for i in 0..BLOCK {
                now[i] = point_solid_angle(block.path_m[i]);
            }
        }
    }
    observer.solid_angle(view, &now, block);
    refresh(each, &mut block.solid_angle_sr, &now);
}

/// Computes the capture fraction of this layer in the same way.
#[inline(always)]
pub(super) fn correct_capture<O: BlockObserver>(
    view: &View<'_>,
    layer: u32,
    block: &mut Block,
    observer: &mut O,
) {
    let each = view.rules.capture.refreshes;
    if !each && !any(&block.capture, |capture| capture == 0.0) {
        return;
    }
    observer.capture(view, layer, block);
    let sensor = view.panel.sensor();
    let layer = view.rules.capturing_layer(layer, sensor.layers);
    let (step_m, mu_per_m) = (Lane(sensor.layer_step_m), Lane(sensor.mu_per_m));
    let normal = view.panel.normal();
    let [x, y, z] = &block.diffracted;
    let mut now = [0.0; BLOCK];
    for i in 0..BLOCK {
        let parallax = Lane(x[i] * normal[0] + y[i] * normal[1] + z[i] * normal[2]);
        now[i] = capture_fraction(layer, step_m, mu_per_m, parallax).value();
    }
    refresh(each, &mut block.capture, &now);
}

/// Replaces `known` by `now` in the lanes where it is still 0, or in every lane if `each` is true.
#[inline(always)]
pub(super) fn refresh(each: bool, known: &mut Column, now: &Column) {
    for i in 0..BLOCK {
        known[i] = if each | (known[i] == 0.0) {
            now[i]
        } else {
            known[i]
        };
    }
}

/// Computes the polarization factor in the same way, in the lanes where `source` is not cut, or in all lanes.
#[inline(always)]
pub(super) fn correct_polarization<A: Arithmetic, O: BlockObserver>(
    view: &View<'_>,
    index: usize,
    for_all: bool,
    block: &mut Block,
    observer: &mut O,
) {
    let each = view.rules.polarization.refreshes;
    if !each && !any(&block.polarization, |factor| factor == 0.0) {
        return;
    }
    observer.polarization(view, index, for_all, block);
    let kahn_factor = view.kahn_factor;
    let source = &view.sources[index];
    let frame = &source.polarization;
    let [x, y, z] = &mut block.diffracted;
    for i in 0..BLOCK {
        let known = block.polarization[i];
        let taken = (each | (known == 0.0)) & (for_all | (block.live[i] != 0.0));
        // The scalar sum normalizes the vector a second time here, as C does, which can change the last bit.
        let length = (x[i] * x[i] + y[i] * y[i] + z[i] * z[i]).sqrt();
        let length = if taken & (length != 0.0) { length } else { 1.0 };
        [x[i], y[i], z[i]] = [x[i], y[i], z[i]].map(A::over(length));
        let factor = polarization_factor(
            kahn_factor,
            source.incident,
            [x[i], y[i], z[i]],
            frame.electric,
            frame.magnetic,
        );
        block.polarization[i] = if taken { factor } else { known };
    }
}

/// Multiplies the terms of one source at one sub-pixel by their correction factors, and adds them to the
/// `earlier` sums.
#[inline(always)]
pub(super) fn weigh_terms(view: &View<'_>, earlier: &Column, block: &mut Block) {
    let rules = &view.rules;
    for i in 0..BLOCK {
        let weight = corrections(rules, Scales::Terms, block, i);
        block.intensity[i] = earlier[i] + weight * block.intensity[i];
    }
}

/// The product of the corrections of lane `i` whose rule is `scales`; 1 if there are none.
#[inline(always)]
pub(super) fn corrections(rules: &CorrectionRules, scales: Scales, block: &Block, i: usize) -> f64 {
    let mut product = 1.0;
    if rules.capture.scales == scales {
        product *= block.capture[i];
    }
    if rules.polarization.scales == scales {
        product *= block.polarization[i];
    }
    if rules.solid_angle.scales == scales {
        product *= block.solid_angle_sr[i];
    }
    product
}

//! Warnings about input that a convention ignores.
//!
//! Each warning is returned only if the ignored input would have moved this detector.

use crate::detector::centre::BeamCentre;
use crate::detector::place::{Placement, PlacementInput, place};
use crate::detector::spec::{DetectorSpec, Surface};
use crate::detector::warning::Warning;
use crate::pivot::Pivot;
use crate::vector::{dot, norm, sub};

/// The distance between two positions of the first pixel, in pixels, below which there is no
/// warning. It is far above rounding and far below any visible shift.
const NOTICEABLE_PIXELS: f64 = 1e-6;

/// The part of a distance by which two of them have to differ for a warning. Headers have six digits.
const NOTICEABLE: f64 = 1e-9;

/// A warning if the user asked for another pivot and it would have moved the detector.
pub(super) fn ignored_pivot(
    spec: &DetectorSpec,
    input: &PlacementInput<f64>,
    placement: &Placement<f64>,
) -> Option<Warning> {
    let used = input.pivot;
    // Custom geometry prescribes no pivot and so ignores none.
    spec.convention.pivot()?;
    let asked = spec.explicit_pivot.filter(|asked| *asked != used)?;
    let other = place(&PlacementInput {
        pivot: asked,
        ..*input
    });
    is_moved(other.pix0_m, placement.pix0_m, spec).then_some(Warning::IgnoredPivot {
        asked,
        used,
        convention: spec.convention,
    })
}

/// A warning if the user gave a centre that the convention ignores. `asked` is the centre that the
/// detector would have if every way of giving one were valid.
pub(super) fn ignored_centre(
    spec: &DetectorSpec,
    centre: &BeamCentre<f64>,
    asked: &BeamCentre<f64>,
    pivot: Pivot,
) -> Option<Warning> {
    let lengths = [spec.x_beam, spec.y_beam, spec.x_close, spec.y_close];
    let is_given =
        lengths.iter().any(Option::is_some) || spec.org_x.is_some() || spec.org_y.is_some();
    // Only the centre at the pivot places the detector.
    let used_m = match pivot {
        Pivot::Sample => centre.near_m,
        Pivot::Beam => centre.spot_m,
    };
    let off_m = |axis: usize| (asked.spot_m[axis] - used_m[axis]).abs();
    let is_off = off_m(0).max(off_m(1)) > NOTICEABLE_PIXELS * spec.pixel_size.m();
    (is_given && is_off).then_some(Warning::IgnoredBeamCentre {
        convention: spec.convention,
        asked_m: asked.spot_m,
        used_m,
    })
}

/// A warning if the user asked for another corner of the first pixel.
pub(super) fn ignored_pix0(spec: &DetectorSpec, placement: &Placement<f64>) -> Option<Warning> {
    let used_m = placement.pix0_m;
    let asked_m = spec.pix0_m?;
    is_moved(asked_m, used_m, spec).then_some(Warning::IgnoredPix0 { asked_m, used_m })
}

/// Whether two positions of the first pixel differ by more than rounding.
fn is_moved(x_m: [f64; 3], y_m: [f64; 3], spec: &DetectorSpec) -> bool {
    norm(sub(x_m, y_m)) > NOTICEABLE_PIXELS * spec.pixel_size.m()
}

/// A warning if the detector is curved as in the reference program.
pub(super) fn exchanged_axes(spec: &DetectorSpec) -> Option<Warning> {
    (spec.surface == Surface::Curved && !spec.fixes.curved).then_some(Warning::CurvedExchanged)
}

/// A warning if the distance along the beam is not that of the detector after two-theta.
pub(super) fn ignored_twotheta(
    input: &PlacementInput<f64>,
    placement: &Placement<f64>,
) -> Option<Warning> {
    let along_beam_m = placement.close_distance_m / dot(input.beam, placement.normal);
    let is_off = (along_beam_m - placement.distance_m).abs() > NOTICEABLE * along_beam_m.abs();
    is_off.then_some(Warning::TwothetaDistance {
        reported_m: placement.distance_m,
        along_beam_m,
    })
}

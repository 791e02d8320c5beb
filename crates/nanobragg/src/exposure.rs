//! The experiment in the headers of image files.

use nanobragg_geometry::vector::{add, cross, dot, scale};
use nanobragg_geometry::{Panel, SensorMaterial};
use nanobragg_io::{BY_USER, DEAD, Exposure, GAP};
use nanobragg_response::ResponseSpec;

use crate::error::Error;
use crate::exchange::{Geometry, PlacedPanel};
use crate::resolve::Resolved;

/// The direction of the beam in every image file.
const BEAM: [f64; 3] = [0.0, 0.0, -1.0];

/// What the headers of CBF and TIFF files, which hold one panel, say of a resolved experiment and of
/// counts with this response.
///
/// # Errors
/// [`Error::SeveralPanels`] unless the detector is one panel, and those of [`exposures`].
pub fn exposure(resolved: &Resolved, response: &ResponseSpec) -> Result<Exposure, Error> {
    let exposures = exposures(resolved, response)?;
    let [exposure] = <[_; 1]>::try_from(exposures).map_err(|several| Error::SeveralPanels {
        panels: several.len(),
        file: "the header of a CBF or TIFF file",
    })?;
    Ok(exposure)
}

/// What the headers of CBF, TIFF and NeXus files say of every panel of a resolved experiment and of
/// counts with this response.
///
/// They are the [`Geometry`] that is exchanged with other programs, in the same laboratory. Readers of
/// those files assume a beam along -z. If a custom beam is not along an axis of the run, everything is
/// rotated by the smallest angle that brings the beam onto -z.
///
/// # Errors
/// [`Error::CurvedSurface`] for a curved detector, which no header describes.
pub fn exposures(resolved: &Resolved, response: &ResponseSpec) -> Result<Vec<Exposure>, Error> {
    let geometry = Geometry::of(resolved)?;
    let turned = |v: [f64; 3]| with_beam_along_z(geometry.beam.direction, v);
    let beam = geometry.beam;
    let fluence = &resolved.decisions.fluence;
    let spectrum = spectrum(resolved);
    let of_panel = |index: usize, panel: &PlacedPanel, pixels: &Panel| Exposure {
        masked: masked_bits(response, index, pixels),
        pixel_mm: panel.pixel_size_mm,
        origin_mm: turned(panel.origin_mm),
        fast: turned(panel.fast),
        slow: turned(panel.slow),
        wavelength_angstrom: beam.wavelength_angstrom,
        spectrum: spectrum.clone(),
        spindle: turned(geometry.spindle),
        start_degrees: geometry.oscillation.start_deg,
        width_degrees: geometry.oscillation.width_deg,
        twotheta_degrees: resolved.decisions.layout.twotheta.degrees(),
        sensor_mm: panel.sensor.map_or(0.0, |sensor| sensor.thickness_mm),
        sensor_material: pixels
            .sensor()
            .material
            .unwrap_or(SensorMaterial::Si)
            .formula(),
        module: panel.module().unwrap_or_default().to_owned(),
        model: resolved.decisions.layout.model.clone().unwrap_or_default(),
        exposure_s: fluence.exposure_s,
        flux_per_s: fluence.flux_per_s,
        polarization_fraction: beam.polarization_fraction,
        polarization_axis: turned(cross(beam.polarization_normal, beam.direction)),
        offset_counts: response.offset.unwrap_or_default().counts,
        // A clipped pixel can have had any larger count. Readers take the stated one for a measurement.
        cutoff: (response.saturation_counts)
            .and_then(|counts| i32::try_from(counts).ok())
            .unwrap_or(i32::MAX)
            .saturating_sub(1)
            .max(1),
        gain: response.gain.map_or(1.0, |gain| gain.counts_per_photon),
    };
    let panels = resolved.experiment.detector.panels();
    let each = geometry.panels.iter().zip(panels).enumerate();
    Ok(each
        .map(|(index, (placed, panel))| of_panel(index, placed, panel))
        .collect())
}

/// Wavelength in Angstrom and weight of each line of the spectrum; none without a spectrum.
fn spectrum(resolved: &Resolved) -> Vec<[f64; 2]> {
    let lines = resolved
        .decisions
        .spectrum
        .iter()
        .flat_map(|spectrum| &spectrum.lines);
    lines
        .map(|line| [line.wavelength_m() * 1e10, line.weight])
        .collect()
}

/// Why each pixel of the panel with this index counts nothing, `[slow][fast]`, as [`Exposure::masked`]; empty
/// for a panel without a mask and without dead pixels. A dead pixel that is masked too is a masked one.
pub(crate) fn masked_bits(response: &ResponseSpec, index: usize, panel: &Panel) -> Vec<u16> {
    let mut bits = excluded(panel);
    let dead = dead(response, index, panel);
    if bits.is_empty() && dead.contains(&true) {
        bits.resize(dead.len(), 0);
    }
    for (bits, is_dead) in bits.iter_mut().zip(dead) {
        if is_dead && *bits == 0 {
            *bits = DEAD;
        }
    }
    bits
}

/// Why the mask of a panel excludes pixels; empty for a panel without a mask.
fn excluded(panel: &Panel) -> Vec<u16> {
    let Some(mask) = panel.mask() else {
        return Vec::new();
    };
    let rows = (0_u32..).zip((0..mask.pixels_slow()).map(|slow| mask.row(slow)));
    let bits = rows.flat_map(|(slow, row)| {
        (0_u32..).zip(row).map(move |(fast, used)| match used {
            true => 0,
            false if panel.is_gap(fast, slow) => GAP,
            false => BY_USER,
        })
    });
    bits.collect()
}

/// The dead pixels of the panel with this index, `[slow][fast]`; none for a detector without them.
fn dead(response: &ResponseSpec, index: usize, panel: &Panel) -> Vec<bool> {
    let [fast, slow] = [panel.pixels_fast(), panel.pixels_slow()].map(|side| side as usize);
    let stage = response.dead_pixels.as_ref();
    stage.map_or_else(Vec::new, |stage| stage.of_panel(index, fast, slow))
}

/// `v` rotated by the smallest rotation from `beam` (nearer to -z than to +z) to -z:
/// `v + w x v + w x (w x v) / (1 + cos)`, where `w = beam x -z` and `cos = beam . -z`.
pub(crate) fn with_beam_along_z(beam: [f64; 3], v: [f64; 3]) -> [f64; 3] {
    let axis = cross(beam, BEAM);
    let once = cross(axis, v);
    let twice = cross(axis, once);
    add(add(v, once), scale(1.0 / (1.0 + dot(beam, BEAM)), twice))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ExperimentSpec, FactorsSpec};
    use nanobragg_crystal::{CellSpec, CrystalSpec};
    use nanobragg_geometry::{Angle, Convention, DetectorSpec, Length};

    /// The rounding error of a dozen operations on numbers of a few hundred.
    const ROUNDING: f64 = 1e-12;

    fn spec(detector: DetectorSpec) -> ExperimentSpec {
        ExperimentSpec {
            detector: DetectorSpec {
                pixels_fast: Some(61),
                pixels_slow: Some(47),
                ..detector
            },
            crystal: CrystalSpec {
                cell: Some(CellSpec::from_values(&[100.0; 3]).unwrap()),
                cells: [5; 3],
                ..CrystalSpec::default()
            },
            factors: FactorsSpec::Constant(100.0),
            ..ExperimentSpec::default()
        }
    }

    #[test]
    fn a_turn_of_the_beam_keeps_lengths_and_angles() {
        let beam = [0.48, 0.6, -0.64];
        let turned = with_beam_along_z(beam, beam);
        let (v, w) = ([1.0, -2.0, 0.5], [0.3, 0.1, 4.0]);
        let before = dot(v, w);
        let after = dot(with_beam_along_z(beam, v), with_beam_along_z(beam, w));
        assert!(
            turned
                .iter()
                .zip(BEAM)
                .all(|(a, b)| (a - b).abs() < ROUNDING)
        );
        assert!((before - after).abs() < ROUNDING);
        assert_eq!(with_beam_along_z(BEAM, v), v);
    }

    #[test]
    fn the_beam_spot_of_the_header_is_that_of_the_detector() {
        for convention in Convention::ALL {
            let detector = DetectorSpec {
                convention,
                distance: Length::from_mm(150.0),
                ..DetectorSpec::default()
            };
            let resolved = spec(detector).resolve().unwrap();
            let exposure = exposure(&resolved, &ResponseSpec::default()).unwrap();
            let panel = resolved.experiment.detector.first();
            let beam_px = exposure.beam_px().unwrap();
            let beam_m = [panel.f_beam_m(), panel.s_beam_m()];
            for (px, m) in beam_px.into_iter().zip(beam_m) {
                let expected = m / panel.pixel_size_m();
                assert!((px - expected).abs() < 1e-9, "{convention} {px} {expected}");
            }
            let close_mm = panel.close_distance_m() * 1000.0;
            assert!(
                (exposure.distance_mm() - close_mm).abs() < 1e-9,
                "{convention}"
            );
        }
    }

    #[test]
    fn mosflm_and_xds_are_plain_until_the_detector_is_tilted() {
        let has_default_axes = |convention, rotx| {
            let detector = DetectorSpec {
                convention,
                rotations: [rotx, 0.0, 0.0].map(Angle::from_degrees),
                ..DetectorSpec::default()
            };
            exposure(&spec(detector).resolve().unwrap(), &ResponseSpec::default())
                .unwrap()
                .has_default_axes()
        };
        assert!(
            has_default_axes(Convention::Mosflm, 0.0) && has_default_axes(Convention::Xds, 0.0)
        );
        assert!(
            !has_default_axes(Convention::Mosflm, 1.0) && !has_default_axes(Convention::Adxv, 0.0)
        );
    }
}

//! The sources of a beam with divergence and dispersion.

use crate::dispersion::Dispersion;
use crate::divergence::{BeamAxes, Divergence};
use crate::error::{Error, Result};
use crate::profile::Profile;
use crate::source::{Source, SourceList};
use crate::spectrum::SpectrumSteps;

/// The largest number of sources in a grid.
pub const MAX_SOURCES: u32 = 10_000_000;

impl SourceList {
    /// Every direction of the grid with every wavelength of the band. The wavelength varies fastest,
    /// then the vertical step, then the horizontal step.
    ///
    /// The recorded weight of each of n sources is 1/n. With a profile that is not flat, recorded weights have a sum
    /// of 1, and the weights in the image follow them.
    ///
    /// # Errors
    /// [`Error::TooManySources`], [`Error::EverySourceTrimmed`], [`Error::NoBeamDirection`] for a
    /// beam vector of zero, and [`Error::BandWavelength`] if a wavelength is 0 or negative.
    pub fn grid(
        axes: &BeamAxes,
        central_wavelength_m: f64,
        divergence: &Divergence,
        dispersion: &Dispersion,
    ) -> Result<Self> {
        let steps = dispersion.steps();
        check_count(divergence, steps.count)?;
        let wavelengths_m = dispersion.wavelengths_m(central_wavelength_m);
        let band: Vec<(f64, f64)> = wavelengths_m.zip(dispersion.weights()).collect();
        if let Some(&(wavelength_m, _)) = band.iter().find(|(w, _)| !(w.is_normal() && *w > 0.0)) {
            return Err(Error::BandWavelength {
                wavelength_m,
                central_wavelength_m,
                dispersion: steps.range,
            });
        }
        let is_flat =
            divergence.profile() == Profile::Flat && dispersion.profile() == Profile::Flat;
        let list = product(axes, divergence, &band, is_flat)?;
        if is_flat { Ok(list) } else { list.weighted() }
    }

    /// Every direction of the grid with every step of the spectrum, in the order of [`SourceList::grid`], the
    /// energies rising. Weights are those of the direction and of the step multiplied, with a mean of 1; the
    /// recorded weights have a sum of 1.
    ///
    /// # Errors
    /// [`Error::TooManySources`], [`Error::EverySourceTrimmed`] and [`Error::NoBeamDirection`].
    pub fn spectral(
        axes: &BeamAxes,
        divergence: &Divergence,
        spectrum: &SpectrumSteps,
    ) -> Result<Self> {
        let lines = &spectrum.lines;
        check_count(divergence, u32::try_from(lines.len()).unwrap_or(u32::MAX))?;
        let is_flat =
            divergence.profile() == Profile::Flat && lines.iter().all(|line| line.weight == 1.0);
        let band = lines.iter().map(|line| (line.wavelength_m(), line.weight));
        product(axes, divergence, &band.collect::<Vec<_>>(), is_flat)?.weighted()
    }
}

fn check_count(divergence: &Divergence, wavelengths: u32) -> Result<()> {
    let directions = [divergence.horizontal(), divergence.vertical()];
    let directions = directions.iter().map(|steps| u128::from(steps.count));
    // The product does not overflow: each count is below 2^32.
    let count = directions.product::<u128>() * u128::from(wavelengths);
    if count > u128::from(MAX_SOURCES) {
        return Err(Error::TooManySources { count });
    }
    Ok(())
}

/// Every direction with every wavelength of a band of (wavelength, weight). The sum of the recorded weights is 1.
fn product(
    axes: &BeamAxes,
    divergence: &Divergence,
    band: &[(f64, f64)],
    is_flat: bool,
) -> Result<SourceList> {
    let deviations_rad = divergence.deviations_rad();
    let directions = divergence.weights();
    let of_band: f64 = band.iter().map(|(_, weight)| weight).sum();
    let total = directions.iter().sum::<f64>() * of_band;
    let equal = 1.0 / (deviations_rad.len() * band.len()) as f64;
    let mut sources = Vec::with_capacity(deviations_rad.len() * band.len());
    for ((hdiv_rad, vdiv_rad), direction) in deviations_rad.into_iter().zip(directions) {
        // The wavelengths of one direction share its position.
        let position_m = axes.source_position_m(hdiv_rad, vdiv_rad);
        for &(wavelength_m, weight) in band {
            let recorded_weight = if is_flat {
                equal
            } else {
                direction * weight / total
            };
            let source = Source::at(position_m, wavelength_m, recorded_weight);
            sources.push(source.ok_or(Error::NoBeamDirection {
                direction: axes.beam,
            })?);
        }
    }
    if sources.is_empty() {
        return Err(Error::EverySourceTrimmed {
            horizontal: divergence.horizontal().count,
            vertical: divergence.vertical().count,
        });
    }
    SourceList::from_sources(sources)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispersion::DispersionSpec;
    use crate::divergence::{DivergenceSpec, Outline};
    use crate::spectrum::{SpectralLine, Spectrum};
    use crate::steps::StepSpec;

    const MOSFLM: BeamAxes = BeamAxes {
        beam: [1.0, 0.0, 0.0],
        polarization: [0.0, 0.0, 1.0],
        vertical: [0.0, -1.0, 0.0],
    };

    fn grid(
        axes: &BeamAxes,
        divergence: DivergenceSpec,
        dispersion: DispersionSpec,
    ) -> Result<SourceList> {
        SourceList::grid(
            axes,
            1e-10,
            &Divergence::new(&divergence)?,
            &Dispersion::new(&dispersion)?,
        )
    }

    #[test]
    fn no_divergence_and_no_dispersion_is_one_source() {
        let list = grid(
            &MOSFLM,
            DivergenceSpec::default(),
            DispersionSpec::default(),
        )
        .unwrap();
        let expected = Source {
            direction: [-1.0, 0.0, 0.0],
            position_m: [-10.0, 0.0, 0.0],
            wavelength_m: 1e-10,
            recorded_weight: 1.0,
            weight: 1.0,
        };
        assert_eq!(list.as_slice(), [expected]);
    }

    #[test]
    fn one_point_at_each_corner_is_trimmed_away() {
        let corner = StepSpec {
            range: Some(0.1),
            step: Some(0.1),
            count: Some(1),
        };
        let spec = DivergenceSpec {
            horizontal: corner,
            vertical: corner,
            outline: Outline::Round,
            ..DivergenceSpec::default()
        };
        let trimmed = grid(&MOSFLM, spec, DispersionSpec::default());
        assert!(matches!(
            trimmed,
            Err(Error::EverySourceTrimmed {
                horizontal: 1,
                vertical: 1
            })
        ));
        let square = DivergenceSpec {
            outline: Outline::Square,
            ..spec
        };
        assert_eq!(
            grid(&MOSFLM, square, DispersionSpec::default())
                .unwrap()
                .len(),
            1
        );
    }

    #[test]
    fn a_beam_without_direction_is_refused() {
        let axes = BeamAxes {
            beam: [0.0; 3],
            ..MOSFLM
        };
        let list = grid(&axes, DivergenceSpec::default(), DispersionSpec::default());
        assert!(matches!(list, Err(Error::NoBeamDirection { .. })));
    }

    #[test]
    fn a_band_down_to_zero_is_refused() {
        let band = DispersionSpec {
            range: Some(2.0),
            count: Some(3),
            ..DispersionSpec::default()
        };
        let list = grid(&MOSFLM, DivergenceSpec::default(), band);
        assert!(matches!(list, Err(Error::BandWavelength { .. })));
    }

    #[test]
    fn too_large_a_grid_is_an_error() {
        let many = StepSpec {
            range: Some(1.0),
            count: Some(1_000_000_000),
            ..StepSpec::default()
        };
        let spec = DivergenceSpec {
            horizontal: many,
            vertical: many,
            ..DivergenceSpec::default()
        };
        let list = grid(
            &MOSFLM,
            spec,
            DispersionSpec {
                range: Some(0.1),
                count: Some(1_000_000_000),
                ..DispersionSpec::default()
            },
        );
        assert!(matches!(list, Err(Error::TooManySources { .. })));
    }

    #[test]
    fn a_spectrum_meets_every_direction() {
        let fan = StepSpec {
            range: Some(0.002),
            count: Some(3),
            ..StepSpec::default()
        };
        let gaussian = DivergenceSpec {
            horizontal: fan,
            profile: Profile::Gaussian,
            ..DivergenceSpec::default()
        };
        let lines = [[12_000.0, 1.0], [12_400.0, 3.0]]
            .map(|[energy_ev, weight]| SpectralLine { energy_ev, weight });
        let spectrum = Spectrum::new("s", lines.into()).unwrap();
        let steps = spectrum.in_steps("s", None, None).unwrap();
        let divergence = Divergence::new(&gaussian).unwrap();
        let list = SourceList::spectral(&MOSFLM, &divergence, &steps).unwrap();
        // Directions 1/16, 1, 1/16, whose sum is 9/8; lines 1/4 and 3/4.
        let expected = [1.0, 3.0, 16.0, 48.0, 1.0, 3.0].map(|weight| weight / 72.0);
        for (source, recorded) in list.iter().zip(expected) {
            assert!((source.recorded_weight - recorded).abs() < 1e-15);
            assert!((source.weight - 6.0 * recorded).abs() < 1e-14);
        }
        assert_eq!(list[0].wavelength_m, 12398.42 / 12_000.0 / 1e10);
        assert_eq!(list[4].direction, list[5].direction);
    }

    #[test]
    fn a_gaussian_band_weighs_its_middle() {
        let band = DispersionSpec {
            range: Some(0.02),
            count: Some(3),
            profile: Profile::Gaussian,
        };
        let list = grid(&MOSFLM, DivergenceSpec::default(), band).unwrap();
        let weights: Vec<f64> = list.iter().map(|source| source.weight).collect();
        for (weight, expected) in weights.iter().zip([1.0, 16.0, 1.0]) {
            assert!((weight - expected / 6.0).abs() < 1e-14, "{weights:?}");
        }
        assert!((list.mean_wavelength_m() - 1e-10).abs() < 1e-24);
    }
}

//! The sources of a beam with divergence and dispersion.

use crate::dispersion::Dispersion;
use crate::divergence::{BeamAxes, Divergence};
use crate::error::{Error, Result};
use crate::source::{Source, SourceList};

/// The largest number of sources in a grid.
pub const MAX_SOURCES: u32 = 10_000_000;

impl SourceList {
    /// Every direction of the grid with every wavelength of the band. The wavelength varies fastest,
    /// then the vertical step, then the horizontal step.
    ///
    /// The recorded weight of each of n sources is 1/n.
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
        let counts = [
            divergence.horizontal(),
            divergence.vertical(),
            dispersion.steps(),
        ];
        let points = counts.iter().map(|steps| u128::from(steps.count)).product();
        // The product does not overflow: each count is at most 10^9.
        if points > u128::from(MAX_SOURCES) {
            return Err(Error::TooManySources { count: points });
        }

        let wavelengths_m = dispersion
            .wavelengths_m(central_wavelength_m)
            .collect::<Vec<_>>();
        if let Some(&wavelength_m) = wavelengths_m.iter().find(|w| !(w.is_normal() && **w > 0.0)) {
            return Err(Error::BandWavelength {
                wavelength_m,
                central_wavelength_m,
                dispersion: dispersion.steps().range,
            });
        }

        // The wavelengths of one direction share its position.
        let deviations_rad = divergence.deviations_rad();
        let recorded_weight = 1.0 / (deviations_rad.len() * wavelengths_m.len()) as f64;
        let mut sources = Vec::with_capacity(deviations_rad.len() * wavelengths_m.len());
        for (hdiv_rad, vdiv_rad) in deviations_rad {
            let position_m = axes.source_position_m(hdiv_rad, vdiv_rad);
            for &wavelength_m in &wavelengths_m {
                let source = Source::at(position_m, wavelength_m, recorded_weight).ok_or(
                    Error::NoBeamDirection {
                        direction: axes.beam,
                    },
                )?;
                sources.push(source);
            }
        }
        if sources.is_empty() {
            return Err(Error::EverySourceTrimmed {
                horizontal: divergence.horizontal().count,
                vertical: divergence.vertical().count,
            });
        }
        Self::from_sources(sources)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispersion::DispersionSpec;
    use crate::divergence::{DivergenceSpec, Outline};
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
            },
        );
        assert!(matches!(list, Err(Error::TooManySources { .. })));
    }
}

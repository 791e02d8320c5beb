//! The scenes, each an experiment as a user would describe it.

use nanobragg::crystal::read::hkl;
use nanobragg::{
    Angle, Attenuation, BeamSpec, CellSpec, Convention, CrystalSpec, CustomAxes, DetectorSpec,
    DispersionSpec, Error, ExperimentSpec, FactorGrid, FluenceSpec, GridLimit, Length, Lookup,
    Misset, MosaicSpec, PhiSpec, Polarization, SamplingSpec, SensorSpec, Shape, Source, SourceList,
    SourcesSpec, SpotMetric, StepSpec,
};
use std::path::Path;

use crate::reflections::{HEADLINE_EDGES_ANGSTROM, reflections_box, reflections_within};

/// Where the list of the headline scene ends: near the middle of the detector's edge.
pub const HEADLINE_D_MIN_ANGSTROM: f64 = 1.2928;

/// Structure factors of the headline scene: 684 047 reflections.
///
/// # Errors
/// [`Error::Crystal`] if there is no memory for them.
pub fn headline_factors() -> Result<FactorGrid, Error> {
    let list = reflections_within(HEADLINE_EDGES_ANGSTROM, HEADLINE_D_MIN_ANGSTROM);
    Ok(FactorGrid::from_reflections(
        &list,
        0.0,
        GridLimit::default(),
    )?)
}

/// Two sources of unequal recorded weight and ten phi steps on 2463 x 2527 pixels.
///
/// # Errors
/// [`Error::Crystal`] if there is no memory for the structure factors.
pub fn headline() -> Result<ExperimentSpec, Error> {
    headline_on(2463, 2527, Length::from_mm(0.172))
}

/// [`headline`] in pixels ten times as wide: the same image, coarsely.
///
/// # Errors
/// As [`headline`].
pub fn headline_small() -> Result<ExperimentSpec, Error> {
    headline_on(247, 253, Length::from_mm(1.72))
}

fn headline_on(
    pixels_fast: u32,
    pixels_slow: u32,
    pixel_size: Length,
) -> Result<ExperimentSpec, Error> {
    let wavelength = Length::from_angstrom(0.9768);
    let sources = [(0.0, 1.0), (0.001, 0.2)]
        .iter()
        .filter_map(|&(tilt, weight)| Source::at([-10.0, tilt, 0.0], wavelength.m(), weight))
        .collect();
    Ok(ExperimentSpec {
        detector: DetectorSpec {
            convention: Convention::Custom,
            axes: CustomAxes {
                spindle: Some([-1.0, 0.0, 0.0]),
                ..CustomAxes::default()
            },
            pixels_fast: Some(pixels_fast),
            pixels_slow: Some(pixels_slow),
            pixel_size,
            distance: Length::from_mm(231.274_660),
            x_beam: Some(Length::from_mm(217.742_295)),
            y_beam: Some(Length::from_mm(213.907_080)),
            ..DetectorSpec::default()
        },
        crystal: CrystalSpec {
            matrix: Some([
                [0.01348081, 0.00414824, 0.00508424],
                [0.00433416, -0.01310868, 0.00149875],
                [0.00681334, 0.00013112, -0.01101303],
            ]),
            cells: [36, 47, 29],
            ..CrystalSpec::default()
        },
        factors: headline_factors()?.into(),
        lookup: Some(Lookup::Nearest),
        beam: BeamSpec {
            wavelength: Some(wavelength),
            fluence: flux_of_1e18(Length::from_mm(1.0)),
            sources: SourcesSpec::List(SourceList::from_sources(sources)?),
            ..BeamSpec::default()
        },
        phi: sweep(0.0, 0.1, 10),
        sampling: SamplingSpec {
            oversample: Some(1),
            ..SamplingSpec::default()
        },
        ..ExperimentSpec::default()
    })
}

/// The lysozyme of the `examples` folder: a polarized beam of three wavelengths, a mosaic crystal on
/// the spindle, a sensor of two layers and 8 x 8 sub-pixels, as many as the crystal asks for.
///
/// # Errors
/// [`Error::Crystal`] if the list of the example cannot be read.
pub fn lysozyme() -> Result<ExperimentSpec, Error> {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/lysozyme/lysozyme_P1.hkl");
    let factors = FactorGrid::from_reflections(&hkl::read(list)?, 0.0, GridLimit::default())?;
    let radians = |degrees| Angle::from_degrees(degrees).radians();
    Ok(ExperimentSpec {
        detector: DetectorSpec {
            pixels_fast: Some(487),
            pixels_slow: Some(407),
            pixel_size: Length::from_mm(0.172),
            distance: Length::from_mm(80.0),
            sensor: SensorSpec {
                attenuation: Attenuation::Depth(Length::from_um(234.0)),
                thickness: Length::from_um(450.0),
                ..SensorSpec::default()
            },
            ..DetectorSpec::default()
        },
        crystal: CrystalSpec {
            cell: Some(CellSpec::from_values(&[59.062, 68.451, 30.517])?),
            misset: Some(Misset::Angles([12.0, 34.0, 56.0].map(radians))),
            cells: [20, 17, 38],
            mosaic: MosaicSpec {
                spread_rad: Some(radians(0.4)),
                domains: Some(15),
                seed: 12_345_678,
                ..MosaicSpec::default()
            },
            ..CrystalSpec::default()
        },
        factors: factors.into(),
        beam: BeamSpec {
            wavelength: Some(Length::from_angstrom(0.9768)),
            fluence: flux_of_1e18(Length::from_mm(0.05)),
            polarization: Polarization {
                kahn_factor: 0.9,
                off: false,
            },
            dispersion: DispersionSpec {
                range: Some(0.001),
                count: Some(3),
                ..DispersionSpec::default()
            },
            ..BeamSpec::default()
        },
        phi: sweep(0.5, 0.5, 5),
        ..ExperimentSpec::default()
    })
}

/// A still of the crystal of [`lysozyme`] in 20 domains of so many cells, on 2463 x 2527 pixels of 0.04 mm, which
/// its list fills, without the direct beam: an accuracy is a part of the brightest pixel.
///
/// # Errors
/// As [`lysozyme`].
pub fn fine_spots(cells: [i64; 3], shape: Shape) -> Result<ExperimentSpec, Error> {
    let coarse = lysozyme()?;
    Ok(ExperimentSpec {
        detector: DetectorSpec {
            pixels_fast: Some(2463),
            pixels_slow: Some(2527),
            pixel_size: Length::from_mm(0.04),
            distance: Length::from_mm(80.0),
            ..DetectorSpec::default()
        },
        crystal: CrystalSpec {
            cells,
            shape,
            spot_metric: SpotMetric::Hkl,
            mosaic: MosaicSpec {
                domains: Some(20),
                ..coarse.crystal.mosaic
            },
            ..coarse.crystal
        },
        beam: BeamSpec {
            dispersion: DispersionSpec::default(),
            ..coarse.beam
        },
        phi: PhiSpec::default(),
        sampling: SamplingSpec {
            oversample: Some(1),
            ..SamplingSpec::default()
        },
        without_f000: true,
        ..coarse
    })
}

/// A shot of an XFEL on Gaussian domains of 40 x 40 x 40 cells: 1024 x 1024 pixels of 2 x 2 sub-pixels, 10
/// wavelengths and 10 domains.
///
/// # Errors
/// As [`lysozyme`].
pub fn xfel_shot() -> Result<ExperimentSpec, Error> {
    let mut shot = fine_spots([40; 3], Shape::Gauss)?;
    shot.detector.pixels_fast = Some(1024);
    shot.detector.pixels_slow = Some(1024);
    shot.detector.pixel_size = Length::from_mm(0.1);
    shot.crystal.mosaic.domains = Some(10);
    shot.beam.dispersion.range = Some(0.003);
    shot.beam.dispersion.count = Some(10);
    shot.sampling.oversample = Some(2);
    Ok(shot)
}

/// A crystal of 2 x 2 x 2 cells and 50 mosaic domains, interpolated in a box of 29^3 reflections
/// that no pixel leaves, on `pixels` x `pixels` pixels of 0.1 mm (1024 in the full scene).
///
/// # Errors
/// [`Error::Crystal`] if there is no memory for the structure factors.
pub fn tricubic(pixels: u32) -> Result<ExperimentSpec, Error> {
    let list = reflections_box([14; 3]);
    let factors = FactorGrid::from_reflections(&list, 0.0, GridLimit::default())?;
    Ok(ExperimentSpec {
        detector: DetectorSpec {
            pixels_fast: Some(pixels),
            pixels_slow: Some(pixels),
            ..DetectorSpec::default()
        },
        crystal: CrystalSpec {
            cell: Some(CellSpec::from_values(&[18.0])?),
            cells: [2; 3],
            mosaic: MosaicSpec {
                spread_rad: Some(Angle::from_degrees(1.0).radians()),
                domains: Some(50),
                seed: 12_345_678,
                ..MosaicSpec::default()
            },
            ..CrystalSpec::default()
        },
        factors: factors.into(),
        lookup: Some(Lookup::Tricubic),
        ..ExperimentSpec::default()
    })
}

/// 10^18 photons in a second through a square of edge `beam_size`.
fn flux_of_1e18(beam_size: Length) -> FluenceSpec {
    FluenceSpec {
        flux_per_s: Some(1e18),
        exposure_s: Some(1.0),
        beam_size_m: Some(beam_size.m()),
        ..FluenceSpec::default()
    }
}

fn sweep(start_deg: f64, range_deg: f64, count: i64) -> PhiSpec {
    PhiSpec {
        start: Angle::from_degrees(start_deg),
        sweep: StepSpec {
            range: Some(Angle::from_degrees(range_deg).radians()),
            step: None,
            count: Some(count),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nanobragg::{RunOptions, simulate};

    #[test]
    fn the_headline_has_684_047_reflections() {
        assert_eq!(headline_factors().unwrap().count_read(), 684_047);
    }

    #[test]
    fn every_scene_resolves() {
        let fine = fine_spots([60, 50, 110], Shape::Square);
        for spec in [
            headline_small(),
            lysozyme(),
            tricubic(1024),
            fine,
            xfel_shot(),
        ] {
            assert!(spec.unwrap().resolve().is_ok());
        }
    }

    #[test]
    fn no_pixel_of_the_tricubic_scene_leaves_the_box() {
        let resolved = tricubic(16).unwrap().resolve().unwrap();
        let image = simulate(&resolved.experiment, &RunOptions::default()).unwrap();
        assert_eq!(image.left_grid_at, None);
    }
}

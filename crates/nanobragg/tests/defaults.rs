//! What an experiment is when nothing is said about it.
use nanobragg::{
    CellSpec, Convention, CrystalSpec, ExperimentSpec, FactorsSpec, Lookup, Outline, Pivot,
    PixelKind, Resolved, Shape, Surface,
};

/// A crystal and a structure factor, which have no default; all else is left open.
fn resolved() -> Resolved {
    let spec = ExperimentSpec {
        crystal: CrystalSpec {
            cell: CellSpec::from_values(&[100.0]).ok(),
            ..CrystalSpec::default()
        },
        factors: FactorsSpec::Constant(1.0),
        ..ExperimentSpec::default()
    };
    spec.resolve()
        .expect("a cell and a structure factor are enough")
}

#[test]
fn the_detector_is_1024_pixels_of_a_tenth_of_a_millimetre() {
    let resolved = resolved();
    let (panel, layout) = (
        resolved.experiment.detector.first(),
        &resolved.decisions.layout,
    );
    assert_eq!([panel.pixels_fast(), panel.pixels_slow()], [1024; 2]);
    assert_eq!(panel.pixel_size_m(), 0.1e-3);
    assert_eq!(layout.size_m[0], 102.4e-3);
    assert_eq!(panel.distance_m(), 0.1);
    assert_eq!(layout.convention, Convention::Mosflm);
    assert_eq!(layout.pivot, Pivot::Beam);
    assert_eq!(panel.surface(), Surface::Flat);
    assert_eq!(panel.pixel_kind(), PixelKind::Facet);
    assert_eq!(panel.sensor().layers, 1);
    assert!(!panel.sensor().is_modelled());
}

#[test]
fn the_beam_is_one_angstrom_and_one_electron_scatters_one_photon() {
    let resolved = resolved();
    assert_eq!(resolved.decisions.wavelength_m, 1e-10);
    let fluence = resolved.decisions.fluence;
    assert_eq!(
        fluence.fluence_per_m2,
        125_932_015_286_227_086_360_700_780_544.0
    );
    let photons = nanobragg::physics::ELECTRON_RADIUS_SQUARED_M2 * fluence.fluence_per_m2;
    assert!((photons - 1.0).abs() < 1e-15);
    assert_eq!(fluence.exposure_s, 1.0);
    assert_eq!(fluence.beam_size_m, 0.1e-3);
    assert_eq!(resolved.experiment.polarization.kahn_factor, 0.0);
    assert!(!resolved.experiment.polarization.off);
    assert_eq!(resolved.experiment.sources.len(), 1);
    assert_eq!(resolved.experiment.sources[0].position_m, [-10.0, 0.0, 0.0]);
    assert_eq!(resolved.decisions.divergence.outline(), Outline::Round);
}

#[test]
fn the_crystal_is_one_cell_at_rest() {
    let experiment = resolved().experiment;
    assert_eq!(experiment.crystal.size().cells(), [1.0; 3]);
    assert_eq!(experiment.crystal.shape(), Shape::Square);
    assert_eq!(experiment.crystal.fudge(), 1.0);
    assert_eq!(experiment.crystal.mosaic().domains().len(), 1);
    assert_eq!(experiment.phi.count, 1);
    assert_eq!(experiment.phi.start_rad, 0.0);
    assert_eq!(CrystalSpec::default().mosaic.seed, 12_345_678);
}

#[test]
fn everything_is_rendered_and_nothing_corrected_at_each_sub_pixel() {
    let resolved = resolved();
    let experiment = &resolved.experiment;
    assert_eq!(experiment.detector.first().roi().pixel_count(), 1024 * 1024);
    assert!(experiment.detector.first().mask().is_none());
    assert_eq!(experiment.dmin_m, 0.0);
    assert_eq!(experiment.water_m, 0.0);
    assert!(!experiment.sampling.corrects_each_subpixel());
    assert!(resolved.decisions.oversample_is_automatic);
    // Interpolation would be chosen for so small a crystal, but there is no list to interpolate in.
    assert_eq!(experiment.lookup, Lookup::Nearest);
    assert!(resolved.decisions.oddities.is_empty());
    assert!(resolved.decisions.warnings.is_empty());
}

//! A short comment on each field of an experiment file. The unit of a field is in its name.

use nanobragg_crystal::{Shape, SpotMetric};
use nanobragg_response::ResponseSpec;

/// The comment on the field at `path`.
pub(super) fn of(path: &str) -> Option<&'static str> {
    // The sensors of all panels have the same fields.
    let path = &path.replace("detector.other_panels.sensor", "detector.sensor");
    let found = COMMENTS.iter().find(|(known, _)| *known == path);
    let of_stage = || {
        let field = path.strip_prefix("response.")?;
        let mut stages = ResponseSpec::STAGE_COMMENTS.iter();
        stages.find(|(known, _)| *known == field)
    };
    found.or_else(of_stage).map(|(_, comment)| *comment)
}

const COMMENTS: &[(&str, &str)] = &[
    ("version", "of the names and units in this file"),
    (
        "mask",
        "{ file = ... }: an SMV image that is 0 where a pixel is left out; or { regions = ... }: rectangles, first and last pixel",
    ),
    (
        "beam_stop.diameter_mm",
        "of a disc in the direct beam; a file without beam_stop has none",
    ),
    ("beam_stop.distance_mm", "from the sample, 30 if not given"),
    (
        "beam_stop.penumbra_mm",
        "width of the edge of its shadow, there; the size of the beam as pixels see it",
    ),
    ("beam_stop.transmission", "part of the photons that passes"),
    (
        "beam_stop.holder",
        "{ width_mm, direction_deg, transmission }: an arm, at 0 deg along fast, at 90 along slow",
    ),
    (
        "beam_stop.mask",
        "whether pixels wholly in the shadow are masked",
    ),
    (
        "diffuse",
        "halos about the reflections; a file without it has none; docs/PHYSICS.md",
    ),
    ("diffuse.model", "llm or acoustic"),
    (
        "diffuse.axes",
        "cell: a, its perpendicular in the plane of a and b, c*; diagonal: a - b, a + b, c*",
    ),
    (
        "diffuse.gamma_angstrom",
        "correlation lengths along the axes",
    ),
    ("diffuse.sigma_angstrom", "rms displacements along the axes"),
    (
        "diffuse.stencil",
        "reflections to each side whose halos are summed",
    ),
    (
        "diffuse.symmetry",
        "a space group; that of the structure factors if not given",
    ),
    (
        "diffuse.damped",
        "false if the structure factors have the displacements",
    ),
    (
        "lookup",
        "nearest or tricubic; tricubic for at most 2 cells along an axis",
    ),
    (
        "lattices.first_weight",
        "factor on the intensity of the crystal, 1 if not given; docs/PHYSICS.md",
    ),
    (
        "lattices.twins",
        "{ operator = \"-h,-k,l\", fraction = 0.3 }: twins of each crystal",
    ),
    (
        "lattices.twins.operator",
        "on h,k,l: the spot of the twin at the place of h k l",
    ),
    ("lattices.twins.fraction", "part of the crystal, 0 to 1"),
    (
        "lattices.others",
        "further crystals, relative to the crystal: { weight, misset_deg or turn, basis }",
    ),
    ("lattices.others.weight", "factor on its intensity"),
    (
        "lattices.others.misset_deg",
        "rotation about X, then Y, then Z",
    ),
    ("lattices.others.turn", "rotation matrix by rows"),
    (
        "lattices.others.basis",
        "edges of its cell as sums of a, b, c, by rows; the same cell if not given",
    ),
    ("water_um", "edge of the cube of water in the beam; 0: none"),
    (
        "background",
        "amorphous material in the beam; docs/BACKGROUND.md",
    ),
    (
        "background.material",
        "{ name = ... }, { table = { path, unit } } or { points = { points, unit } }",
    ),
    (
        "background.thickness_mm",
        "along the beam, 0.1 if not given",
    ),
    (
        "background.width_mm",
        "clipped by the beam; that of the beam if not given",
    ),
    (
        "background.height_mm",
        "clipped by the beam; that of the beam if not given",
    ),
    (
        "background.density_g_per_cm3",
        "that of the material if not given",
    ),
    (
        "background.molar_mass_g_per_mol",
        "that of the material if not given",
    ),
    (
        "background.molecules",
        "in the beam, in place of volume and density",
    ),
    (
        "background.absorbs",
        "absorption along the path through the layer",
    ),
    (
        "background.absorption_per_mm",
        "in place of that of the material",
    ),
    ("background_scale", "a factor on all layers, 1 if not given"),
    (
        "background_tolerance",
        "relative error allowed for speed; every pixel is summed if not given",
    ),
    ("without_f000", "F(000) is 0: no direct beam"),
    (
        "b_factor_a2",
        "B in square Angstrom: every F is multiplied by exp(-B/(4 d^2))",
    ),
    ("dmin_angstrom", "nothing finer is rendered; 0: no limit"),
    ("noise_seed", "the clock if not given"),
    (
        "fixes",
        "oddities of the C program to put right; docs/QUIRKS.md",
    ),
    ("detector.pixel_size_mm", "edge of the square pixels"),
    (
        "detector.size_fast_mm",
        "along fast; not used if pixels are counted",
    ),
    (
        "detector.size_slow_mm",
        "along slow; not used if pixels are counted",
    ),
    ("detector.pixels_fast", "number of pixels along fast"),
    ("detector.pixels_slow", "number of pixels along slow"),
    (
        "detector.distance_mm",
        "from the sample along the beam; not used beside the next",
    ),
    (
        "detector.close_distance_mm",
        "from the sample along the normal",
    ),
    ("detector.x_beam_mm", "beam centre X of the convention"),
    ("detector.y_beam_mm", "beam centre Y of the convention"),
    (
        "detector.x_close_mm",
        "point nearest to the sample, along fast",
    ),
    (
        "detector.y_close_mm",
        "point nearest to the sample, along slow",
    ),
    ("detector.org_x_px", "the same as XDS counts it, ORGX"),
    ("detector.org_y_px", "the same as XDS counts it, ORGY"),
    (
        "detector.convention",
        "mosflm, denzo, adxv, xds, dials or custom; docs/CONVENTIONS.md",
    ),
    (
        "detector.pivot",
        "beam or sample: stays in place in the custom convention",
    ),
    (
        "detector.explicit_pivot",
        "the same for any convention, with the fix \"pivot\"",
    ),
    (
        "detector.pix0_m",
        "corner of the first pixel, with the fix \"ignored-input\"",
    ),
    (
        "detector.rotations_deg",
        "about the laboratory's X, then Y, then Z",
    ),
    ("detector.twotheta_deg", "about the two-theta axis, last"),
    ("detector.surface", "flat or curved"),
    ("detector.pixel_kind", "facet or point (no obliquity)"),
    (
        "detector.gaps",
        "{ module_pixels, gap_pixels }: pixels of a module and of a gap along fast and slow",
    ),
    ("detector.model", "name of the detector, for headers"),
    ("detector.name", "of the panel, Panel if not given"),
    (
        "detector.trusted_range_counts",
        "smallest and largest count to be trusted",
    ),
    ("detector.other_panels", "in the frame of the panel above"),
    ("detector.other_panels.name", "its number if not given"),
    (
        "detector.other_panels.origin_mm",
        "corner of its first pixel, from that of the panel above",
    ),
    (
        "detector.other_panels.fast",
        "direction of increasing fast pixel",
    ),
    (
        "detector.other_panels.slow",
        "direction of increasing slow pixel",
    ),
    (
        "detector.other_panels.pixels_fast",
        "number of pixels along fast",
    ),
    (
        "detector.other_panels.pixels_slow",
        "number of pixels along slow",
    ),
    (
        "detector.other_panels.pixel_size_mm",
        "edge of the square pixels",
    ),
    (
        "detector.other_panels.trusted_range_counts",
        "smallest and largest count to be trusted",
    ),
    (
        "detector.axes.beam",
        "direction of the beam; axes are for the custom convention",
    ),
    ("detector.axes.fast", "direction of increasing fast pixel"),
    ("detector.axes.slow", "direction of increasing slow pixel"),
    (
        "detector.axes.normal",
        "detector normal, away from the sample",
    ),
    (
        "detector.axes.twotheta",
        "axis of two-theta; its length enters the rotation",
    ),
    ("detector.axes.polarization", "electric field of the beam"),
    ("detector.axes.spindle", "axis of phi"),
    (
        "detector.sensor.attenuation",
        "not_given, transparent, or { depth_um = ... } at which 1/e is left",
    ),
    ("detector.sensor.thickness_um", "0: not modelled"),
    (
        "detector.sensor.material",
        "Si or CdTe, whose attenuation applies if none is given",
    ),
    (
        "detector.sensor.layers",
        "in how many layers it is rendered",
    ),
    (
        "roi.fast",
        "first and last fast pixel to render; below 0: that edge",
    ),
    (
        "roi.slow",
        "first and last slow pixel to render; below 0: that edge",
    ),
    ("crystal.cell", "edges and angles of the unit cell"),
    ("crystal.cell.lengths_angstrom", "a, b, c"),
    ("crystal.cell.angles_deg", "alpha, beta, gamma"),
    (
        "crystal.impossible_cell",
        "render angles that no lattice has, with the numbers of the C program",
    ),
    (
        "crystal.matrix",
        "rows x, y, z; columns a*, b*, c* in 1/Angstrom times the wavelength",
    ),
    (
        "crystal.misset",
        "{ angles_deg = [...] }, or { random = { seed = ... } } or random_uniform",
    ),
    ("crystal.cells", "whole cells along a, b, c"),
    (
        "crystal.size_mm",
        "along a, b, c; above 0 it wins over the cells",
    ),
    ("crystal.shape", Shape::NAMES),
    (
        "crystal.fudge",
        "factor on the squared radius of all shapes but square",
    ),
    ("crystal.spot_metric", SpotMetric::NAMES),
    (
        "crystal.domain.cells",
        "real numbers of cells along a, b, c; they win over cells and size",
    ),
    (
        "crystal.domain.tensor",
        "Nd, Ne, Nf: the rest of the size tensor of diffBragg",
    ),
    (
        "crystal.domain.size_spread",
        "standard deviation of the logarithm of the size of domains",
    ),
    (
        "crystal.domain.spot_scale",
        "factor on the crystal's photons",
    ),
    (
        "crystal.domain.crystal_mm3",
        "volume of crystal in the beam, if it is more than one domain",
    ),
    ("crystal.mosaic.spread_deg", "width of the distribution"),
    (
        "crystal.mosaic.spread_abc_deg",
        "widths about a, b, c, in place of the one",
    ),
    (
        "crystal.mosaic.model",
        "cap or gaussian; gaussian for three widths, otherwise cap",
    ),
    (
        "crystal.mosaic.sampling",
        "random, pairs or even; random for the cap of the C program, otherwise pairs",
    ),
    (
        "crystal.mosaic.file",
        "rotation and weight of each domain, in place of widths",
    ),
    (
        "crystal.mosaic.matrices",
        "the same here: rows of the nine numbers of a rotation and a weight",
    ),
    (
        "crystal.mosaic.strain_percent",
        "standard deviation of all three edges together, up to 10",
    ),
    (
        "crystal.mosaic.strain_abc_percent",
        "those of a, b, c on their own",
    ),
    (
        "crystal.mosaic.domains",
        "10 with a spread or strain, otherwise 1",
    ),
    ("crystal.mosaic.seed", "of the orientations of the domains"),
    (
        "structure_factors.default_f",
        "F of every reflection not listed, in electrons",
    ),
    (
        "structure_factors.hkl",
        "list of F: text, MTZ, mmCIF or XDS_ASCII",
    ),
    (
        "structure_factors.hkl_at",
        "lists at several energies, in place of hkl: [{ energy_ev = 7112.0, path = \"a.mtz\" }]",
    ),
    (
        "structure_factors.columns",
        "to take of MTZ, mmCIF or XDS_ASCII; I of a text",
    ),
    (
        "structure_factors.space_group",
        "in place of the one in the file",
    ),
    (
        "structure_factors.coordinates",
        "atoms to work F out from, PDB or CIF; in place of hkl",
    ),
    (
        "structure_factors.solvent",
        "whether the cell is filled with bulk solvent",
    ),
    (
        "structure_factors.solvent_density_per_a3",
        "its electrons per cubic Angstrom",
    ),
    (
        "structure_factors.solvent_b_a2",
        "its B factor in square Angstrom",
    ),
    (
        "structure_factors.anomalous",
        "by element: { Se = { real = -8.0, imaginary = 4.5 } }, in electrons",
    ),
    (
        "structure_factors.anomalous_table",
        "whether all other elements have f' and f'' of the table, at the energy of each source",
    ),
    (
        "structure_factors.anomalous_curves",
        "by element: { Fe = \"Fe.dat\" }, files of energy (eV), f' and f''",
    ),
    (
        "structure_factors.strict_atoms",
        "whether atoms that are not as they should be are an error instead of a warning",
    ),
    (
        "structure_factors.dump",
        "structure factors of an earlier run; in place of hkl",
    ),
    ("beam.wavelength_angstrom", "central wavelength"),
    (
        "beam.sources",
        "grid, { file = ... }, or { list = [{ position_m, wavelength_angstrom }] }",
    ),
    (
        "beam.weights",
        "ignore, or use: whether the weights of listed sources count in the image",
    ),
    (
        "beam.spectrum",
        "in place of a dispersion: { from = { named = \"gaussian:0.2%\" }, steps = 50 }, { from = { file = { path = ... } } }",
    ),
    (
        "beam.fluence.fluence_per_m2",
        "photons over the whole exposure; 1.26e29 if nothing is given",
    ),
    (
        "beam.fluence.flux_per_s",
        "photons; with exposure and beam size it wins over the fluence",
    ),
    ("beam.fluence.exposure_s", "1 if not given"),
    (
        "beam.fluence.beam_size_mm",
        "edge of the beam, 0.1 if not given; a crystal is cut to it",
    ),
    (
        "beam.polarization.kahn_factor",
        "from -1 to 1; 0 is an unpolarized beam",
    ),
    ("beam.polarization.off", "leave the correction out"),
    (
        "beam.divergence.outline",
        "round or square: which directions of the grid are kept",
    ),
    (
        "beam.divergence.profile",
        "flat, or gaussian: the photons over the directions, with half of the range as FWHM",
    ),
    (
        "beam.divergence.horizontal.range_mrad",
        "of range, step and count two give the third",
    ),
    (
        "beam.divergence.horizontal.step_mrad",
        "from one direction to the next",
    ),
    ("beam.divergence.horizontal.count", "number of directions"),
    (
        "beam.divergence.vertical.range_mrad",
        "of range, step and count two give the third",
    ),
    (
        "beam.divergence.vertical.step_mrad",
        "from one direction to the next",
    ),
    ("beam.divergence.vertical.count", "number of directions"),
    (
        "beam.dispersion.range_fraction",
        "range of wavelengths over the wavelength",
    ),
    ("beam.dispersion.count", "number of wavelengths"),
    (
        "beam.tilt_mrad",
        "turns the beam towards its electric vector, and across it; the detector stays",
    ),
    (
        "series.crystal_system",
        "ties edges and angles that vary; that of the cell if not given",
    ),
    (
        "series.vary",
        "what varies from image to image: cell_a = { normal = \"0.5 %\" }; docs/SERIES.md",
    ),
    (
        "beam.dispersion.profile",
        "flat, or gaussian: the photons over the wavelengths, with half of the range as FWHM",
    ),
    ("phi.start_deg", "spindle angle of the first step"),
    (
        "phi.range_deg",
        "oscillation; of range, step and count two give the third",
    ),
    ("phi.step_deg", "from one step to the next"),
    ("phi.count", "number of steps"),
    (
        "sampling.oversample",
        "sub-pixels along an edge of a pixel; as many as the crystal needs",
    ),
    (
        "sampling.auto",
        "numbers that are chosen from an allowed error; a file without it has none; docs/PHYSICS.md",
    ),
    (
        "sampling.auto.oversample",
        "true in place of sampling.oversample",
    ),
    ("sampling.auto.phi_steps", "true in place of phi.count"),
    (
        "sampling.auto.mosaic_domains",
        "true in place of crystal.mosaic.domains",
    ),
    (
        "sampling.auto.error",
        "of all of them together, as a part of the brightest pixel",
    ),
    (
        "sampling.per_subpixel_capture",
        "take the sensor's capture at each sub-pixel",
    ),
    (
        "sampling.per_subpixel_polarization",
        "take the polarization at each sub-pixel",
    ),
    (
        "sampling.per_subpixel_solid_angle",
        "take the solid angle at each sub-pixel",
    ),
    (
        "response.noise_stream",
        "c: the random numbers of the C program, or counter: those of a pixel depend on no other pixel",
    ),
    (
        "response.saturation_counts",
        "the largest count; that of the file if not given",
    ),
    (
        "response.masked_counts",
        "the count of masked pixels in SMV images; that of a dark pixel if not given",
    ),
    (
        "response.integer_scale_counts_per_photon",
        "of the image without noise; automatic if not given",
    ),
    (
        "response.grey_scale_per_photon",
        "of the greymap; automatic if not given",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::{CellSpec, ExperimentSpec, Length, TwinLaw, TwinSpec};
    use nanobragg_geometry::{AttachedPanel, BeamStopSpec};

    /// Lists of tables.
    const LISTS: [&str; 4] = [
        "detector.other_panels",
        "background",
        "lattices.twins",
        "lattices.others",
    ];

    /// The paths of all fields of a tree, as in [`COMMENTS`].
    fn fields(path: &str, value: &Value, found: &mut BTreeSet<String>) {
        if of(path).is_some() {
            found.insert(path.to_owned());
        }
        match value {
            Value::Object(named)
                if ["crystal.cell", "diffuse", "sampling.auto"].contains(&path)
                    || of(path).is_none() =>
            {
                for (name, value) in named {
                    let gap = if path.is_empty() { "" } else { "." };
                    fields(&format!("{path}{gap}{name}"), value, found);
                }
            }
            Value::Array(values) if LISTS.contains(&path) => {
                for value in values.iter().filter_map(Value::as_object) {
                    for (name, value) in value {
                        fields(&format!("{path}.{name}"), value, found);
                    }
                }
            }
            _ if of(path).is_none() => panic!("{path} has no comment"),
            _ => {}
        }
    }

    #[test]
    fn every_field_has_a_comment_and_every_comment_its_field() {
        let mut spec = ExperimentSpec::default();
        spec.detector.others.push(AttachedPanel {
            name: None,
            origin: Default::default(),
            fast: [1.0, 0.0, 0.0],
            slow: [0.0, 1.0, 0.0],
            pixels_fast: 1,
            pixels_slow: 1,
            pixel_size: Length::from_mm(1.0),
            sensor: Default::default(),
            trusted_range: None,
        });
        spec.beam_stop = Some(BeamStopSpec::new(Length::from_mm(2.0)));
        spec.crystal.cell = Some(CellSpec::from_values(&[70.0]).unwrap());
        spec.background.push(Default::default());
        spec.diffuse = Some(Default::default());
        spec.sampling.auto = Some(Default::default());
        spec.lattices.others.push(Default::default());
        spec.lattices.twins.push(TwinSpec {
            operator: TwinLaw::from_text("k,h,-l").unwrap(),
            fraction: 0.5,
        });
        let mut found = BTreeSet::new();
        fields("", &spec.to_tree().unwrap(), &mut found);
        found.retain(|path| !path.starts_with("detector.other_panels.sensor"));
        let stages = ResponseSpec::STAGE_COMMENTS.iter();
        let stages = stages.map(|(field, _)| format!("response.{field}"));
        let known = COMMENTS.iter().map(|(path, _)| (*path).to_owned());
        let known: BTreeSet<String> = known.chain(stages).collect();
        assert_eq!(found, known);
    }
}

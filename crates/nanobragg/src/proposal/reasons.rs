//! Why a proposed experiment has its numbers.

use nanobragg_io::printf::{general as g, general_with};
use nanobragg_sources::energy_ev_from_wavelength_m;

use super::{CRYSTAL_MM, Proposal};

impl Proposal {
    /// The fields of the file in their order, each with its reason.
    pub(super) fn reasons(&self) -> Vec<(&'static str, String)> {
        let line = |field, reason: &str| (field, reason.to_owned());
        let has_atoms = self.sample.has_atoms;
        let mut lines = vec![
            line("version", "of the names and units in this file"),
            line(
                "noise_seed",
                "the same noise every time; without this line the clock decides",
            ),
            line(
                "fixes",
                "oddities of the C program that would change this image; docs/QUIRKS.md",
            ),
            line(
                "background",
                "liquid around the crystal, air up to the beam stop; docs/BACKGROUND.md",
            ),
            match has_atoms {
                true => line(
                    "structure_factors.coordinates",
                    "F follows from the atoms, with bulk solvent between them",
                ),
                false => line(
                    "structure_factors.hkl",
                    "the amplitudes; the symmetry is applied",
                ),
            },
        ];
        if self.asked.space_group.is_some() {
            lines.push(line("structure_factors.space_group", "as asked for"));
        }
        lines.extend([
            line("detector.preset", "nanoBragg detectors lists others"),
            ("detector.distance_mm", self.of_distance()),
            line(
                "beam_stop.diameter_mm",
                "keeps the direct beam from the detector",
            ),
            line(
                "beam_stop.distance_mm",
                "from the crystal, before the detector",
            ),
            ("beam.wavelength_angstrom", self.of_wavelength()),
            line(
                "beam.polarization.kahn_factor",
                "a synchrotron's beam is polarized in the plane of the ring",
            ),
            line(
                "beam.fluence.flux_per_s",
                "photons of an undulator in a small focus",
            ),
            line(
                "beam.fluence.exposure_s",
                "for 0.1 degrees: 10 degrees a second, as fast detectors allow",
            ),
            line("beam.fluence.beam_size_mm", "as large as the crystal"),
        ]);
        if self.asked.cell.is_some() {
            lines.push(line(
                "crystal.cell",
                "as asked for, in place of that of the file",
            ));
        }
        let spot_um = self.wavelength.m() / self.block_m() * self.distance_mm * 1e3;
        let block = g((self.block_m() * 1e8).round() / 100.0);
        lines.extend([
            line("crystal.misset", "no axis along the beam or the spindle"),
            ("crystal.cells", format!("blocks of {block} um, small enough for spots of {spot_um:.0} um, which few sub-pixels resolve")),
            line("crystal.shape", "round spots, without the fringes of a perfect block"),
            ("crystal.domain.crystal_mm3", format!("of all blocks together: a cube of {} mm", g(CRYSTAL_MM))),
            line("crystal.mosaic.spread_deg", "of a well frozen crystal; 0.05 to 0.5 are usual"),
            line("crystal.mosaic.model", "its standard deviation is the spread"),
            line("crystal.mosaic.sampling", "fewer orientations are enough if they leave no holes"),
            line("crystal.mosaic.domains", "orientations that are summed; more are smoother and take longer"),
            line("phi.start_deg", "the first image of a rotation"),
            line("phi.range_deg", "fine slices, as pixel detectors take them"),
            line("phi.count", "steps, two over the width of the sharpest reflections"),
            line("sampling.oversample", "sub-pixels along an edge of a pixel: three over the width of a spot"),
        ]);
        lines
    }

    /// The largest edge of a block in metres.
    fn block_m(&self) -> f64 {
        let edges = self
            .spec
            .crystal
            .cells
            .iter()
            .zip(self.sample.cell.lengths_angstrom);
        edges.fold(0.0, |most: f64, (n, edge_a)| most.max(*n as f64 * edge_a)) * 1e-10
    }

    fn file(&self) -> String {
        let name = self.asked.path.file_name().unwrap_or_default();
        // A comment ends with its line.
        name.to_string_lossy().replace(char::is_control, " ")
    }

    fn of_distance(&self) -> String {
        let file = self.file();
        let whose = match (self.asked.dmin_a, self.sample.dmin_a, self.sample.has_atoms) {
            (Some(_), ..) => "as asked for".to_owned(),
            (None, Some(_), true) => format!("the resolution of {file}"),
            (None, Some(_), false) => format!("the finest reflection of {file}"),
            (None, None, _) => format!("a usual one, for {file} states none"),
        };
        let [dmin, edge] = [self.dmin_a, self.edge_a].map(|a| general_with(a, 3));
        match self.edge_a > self.dmin_a {
            false => format!("{dmin} A at the edge of the detector: {whose}"),
            true => format!("{edge} A at its edge; {dmin} A ({whose}) needs a shorter wavelength"),
        }
    }

    fn of_wavelength(&self) -> String {
        let kev = energy_ev_from_wavelength_m(self.wavelength.m()) / 1000.0;
        let whose = match (self.asked.wavelength, self.sample.wavelength_a) {
            (Some(_), _) => "as asked for".to_owned(),
            (None, Some(_)) => format!("of the data of {}", self.file()),
            (None, None) => format!("{} states none; near that of many beamlines", self.file()),
        };
        format!("{} keV, {whose}", general_with(kev, 4))
    }
}

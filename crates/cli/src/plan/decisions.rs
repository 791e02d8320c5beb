//! All decisions of a run, in the order in which a user thinks of them. The decisions on detector and
//! beam are in `instrument`.

use nanobragg::geometry::units::DEGREES_PER_RADIAN;
use nanobragg::io::printf::general as g;
use nanobragg::{FactorsSpec, Level, Lookup, Misset, NoiseStream, Sampled, factor_tables};

use super::decision::{Because, Decision};
use crate::args::{self, Args};
use crate::resolve::{DEFAULT_MOSAIC_SEED, Job};

/// All decisions of a job.
pub(crate) fn all(job: &Job, args: &Args, level: Option<Level>) -> Vec<Decision> {
    let mut list = List {
        job,
        args,
        decisions: Vec::new(),
    };
    list.crystal();
    list.structure_factors();
    list.detector();
    list.beam();
    list.sampling();
    list.seeds();
    list.running(level);
    list.decisions
}

/// `1 step`, `2 steps`.
pub(super) fn in_steps(count: u32) -> String {
    format!("{count} step{}", if count == 1 { "" } else { "s" })
}

/// The decisions made so far.
pub(super) struct List<'j> {
    pub(super) job: &'j Job,
    pub(super) args: &'j Args,
    decisions: Vec<Decision>,
}

impl List<'_> {
    pub(super) fn add(&mut self, setting: &'static str, value: String, because: Because) {
        self.decisions.push(Decision {
            setting,
            value,
            because,
        });
    }

    pub(super) fn flag(&self, flags: &[&str]) -> Option<Because> {
        Because::flag(self.args, flags)
    }

    pub(super) fn flag_or_default(&self, flags: &[&str]) -> Because {
        self.flag(flags).unwrap_or(Because::Default)
    }

    /// The reason: a flag, else a header, else the default.
    pub(super) fn flag_or_header(&self, flags: &[&str], keys: &[&str]) -> Because {
        self.flag(flags)
            .or_else(|| Because::header(self.job, keys))
            .unwrap_or(Because::Default)
    }

    fn crystal(&mut self) {
        let given = &self.args.crystal;
        let crystal = &self.job.resolved.experiment.crystal;
        let lattice = crystal.lattice();
        let cell = (given.cell.is_some().then_some("cell"))
            .or(given.cell_path.is_some().then_some("cellfile"));
        let because = match (&given.matrix_path, cell, self.job.cell_from()) {
            (Some(_), Some(flag), _) => {
                Because::rule(format!("-mat gives the directions and -{flag} the lengths"))
            }
            (Some(_), None, _) => Because::Flag("mat"),
            (None, Some(flag), Some(file)) => Because::rule(format!(
                "the file of -{} gives the directions and -{flag} the lengths",
                file.flag
            )),
            (None, None, Some(file)) => Because::Flag(file.flag),
            (None, None, None) if self.job.coordinates.is_some() => {
                Because::rule("the cell of the coordinates (-pdb)")
            }
            (None, None, None) => Because::rule("the cell of the structure factors (-hkl)"),
            (None, Some(flag), None) => Because::Flag(flag),
        };
        let numbers = |numbers: [f64; 3]| numbers.map(g).join(" ");
        let angles = lattice.angles_rad().map(|angle| angle * DEGREES_PER_RADIAN);
        let cell = format!(
            "{} A, {} deg",
            numbers(lattice.lengths_angstrom),
            numbers(angles)
        );
        self.add("unit cell", cell, because);
        if let Some(angles) = crystal.misset_rad() {
            let angles = numbers(angles.map(|angle| angle * DEGREES_PER_RADIAN));
            self.add("misset", format!("{angles} deg"), Because::Flag("misset"));
        }
        let sizes = ["xtalsize", "xtal_x", "xtal_y", "xtal_z"];
        let because = match self.flag(&sizes) {
            Some(flag) => Because::rule(format!("size over cell edge, rounded up ({flag})")),
            None => self.flag_or_default(&["N", "Na", "Nb", "Nc"]),
        };
        let cells = crystal.size().cells().map(|n| n.to_string()).join(" x ");
        self.add("cells", cells, because);
        let shapes = args::flags().filter(|flag| flag.fields.contains(&"crystal.shape"));
        let shapes: Vec<_> = shapes.map(|flag| flag.name).collect();
        let because = self.flag_or_default(&shapes);
        self.add("shape", crystal.shape().to_string(), because);
        let mosaic = crystal.mosaic();
        let because = match (mosaic.has_spread(), given.mosaic_domains) {
            (true, _) if mosaic.is_listed() => Because::rule("as many as the file of domains has"),
            (true, Some(_)) => Because::Flag("mosaic_domains"),
            (true, None) => Because::rule("10 where -mosaic comes without -mosaic_domains"),
            (false, _) => Because::rule("one domain without a spread (-mosaic)"),
        };
        let because = self.chosen(Sampled::MosaicDomains).unwrap_or(because);
        self.add(
            "mosaic domains",
            mosaic.domains().len().to_string(),
            because,
        );
    }

    fn structure_factors(&mut self) {
        let factors = &self.job.resolved.experiment.factors;
        let (value, because) = match &self.job.named.factors {
            FactorsSpec::List(_) | FactorsSpec::Grid(_) => (
                format!("{} read", factors.count_read()),
                self.flag_or_default(&["hkl"]),
            ),
            FactorsSpec::Lists(_) | FactorsSpec::ByEnergy(_) => (
                format!("{} read at each energy", factors.count_read()),
                self.flag_or_default(&["hkl_at"]),
            ),
            FactorsSpec::Coordinates(_) => (
                format!("{} worked out", factors.count_read()),
                self.flag_or_default(&["pdb"]),
            ),
            FactorsSpec::Dump { path, .. } => {
                let dump = path.display();
                let rule = format!("without -hkl the dump {dump} of an earlier run is read");
                (
                    format!("{} read", factors.count_read()),
                    Because::rule(rule),
                )
            }
            FactorsSpec::Constant(_) => (
                "none read".to_owned(),
                Because::rule("neither -hkl nor the dump of an earlier run"),
            ),
        };
        self.add("structure factors", value, because);
        if let Some(coordinates) = &self.job.coordinates {
            let dmin = format!("{} A", g(coordinates.dmin_a));
            let because = self
                .flag(&["dmin"])
                .unwrap_or_else(|| Because::rule("the finest corner of the detector"));
            self.add("limit of structure factors", dmin, because);
        }
        let tables = factor_tables(&self.job.resolved.experiment).len();
        if tables > 1 {
            let rule = "f' and f'' or lists at the energies of the sources";
            self.add(
                "tables of structure factors",
                tables.to_string(),
                Because::rule(rule),
            );
        }
        let b_a2 = self.job.spec.b_factor_a2;
        if b_a2 != 0.0 {
            let because = self.flag_or_default(&["b_factor"]);
            self.add("B factor", format!("{} A^2", g(b_a2)), because);
        }
        let because = self.flag_or_default(&["default_F"]);
        self.add(
            "all other structure factors",
            g(factors.default_f()),
            because,
        );
        let lookup = match self.job.resolved.experiment.lookup {
            Lookup::Nearest => "nearest index",
            Lookup::Tricubic => "tricubic interpolation",
        };
        let because = if factors.is_empty() {
            Because::rule("nothing to interpolate between")
        } else {
            self.flag(&["interpolate", "nointerpolate"])
                .unwrap_or_else(|| {
                    Because::rule("interpolation if any of Na Nb Nc, as given, is at most 2")
                })
        };
        self.add("lookup", lookup.to_owned(), because);
    }

    /// Two of range, step and count determine the third. The reason names the given flags.
    pub(super) fn steps_because(&self, flags: &[&str]) -> Because {
        let mut given: Vec<String> = Vec::new();
        for flag in self.args.given.iter().filter(|flag| flags.contains(flag)) {
            let flag = format!("-{flag}");
            if !given.contains(&flag) {
                given.push(flag);
            }
        }
        match given.as_slice() {
            [] => Because::Default,
            given => Because::rule(format!("range, step and count from {}", given.join(" "))),
        }
    }

    /// How a number of samples was chosen from an allowed error.
    fn chosen(&self, sampled: Sampled) -> Option<Because> {
        let mut choices = self.job.resolved.decisions.sampling.iter();
        let choice = choices.find(|choice| choice.sampled == sampled);
        choice.map(|choice| Because::rule(choice.to_string()))
    }

    fn sampling(&mut self) {
        let experiment = &self.job.resolved.experiment;
        let phi = experiment.phi;
        let [start, range] = [phi.start_rad, phi.range_rad].map(|angle| angle * DEGREES_PER_RADIAN);
        let because = self.flag_or_header(&["phi"], &["PHI"]);
        self.add("phi", format!("{} deg", g(start)), because);
        let because = match self.steps_because(&["osc", "phistep", "phisteps"]) {
            Because::Default => {
                Because::header(self.job, &["OSC_RANGE"]).unwrap_or(Because::Default)
            }
            because => because,
        };
        let because = self.chosen(Sampled::PhiSteps).unwrap_or(because);
        let sweep = format!("{} deg in {}", g(range), in_steps(phi.count));
        self.add("oscillation", sweep, because);
        let oversample = experiment.sampling.oversample;
        let recommended = self.job.resolved.decisions.recommended_oversample;
        let because = if self.job.resolved.decisions.oversample_is_automatic {
            Because::rule(
                "3 L / (lambda distance / pixel), rounded up, L the crystal's largest edge",
            )
        } else if recommended == oversample {
            Because::Flag("oversample")
        } else {
            Because::rule(format!("-oversample; {recommended} recommended"))
        };
        let because = self.chosen(Sampled::SubPixels).unwrap_or(because);
        self.add("sub-pixels along an edge", oversample.to_string(), because);
        if experiment.dmin_m > 0.0 {
            let dmin = format!("{} A", g(experiment.dmin_m * 1e10));
            self.add("resolution limit", dmin, Because::Flag("dmin"));
        }
        if experiment.water_m > 0.0 {
            let water = format!("{} um", g(experiment.water_m * 1e6));
            self.add("water", water, Because::Flag("water"));
        }
        if let Some(diffuse) = &experiment.diffuse {
            let three = |lengths: [f64; 3]| lengths.map(g).join(" ");
            let text = format!(
                "{}, gamma {} A, sigma {} A, {} rotations",
                diffuse.model,
                three(diffuse.numbers.gamma_angstrom),
                three(diffuse.numbers.sigma_angstrom),
                diffuse.rotation_count()
            );
            let because = self.flag_or_default(&["diffuse", "diffuse_gamma", "diffuse_sigma"]);
            self.add("diffuse scattering", text, because);
        }
        let decided = &self.job.resolved.decisions.layers;
        for (layer, decision) in experiment.background.iter().zip(decided) {
            let text = format!(
                "{}, {} mm, {} g/cm^3, {} molecules",
                layer.name,
                g(layer.thickness_m * 1e3),
                g(decision.density_g_per_cm3),
                g(layer.molecules)
            );
            let because = self.flag_or_default(&["background", "stol", "4stol", "Q"]);
            self.add("background", text, because);
        }
    }

    fn seeds(&mut self) {
        let noise = &self.args.noise;
        if noise.wanted {
            let because = self
                .flag(&["seed"])
                .unwrap_or_else(|| Because::rule("the clock: another one in the next run"));
            self.add("noise seed", self.job.noise_seed.to_string(), because);
            let (stream, because) = match self.job.spec.response.noise_stream {
                Some(NoiseStream::Counter) if self.args.series.count().is_some() => (
                    "counter",
                    Because::rule("a series: each pixel has its own random numbers"),
                ),
                Some(NoiseStream::Counter) => ("counter", Because::rule("the experiment")),
                Some(NoiseStream::C) | None => ("c", Because::rule("the numbers of the C program")),
            };
            let because = self.flag(&["noise_stream"]).unwrap_or(because);
            self.add("noise stream", stream.to_owned(), because);
        }
        if matches!(self.args.crystal.misset, Some(Misset::Random { .. })) {
            let because = self
                .flag(&["misset_seed"])
                .unwrap_or_else(|| Because::rule("the noise seed, for want of -misset_seed"));
            let seed = noise.misset_seed.unwrap_or(self.job.noise_seed);
            self.add("misset seed", seed.to_string(), because);
        }
        if self
            .job
            .resolved
            .experiment
            .crystal
            .mosaic()
            .domains()
            .len()
            > 1
        {
            let because = self.flag_or_default(&["mosaic_seed"]);
            let seed = noise.mosaic_seed.unwrap_or(DEFAULT_MOSAIC_SEED);
            self.add("mosaic seed", seed.to_string(), because);
        }
    }

    fn running(&mut self, level: Option<Level>) {
        let response = &self.job.spec.response;
        let because = self.flag_or_default(&["adc"]);
        self.add(
            "offset of counts",
            g(response.offset.unwrap_or_default().counts),
            because,
        );
        let (scale, because) = match response.given_integer_scale() {
            Some(scale) => (g(scale), Because::Flag("scale")),
            None => (
                "automatic".to_owned(),
                Because::rule("55000 over the brightest pixel"),
            ),
        };
        self.add("integer scale", scale, because);
        if self.args.output.pgm {
            let (scale, because) = match response.given_grey_scale() {
                Some(scale) => (g(scale), Because::Flag("pgmscale")),
                None => (
                    "automatic".to_owned(),
                    Because::rule("250 over five times the deviation from the mean"),
                ),
            };
            self.add("grey scale", scale, because);
        }
        let threads = self.args.running.threads;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let (threads, because) = match threads {
            Some(threads) => (threads.to_string(), Because::Flag("threads")),
            None => (cores.to_string(), Because::rule("one for each core")),
        };
        self.add("threads", threads, because);
        let because = match level {
            Some(_) => Because::Flag("level"),
            None => Because::rule("the best of this processor"),
        };
        let level = level.unwrap_or_else(Level::detect);
        self.add("vector instructions", level.to_string(), because);
        if let Some(accuracy) = self.args.running.accuracy {
            let accuracy = format!("{} of the brightest pixel", g(accuracy));
            self.add("accuracy", accuracy, Because::Flag("accuracy"));
        }
    }
}

//! `-experiment` reads the experiment that flags override, `-save-experiment` writes the resulting one.

use std::borrow::Cow;
use std::io::Write;
use std::sync::Arc;

use nanobragg::factors::{CoordinatesSpec, ListSpec, ListsSpec};
use nanobragg::io::Output;
use nanobragg::structure::Solvent;
use nanobragg::{DispersionSpec, ExperimentSpec, FactorsSpec, Misset, SourcesSpec};

use crate::args::{Args, Base, CoordinateArgs};
use crate::exchange;
use crate::outcome::RunError;
use crate::output_names::reads_or_writes_dump;
use crate::resolve::{Job, dump_path};

impl Args {
    /// These flags with the file of `-experiment`, which is read unless it was read before.
    ///
    /// # Errors
    /// A file that cannot be read or parsed.
    pub fn with_base(&self) -> Result<Cow<'_, Self>, RunError> {
        match &self.running.experiment_path {
            Some(path) if self.base.is_none() => {
                let mut args = self.clone();
                let spec = ExperimentSpec::read(path)?;
                let replaced = spec.replaced()?;
                args.set_base(spec);
                args.base
                    .iter_mut()
                    .for_each(|base| base.warnings.clone_from(&replaced));
                Ok(Cow::Owned(args))
            }
            _ => Ok(Cow::Borrowed(self)),
        }
    }

    /// Sets the experiment that the flags override. Its seeds are used unless a flag gives a seed.
    pub fn set_base(&mut self, base: ExperimentSpec) {
        let noise = &mut self.noise;
        noise.seed = noise.seed.or(base.noise_seed);
        noise.mosaic_seed.get_or_insert(base.crystal.mosaic.seed);
        if let Some(Misset::Random { seed } | Misset::RandomUniform { seed }) = base.crystal.misset
        {
            noise.misset_seed.get_or_insert(seed);
        }
        self.base = Some(Base {
            spec: Arc::new(base),
            warnings: Vec::new(),
        });
    }

    /// The experiment that flags override.
    pub(crate) fn base(&self) -> Option<&ExperimentSpec> {
        self.base.as_ref().map(|base| &*base.spec)
    }

    /// The experiment that flags override, without the fields that a flag replaces by another field: a
    /// distance replaces a close distance, a detector size replaces a number of pixels.
    ///
    /// # Errors
    /// Flags that the detector of `-detector` does not allow.
    pub(crate) fn base_that_yields(&self) -> Result<ExperimentSpec, RunError> {
        let mut spec = self.base().cloned().unwrap_or_default();
        let given = &self.detector;
        if let Some(preset) = given.preset {
            preset.check_changes(|field| match field {
                "pixel_size_mm" => given.pixel_mm.is_some(),
                "pixels_fast" => given.pixels[0].is_some(),
                "pixels_slow" => given.pixels[1].is_some(),
                "size_fast_mm" => given.size_mm[0].is_some(),
                "size_slow_mm" => given.size_mm[1].is_some(),
                _ => false,
            })?;
            exchange::place_preset(preset, &mut spec, self)?;
        }
        let detector = &mut spec.detector;
        if given.distance_mm.is_some() {
            detector.close_distance = None;
        }
        if given.size_mm[0].is_some() {
            detector.pixels_fast = None;
        }
        if given.size_mm[1].is_some() {
            detector.pixels_slow = None;
        }
        let centres = [given.beam_centre_mm, given.close_centre_mm, given.org_px];
        let is_given = centres.map(|centre| centre.x.is_some() || centre.y.is_some());
        if is_given.contains(&true) {
            let [beam, close, org] = is_given;
            detector.x_beam = detector.x_beam.filter(|_| beam);
            detector.y_beam = detector.y_beam.filter(|_| beam);
            detector.x_close = detector.x_close.filter(|_| close);
            detector.y_close = detector.y_close.filter(|_| close);
            detector.org_x = detector.org_x.filter(|_| org);
            detector.org_y = detector.org_y.filter(|_| org);
        }
        let cells = self.crystal.cells.iter().zip(&mut spec.crystal.size_m);
        cells
            .filter(|(cells, _)| cells.is_some())
            .for_each(|(_, size)| *size = 0.0);
        let beam = &self.beam;
        if beam.fluence_per_m2.is_some() {
            spec.beam.fluence.flux_per_s = None;
        }
        let grid = [beam.divergence_mrad, beam.divergence_step_mrad];
        let says_grid = grid.as_flattened().iter().any(Option::is_some)
            || beam.divergence_steps.iter().any(Option::is_some)
            || beam.dispersion_percent.is_some()
            || beam.dispersion_steps.is_some();
        if says_grid || beam.spectrum.is_some() {
            spec.beam.sources = SourcesSpec::Grid;
        }
        if beam.spectrum.is_some() {
            spec.beam.dispersion = DispersionSpec::default();
        }
        if beam.dispersion_percent.is_some()
            || beam.dispersion_steps.is_some()
            || beam.source_path.is_some()
        {
            spec.beam.spectrum = None;
        }
        Ok(spec)
    }

    /// The source of structure factors.
    pub(crate) fn factors(&self) -> FactorsSpec {
        let given = &self.factors;
        let base = self.base().map(|base| &base.factors);
        let default = base.map_or(0.0, FactorsSpec::default_f);
        let default_f = given.default_f.unwrap_or(default);
        if let Some(path) = &self.coordinates.path {
            return FactorsSpec::Coordinates(CoordinatesSpec {
                path: path.clone(),
                space_group: given.space_group.clone(),
                solvent: solvent(&self.coordinates, Some(Solvent::default())),
                anomalous: self.coordinates.dispersion.clone(),
                at_energies: self.coordinates.at_energies.clone(),
                is_strict: self.coordinates.is_strict,
                default_f,
            });
        }
        if let Some(path) = &given.hkl_path {
            return FactorsSpec::List(ListSpec {
                path: path.clone(),
                columns: given.columns.clone(),
                space_group: given.space_group.clone(),
                default_f,
            });
        }
        if !given.lists.is_empty() {
            return FactorsSpec::Lists(ListsSpec {
                lists: given.lists.clone(),
                columns: given.columns.clone(),
                space_group: given.space_group.clone(),
                default_f,
            });
        }
        let space_group =
            |base: &Option<String>| given.space_group.clone().or_else(|| base.clone());
        let columns = |base: &Vec<String>| {
            let own = if given.columns.is_empty() {
                base
            } else {
                &given.columns
            };
            own.clone()
        };
        match base {
            Some(FactorsSpec::Lists(lists)) => FactorsSpec::Lists(ListsSpec {
                lists: lists.lists.clone(),
                columns: columns(&lists.columns),
                space_group: space_group(&lists.space_group),
                default_f,
            }),
            Some(FactorsSpec::ByEnergy(factors)) => FactorsSpec::ByEnergy(factors.clone()),
            Some(FactorsSpec::List(list)) => FactorsSpec::List(ListSpec {
                path: list.path.clone(),
                columns: columns(&list.columns),
                space_group: space_group(&list.space_group),
                default_f,
            }),
            Some(FactorsSpec::Coordinates(atoms)) => {
                let mut anomalous = atoms.anomalous.clone();
                anomalous.extend(&self.coordinates.dispersion);
                let mut at_energies = atoms.at_energies.clone();
                let given = self.coordinates.at_energies.clone();
                at_energies.from_table |= given.from_table;
                at_energies.curves.extend(given.curves);
                FactorsSpec::Coordinates(CoordinatesSpec {
                    path: atoms.path.clone(),
                    space_group: space_group(&atoms.space_group),
                    solvent: solvent(&self.coordinates, atoms.solvent),
                    anomalous,
                    at_energies,
                    is_strict: self.coordinates.is_strict || atoms.is_strict,
                    default_f,
                })
            }
            Some(FactorsSpec::Grid(grid)) => FactorsSpec::Grid(grid.clone()),
            Some(FactorsSpec::Constant(_)) if !self.gives("dump") => {
                FactorsSpec::Constant(default_f)
            }
            Some(FactorsSpec::Dump { path, .. }) if !self.gives("dump") => FactorsSpec::Dump {
                path: path.clone(),
                default_f,
                is_named: true,
            },
            Some(FactorsSpec::Constant(_) | FactorsSpec::Dump { .. }) | None => {
                let path = dump_path(self);
                // A missing dump is fine; an error while looking for it is not.
                if !reads_or_writes_dump(self) || matches!(path.try_exists(), Ok(false)) {
                    return FactorsSpec::Constant(default_f);
                }
                FactorsSpec::Dump {
                    path: path.to_path_buf(),
                    default_f,
                    is_named: self.factors.dump_path.is_some(),
                }
            }
        }
    }

    /// Whether structure factors are listed or computed, and not those of an earlier run.
    pub(crate) fn makes_factors(&self) -> bool {
        self.factors().are_new()
    }
}

/// The solvent of `base`, with the values of flags.
pub(crate) fn solvent(given: &CoordinateArgs, base: Option<Solvent>) -> Option<Solvent> {
    let is_said = given.solvent_density_per_a3.is_some() || given.solvent_b_a2.is_some();
    let mut solvent = if is_said {
        base.unwrap_or_default()
    } else {
        base?
    };
    if let Some(density_per_a3) = given.solvent_density_per_a3 {
        solvent.density_per_a3 = density_per_a3;
    }
    if let Some(b_a2) = given.solvent_b_a2 {
        solvent.b_a2 = b_a2;
    }
    (!given.no_solvent).then_some(solvent)
}

/// Writes the experiment of a job to the file of `-save-experiment`, if given.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn save(args: &Args, job: &Job) -> Result<(), RunError> {
    let Some(path) = &args.running.save_experiment_path else {
        return Ok(());
    };
    let spec = ExperimentSpec {
        noise_seed: Some(job.noise_seed),
        ..job.named.clone()
    };
    let text = spec.to_text(path)?;
    let mut output = Output::create(path)?;
    output
        .write_all(text.as_bytes())
        .map_err(nanobragg::io::Error::from)?;
    output.commit()?;
    Ok(())
}

//! The crystal and its structure factors.

use nanobragg::geometry::units::DEGREES_PER_RADIAN;
use nanobragg::io::input::counted;
use nanobragg::io::printf::general as g;
use nanobragg::{FactorsSpec, Lookup, Misset, Oddity, factor_tables};

use super::{chosen, degrees, line, triple};
use crate::resolve::Job;

pub(super) fn report(page: &mut String, job: &Job) {
    if job.resolved.decisions.lookup_is_automatic {
        // The C program selects the lookup before it knows whether there are structure factors.
        let experiment = &job.resolved.experiment;
        let by_size = experiment.fixes.contains(Oddity::SizeLookup);
        let lookup = match experiment.crystal.interpolates_by_default(by_size) {
            true => "tricubic interpolation of structure factors",
            false => "no interpolation",
        };
        line!(page, "auto-selected {lookup}");
    }
    lattice(page, job);
    size(page, job);
    factors(page, job);
}

fn lattice(page: &mut String, job: &Job) {
    let crystal = &job.resolved.experiment.crystal;
    let lattice = crystal.lattice();
    if let Some(misset) = crystal.misset_rad() {
        let [x, y, z] = misset.map(|angle| angle * DEGREES_PER_RADIAN);
        let is_random = matches!(
            job.named.crystal.misset,
            Some(Misset::Random { .. } | Misset::RandomUniform { .. })
        );
        let random = if is_random { "random orientation " } else { "" };
        line!(page, "{random}misset angles: {x:.6} {y:.6} {z:.6} deg");
    }
    let angles = |angles_rad: [f64; 3]| angles_rad.map(degrees).join(" ");
    line!(
        page,
        "Unit Cell: {} {}",
        triple(lattice.lengths_angstrom),
        angles(lattice.angles_rad())
    );
    line!(
        page,
        "Recp Cell: {} {}",
        triple(lattice.reciprocal_lengths_per_angstrom),
        angles(lattice.reciprocal_angles_rad())
    );
    line!(page, "volume = {} A^3", g(lattice.volume_a3));
    line!(page, "real-space cell vectors (Angstrom):");
    page.push_str(&matrix(["a", "b", "c"], lattice.direct_angstrom));
    line!(page, "reciprocal-space cell vectors (Angstrom^-1):");
    page.push_str(&matrix(
        ["a_star", "b_star", "c_star"],
        lattice.reciprocal_per_angstrom,
    ));
}

/// Three column vectors as rows X, Y, Z, under their names.
pub(crate) fn matrix(names: [&str; 3], [a, b, c]: [[f64; 3]; 3]) -> String {
    let [first, second, third] = names;
    let mut text = format!("     {first:<10}  {second:<10}  {third:<10}\n");
    for (row, ((a, b), c)) in ["X", "Y", "Z"].into_iter().zip(a.into_iter().zip(b).zip(c)) {
        line!(text, "{row}: {a:11.8} {b:11.8} {c:11.8}");
    }
    text
}

fn size(page: &mut String, job: &Job) {
    let decisions = &job.resolved.decisions;
    let experiment = &job.resolved.experiment;
    let size = experiment.crystal.size();
    let [a, b, c] = size.size_m().map(|edge| g(edge * 1e6));
    line!(page, "crystal is {a} x {b} x {c} microns");
    if decisions.oversample_is_automatic {
        line!(
            page,
            "auto-selected {}-fold oversampling",
            experiment.sampling.oversample
        );
    }
    line!(
        page,
        "approximate MW = {}",
        g(size.approximate_molecular_weight())
    );
}

fn factors(page: &mut String, job: &Job) {
    let factors = &job.resolved.experiment.factors;
    let origin = match &job.named.factors {
        FactorsSpec::List(list) => format!("from {}", list.path.display()),
        FactorsSpec::Coordinates(atoms) => format!("worked out from {}", atoms.path.display()),
        FactorsSpec::Dump { path, .. } => format!("from the dump {}", path.display()),
        FactorsSpec::Lists(lists) => format!("from lists at {} energies", lists.lists.len()),
        FactorsSpec::Constant(_) | FactorsSpec::Grid(_) | FactorsSpec::ByEnergy(_) => {
            "listed".to_owned()
        }
    };
    line!(
        page,
        "{} structure factors {origin}; all others are {}",
        factors.count_read(),
        g(factors.default_f())
    );
    let tables = factor_tables(&job.resolved.experiment).len();
    if tables > 1 {
        let sources = job.resolved.experiment.sources.len();
        line!(
            page,
            "  {tables} tables of them for the energies of {sources} sources"
        );
    }
    if job.spec.b_factor_a2 != 0.0 {
        line!(
            page,
            "  falling off with B = {} A^2",
            g(job.spec.b_factor_a2)
        );
    }
    if let Some(file) = &job.factor_file {
        let columns = file.columns.as_ref();
        line!(
            page,
            "  {}{}, {}: {} listed, {} expanded, {} absent, {} averaged",
            file.format,
            columns.map_or_else(String::new, |names| format!(" columns {names}")),
            file.space_group,
            file.expansion.listed,
            file.expansion.expanded,
            file.expansion.absent,
            file.expansion.averaged
        );
    }
    if let Some(atoms) = &job.coordinates {
        let cell = atoms.model.frame.cell();
        let numbers = |numbers: [f64; 3]| numbers.map(g).join(" ");
        line!(
            page,
            "  {}, {}, cell {} A, {} deg, to {} A{}",
            counted(atoms.model.atoms.len(), "atom"),
            atoms.model.space_group,
            numbers(cell.lengths_angstrom),
            numbers(cell.angles_rad.map(f64::to_degrees)),
            g(atoms.dmin_a),
            atoms
                .solvent_fraction
                .map_or_else(String::new, |share| format!(
                    ", {:.1} % solvent",
                    100.0 * share
                ))
        );
    }
    if let Some(bounds) = factors.bounds() {
        let ([h_min, k_min, l_min], [h_max, k_max, l_max]) = (bounds.min, bounds.max);
        line!(
            page,
            "  h {h_min} to {h_max}, k {k_min} to {k_max}, l {l_min} to {l_max}"
        );
    }
    line!(
        page,
        "  lookup: {}, {}",
        match job.resolved.experiment.lookup {
            Lookup::Nearest => "nearest index",
            Lookup::Tricubic => "tricubic interpolation",
        },
        chosen(job.resolved.decisions.lookup_is_automatic)
    );
}

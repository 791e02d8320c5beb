//! What a run says on standard output: what was decided, then the figures of the image.
//!
//! Numbers are in six significant digits, as crystallographers know them from the C program.

use std::fmt::Write;

use nanobragg::geometry::units::DEGREES_PER_RADIAN;
use nanobragg::io::printf::{general as g, general_with};
use nanobragg::{FactorsSpec, Lookup, Panel, PixelKind, PixelPlace, Spots, Statistics, Surface};

use crate::args::Args;
use crate::resolve::Job;

/// A page of text; writing to a string cannot fail.
macro_rules! line {
    ($page:expr, $($text:tt)*) => {
        let _ = writeln!($page, $($text)*);
    };
}

/// Sources that are listed one by one.
const MOST_SOURCES: usize = 1000;

/// Everything that was decided before rendering.
pub fn before(job: &Job, args: &Args) -> String {
    let mut page = format!("nanoBragg {}\n", env!("CARGO_PKG_VERSION"));
    for source in &job.geometry_from {
        line!(
            page,
            "from the file of -{}: {}",
            source.flag,
            source.parts()
        );
    }
    crystal(&mut page, job);
    factors(&mut page, job);
    detector(&mut page, job);
    beam(&mut page, job);
    sampling(&mut page, job);
    let fixes: Vec<_> = job.resolved.experiment.fixes.names().collect();
    if !fixes.is_empty() {
        line!(page, "oddities put right: {}", fixes.join(", "));
    }
    if args.noise.wanted {
        line!(page, "noise seed: {}", job.noise_seed);
    }
    page
}

/// Three numbers.
fn triple(numbers: [f64; 3]) -> String {
    numbers.map(g).join(" ")
}

fn degrees(angles_rad: [f64; 3]) -> String {
    triple(angles_rad.map(|angle| angle * DEGREES_PER_RADIAN))
}

fn crystal(page: &mut String, job: &Job) {
    let crystal = &job.resolved.experiment.crystal;
    let lattice = crystal.lattice();
    if let Some(misset) = crystal.misset_rad() {
        let [x, y, z] = misset.map(|angle| angle * DEGREES_PER_RADIAN);
        line!(page, "misset angles: {x:.6} {y:.6} {z:.6} deg");
    }
    line!(
        page,
        "unit cell: {} {} (Angstrom, deg), volume {} A^3",
        triple(lattice.lengths_angstrom),
        degrees(lattice.angles_rad()),
        g(lattice.volume_a3)
    );
    line!(
        page,
        "reciprocal cell: {} {} (1/Angstrom, deg)",
        triple(lattice.reciprocal_lengths_per_angstrom),
        degrees(lattice.reciprocal_angles_rad())
    );
    line!(page, "real-space cell vectors (Angstrom):");
    matrix(page, ["a", "b", "c"], lattice.direct_angstrom);
    line!(page, "reciprocal-space cell vectors (1/Angstrom):");
    matrix(
        page,
        ["a_star", "b_star", "c_star"],
        lattice.reciprocal_per_angstrom,
    );
    let size = crystal.size();
    let [na, nb, nc] = size.cells();
    let [a, b, c] = size.size_m().map(|edge| g(edge * 1e6));
    line!(
        page,
        "{} crystal: {na} x {nb} x {nc} cells, {a} x {b} x {c} um",
        crystal.shape()
    );
    line!(
        page,
        "approximate molecular weight: {}",
        g(size.approximate_molecular_weight())
    );
    let mosaic = crystal.mosaic();
    line!(
        page,
        "{} mosaic domains over a spread of {} deg",
        mosaic.domains().len(),
        g(mosaic.spread_rad() * DEGREES_PER_RADIAN)
    );
}

/// Three column vectors by rows X, Y, Z.
fn matrix(page: &mut String, names: [&str; 3], columns: [[f64; 3]; 3]) {
    let [a, b, c] = names;
    line!(page, "     {a:<11} {b:<11} {c:<11}");
    for (name, [a, b, c]) in by_rows(columns) {
        line!(page, "{name}: {a:11.8} {b:11.8} {c:11.8}");
    }
}

/// The rows X, Y, Z of three column vectors, with their names.
pub(crate) fn by_rows(columns: [[f64; 3]; 3]) -> [(&'static str, [f64; 3]); 3] {
    let [[ax, ay, az], [bx, by, bz], [cx, cy, cz]] = columns;
    [
        ("X", [ax, bx, cx]),
        ("Y", [ay, by, cy]),
        ("Z", [az, bz, cz]),
    ]
}

fn factors(page: &mut String, job: &Job) {
    let factors = &job.resolved.experiment.factors;
    let origin = match &job.named.factors {
        FactorsSpec::List(list) => format!("from {}", list.path.display()),
        FactorsSpec::Coordinates(atoms) => format!("worked out from {}", atoms.path.display()),
        FactorsSpec::Dump { path, .. } => format!("from the dump {}", path.display()),
        FactorsSpec::Constant(_) | FactorsSpec::Grid(_) => "listed".to_owned(),
    };
    line!(
        page,
        "{} structure factors {origin}; all others are {}",
        factors.count_read(),
        g(factors.default_f())
    );
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
            "  {} atoms, {}, cell {} A, {} deg, to {} A{}",
            atoms.model.atoms.len(),
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

fn chosen(automatically: bool) -> &'static str {
    if automatically {
        "chosen automatically"
    } else {
        "as given"
    }
}

fn detector(page: &mut String, job: &Job) {
    let experiment = &job.resolved.experiment;
    let panel = experiment.detector.first();
    let layout = &job.resolved.decisions.layout;
    let beam = &experiment.beam;
    let [px, f_beam, s_beam, f_close, s_close] = [
        panel.pixel_size_m(),
        panel.f_beam_m(),
        panel.s_beam_m(),
        panel.f_close_m(),
        panel.s_close_m(),
    ]
    .map(|m| m * 1000.0);
    let size_slow = layout.size_m[1] * 1000.0;
    line!(
        page,
        "{} convention, pivoting about the {}",
        layout.convention,
        layout.pivot
    );
    let panels = experiment.detector.panels();
    if panels.len() > 1 {
        line!(
            page,
            "  {} panels, the first is {}:",
            panels.len(),
            panel.name()
        );
    }
    line!(
        page,
        "  {} x {} pixels of {} mm, {} x {} mm",
        panel.pixels_fast(),
        panel.pixels_slow(),
        g(px),
        g(layout.size_m[0] * 1000.0),
        g(size_slow)
    );
    line!(
        page,
        "  distance {} mm along the beam, {} mm along the normal",
        g(panel.distance_m() * 1000.0),
        g(panel.close_distance_m() * 1000.0)
    );
    line!(
        page,
        "  Xbeam {} Ybeam {} mm (as in the headers)",
        g(layout.centre.beam_m[0] * 1000.0),
        g(layout.centre.beam_m[1] * 1000.0)
    );
    line!(
        page,
        "  direct beam at {} {} mm along fast and slow, that is",
        g(f_beam),
        g(s_beam)
    );
    line!(
        page,
        "    mosflm {} {} mm",
        g(s_beam - px / 2.0),
        g(f_beam - px / 2.0)
    );
    line!(page, "    denzo {} {} mm", g(s_beam), g(f_beam));
    line!(page, "    adxv {} {} mm", g(f_beam), g(size_slow - s_beam));
    line!(page, "    pixels {} {}", g(f_beam / px), g(s_beam / px));
    line!(
        page,
        "  nearest point at {} {} mm along fast and slow, that is",
        g(f_close),
        g(s_close)
    );
    line!(
        page,
        "    xds ORGX {} ORGY {}",
        g(panel.org_x()),
        g(panel.org_y())
    );
    line!(
        page,
        "    dials origin {} mm",
        triple(panel.dials_origin_mm())
    );
    line!(
        page,
        "  DIRECTION_OF_DETECTOR_X-AXIS= {}",
        triple(panel.fast())
    );
    line!(
        page,
        "  DIRECTION_OF_DETECTOR_Y-AXIS= {}",
        triple(panel.slow())
    );
    line!(
        page,
        "  DIRECTION_OF_DETECTOR_Z-AXIS= {}",
        triple(panel.normal())
    );
    line!(
        page,
        "  INCIDENT_BEAM_DIRECTION= {}",
        triple(beam.direction())
    );
    line!(
        page,
        "  ROTATION_AXIS= {}",
        triple(experiment.goniometer.spindle())
    );
    line!(
        page,
        "  POLARIZATION_PLANE_NORMAL= {}",
        triple(beam.vertical())
    );
    line!(
        page,
        "  incident beam in the frame of the detector: {}",
        triple(panel.in_own_frame(beam.direction()))
    );
    let sensor = panel.sensor();
    if sensor.is_modelled() {
        line!(
            page,
            "  sensor {} um thick in {} layers {} um apart, attenuation {} per m",
            g(sensor.thickness_m * 1e6),
            sensor.layers,
            g(sensor.layer_step_m * 1e6),
            g(sensor.mu_per_m)
        );
    }
    if panel.surface() == Surface::Curved {
        line!(page, "  curved: all pixels at the same distance");
    }
    if panel.pixel_kind() == PixelKind::Point {
        line!(page, "  point pixels: no obliquity");
    }
    line!(page, "  {}", rendering(panel));
    for other in panels.iter().skip(1) {
        line!(page, "  panel {}, {}", one_line(other), rendering(other));
    }
}

/// Which pixels of a panel are rendered.
fn rendering(panel: &Panel) -> String {
    let (fast, slow) = (panel.roi().fast(), panel.roi().slow());
    format!(
        "rendering fast {} to {}, slow {} to {}{}",
        fast.start(),
        fast.end(),
        slow.start(),
        slow.end(),
        if panel.mask().is_some() {
            ", but for masked pixels"
        } else {
            ""
        }
    )
}

/// The name, pixels and place of a panel.
pub(crate) fn one_line(panel: &Panel) -> String {
    format!(
        "{}: {} x {} pixels of {} mm, corner at {} mm, fast {}, slow {}",
        panel.name(),
        panel.pixels_fast(),
        panel.pixels_slow(),
        g(panel.pixel_size_m() * 1000.0),
        triple(panel.pix0_m().map(|m| m * 1000.0)),
        triple(panel.fast()),
        triple(panel.slow())
    )
}

fn beam(page: &mut String, job: &Job) {
    let experiment = &job.resolved.experiment;
    let decisions = &job.resolved.decisions;
    line!(
        page,
        "wavelength {} A, fluence {} photons/m^2, flux {} photons/s for {} s in a beam of {} mm",
        g(decisions.wavelength_m * 1e10),
        g(decisions.fluence.fluence_per_m2),
        g(decisions.fluence.flux_per_s),
        g(decisions.fluence.exposure_s),
        g(decisions.fluence.beam_size_m * 1000.0)
    );
    if experiment.polarization.off {
        line!(page, "  no polarization correction");
    } else {
        line!(
            page,
            "  Kahn polarization factor: {:.6}",
            experiment.polarization.kahn_factor
        );
    }
    if experiment.water_m > 0.0 {
        line!(
            page,
            "  water: a cube of {} um",
            g(experiment.water_m * 1e6)
        );
    }
    line!(
        page,
        "{} sources (X Y Z in m, recorded weight, wavelength in m):",
        experiment.sources.len()
    );
    for source in experiment.sources.iter().take(MOST_SOURCES) {
        line!(
            page,
            "  {}   {} {}",
            triple(source.position_m),
            g(source.recorded_weight),
            general_with(source.wavelength_m, 15)
        );
    }
    if let Some(more) = experiment.sources.len().checked_sub(MOST_SOURCES + 1) {
        line!(page, "  and {} more", more + 1);
    }
    line!(
        page,
        "  every source counts the same: recorded weights are not used"
    );
}

fn sampling(page: &mut String, job: &Job) {
    let experiment = &job.resolved.experiment;
    let decisions = &job.resolved.decisions;
    for (name, steps) in [
        ("horizontal divergence", decisions.divergence.horizontal()),
        ("vertical divergence", decisions.divergence.vertical()),
        ("dispersion", decisions.dispersion.steps()),
    ] {
        if steps.count > 1 {
            line!(
                page,
                "{name}: {} in {} steps of {}",
                g(steps.range),
                steps.count,
                g(steps.step)
            );
        }
    }
    let phi = &experiment.phi;
    let [start, range, step] =
        [phi.start_rad, phi.range_rad, phi.step_rad].map(|angle| angle * DEGREES_PER_RADIAN);
    line!(
        page,
        "{} phi steps from {} to {} deg, {} deg apart",
        phi.count,
        g(start),
        g(start + range),
        g(step)
    );
    let sampling = &experiment.sampling;
    let mut each = String::new();
    for (name, taken) in [
        ("capture", sampling.per_subpixel_capture),
        ("polarization", sampling.per_subpixel_polarization),
        ("solid angle", sampling.per_subpixel_solid_angle),
    ] {
        if taken {
            each.push_str(", ");
            each.push_str(name);
            each.push_str(" at each");
        }
    }
    line!(
        page,
        "{} x {} sub-pixels a pixel, {}{each}",
        sampling.oversample,
        sampling.oversample,
        chosen(decisions.oversample_is_automatic)
    );
    if experiment.dmin_m > 0.0 {
        line!(
            page,
            "nothing finer than {} A is rendered",
            g(experiment.dmin_m * 1e10)
        );
    }
}

/// The spots of an image whose direct beam would hide them.
pub fn spots(spots: &Spots) -> String {
    let PixelPlace { fast, slow, .. } = spots.max_at;
    format!(
        "brightest pixel outside the direct beam = {}  at fast {fast} slow {slow}; scales follow it\n",
        g(f64::from(spots.max_photons))
    )
}

/// The figures of the image.
pub fn statistics(statistics: &Statistics) -> String {
    let mut page = String::new();
    let [fast_m, slow_m] = statistics.max_at_m;
    let solid_angle_sr = statistics.solid_angle_sr;
    line!(
        page,
        "solid angle subtended by detector = {} steradian ({}% sphere)",
        g(solid_angle_sr),
        g(100.0 * solid_angle_sr / 4.0 / std::f64::consts::PI)
    );
    line!(
        page,
        "max_I = {}  at {} {}",
        g(f64::from(statistics.max_photons)),
        g(fast_m),
        g(slow_m)
    );
    line!(
        page,
        "mean= {} rms= {} rmsd= {}",
        g(statistics.mean),
        g(statistics.rms),
        g(statistics.rmsd)
    );
    page
}

//! The sources, the steps of the sum, and the summary at the end of the C program's report.

use nanobragg::io::printf::{general as g, general_with};
use nanobragg::sources::spectrum::SpectralLine;
use nanobragg::{NoiseStream, Shape, SourcesSpec, SpectrumSpec, SpectrumSteps};

use super::{MOST_LISTED, chosen, degrees, detector, line, triple};
use crate::args::Args;
use crate::resolve::Job;

/// Layers, phi steps, divergences, wavelengths, sources and domains, one by one.
pub(super) fn steps(page: &mut String, job: &Job) {
    let experiment = &job.resolved.experiment;
    let decisions = &job.resolved.decisions;
    let sensor = experiment.detector.first().sensor();
    for layer in 0..listed(sensor.layers as usize) {
        let depth_um = sensor.layer_step_m * layer as f64 * 1e6;
        line!(page, "thick{layer} = {} um", g(depth_um));
    }
    for (step, phi_rad) in experiment.phi.angles_rad().take(MOST_LISTED).enumerate() {
        line!(page, "phi{step} = {}", degrees(phi_rad));
    }
    if job.named.beam.sources == SourcesSpec::Grid {
        let divergence = &decisions.divergence;
        for (h, v) in divergence.kept().into_iter().take(MOST_LISTED) {
            let [h, v] = [
                divergence.horizontal().deviation(h),
                divergence.vertical().deviation(v),
            ]
            .map(g);
            line!(page, "divergence deviation: {h} {v}");
        }
        let dispersion = decisions.dispersion.steps();
        let of_band = |step| decisions.wavelength_m * (1.0 + dispersion.deviation(step));
        let wavelengths_m: Vec<f64> = match &decisions.spectrum {
            Some(spectrum) => spectrum
                .lines
                .iter()
                .map(SpectralLine::wavelength_m)
                .collect(),
            None => (0..listed(dispersion.count as usize) as u32)
                .map(of_band)
                .collect(),
        };
        for (step, wavelength_m) in wavelengths_m.into_iter().take(MOST_LISTED).enumerate() {
            line!(page, "lambda{step} = {}", general_with(wavelength_m, 15));
        }
    }
    let count = experiment.sources.len();
    line!(page, "  created a total of {count} sources:");
    for source in experiment.sources.iter().take(MOST_LISTED) {
        line!(
            page,
            "{}   {} {}",
            triple(source.position_m),
            g(source.recorded_weight),
            g(source.wavelength_m)
        );
    }
    if count > MOST_LISTED {
        line!(page, "  and {} more", count - MOST_LISTED);
    }
    if experiment.sources.has_weights() {
        line!(
            page,
            "  sources count by their weights, divided by the mean of all"
        );
    } else {
        line!(
            page,
            "  every source counts the same: recorded weights are not used"
        );
    }
    if experiment.weighs_sources && !experiment.background.is_empty() {
        line!(
            page,
            "  but the background uses the weights of listed sources"
        );
    }
    line!(
        page,
        "  created a total of {} mosaic domains",
        experiment.crystal.mosaic().domains().len()
    );
}

fn listed(count: usize) -> usize {
    count.min(MOST_LISTED)
}

/// All numbers of the run, as in the C program's summary before rendering.
pub(super) fn summary(page: &mut String, job: &Job, args: &Args) {
    let experiment = &job.resolved.experiment;
    let decisions = &job.resolved.decisions;
    let crystal = &experiment.crystal;
    line!(
        page,
        "  {} initialized hkls (all others ={})",
        experiment.factors.count_read(),
        g(experiment.factors.default_f())
    );
    let shape = match crystal.shape() {
        Shape::Round => "ellipsoidal",
        Shape::Square => "parallelpiped",
        Shape::Gauss => "gaussian",
        Shape::Tophat => "tophat-spot",
    };
    let [na, nb, nc] = crystal.size().cells();
    line!(page, "  {shape} xtal: {}x{}x{} cells", g(na), g(nb), g(nc));
    wavelengths(page, job);
    if experiment.polarization.off {
        line!(page, "  polarization effect disabled");
    } else {
        let factor = experiment.polarization.kahn_factor;
        line!(page, "  Kahn polarization factor: {factor:.6}");
    }
    detector::kind(page, job);
    let fluence = &decisions.fluence;
    line!(
        page,
        "  incident fluence: {} photons/m^2",
        g(fluence.fluence_per_m2)
    );
    line!(
        page,
        "  flux {} photons/s for {} s in a beam of {} mm",
        g(fluence.flux_per_s),
        g(fluence.exposure_s),
        g(fluence.beam_size_m * 1000.0)
    );
    detector::report(page, job);
    sampling(page, job);
    if let Some(path) = &args.detector.mask_path {
        line!(page, "  skipping zero-flagged pixels in {}", path.display());
    }
    if experiment.dmin_m > 0.0 {
        line!(
            page,
            "  nothing finer than {} A is rendered",
            g(experiment.dmin_m * 1e10)
        );
    }
    if args.noise.wanted {
        line!(page, "\n  noise image paramters:");
        // The C program prints the negative seed, with which its generator starts.
        line!(page, "  seed: {}", job.noise_seed.wrapping_neg());
        if job.spec.response.noise_stream == Some(NoiseStream::Counter) {
            line!(
                page,
                "  random numbers: of the counter stream, each pixel its own"
            );
        }
    }
    if args.noise.wanted || experiment.water_m > 0.0 {
        line!(page, "  water droplet size: {} m", g(experiment.water_m));
    }
    if let Some(diffuse) = &experiment.diffuse {
        let three = |lengths: [f64; 3]| lengths.map(g).join(" ");
        line!(
            page,
            "  diffuse scattering: {}, gamma {} A, sigma {} A, {} rotations",
            diffuse.model,
            three(diffuse.numbers.gamma_angstrom),
            three(diffuse.numbers.sigma_angstrom),
            diffuse.rotation_count()
        );
    }
    for (layer, decision) in experiment.background.iter().zip(&decisions.layers) {
        line!(
            page,
            "  background: {}, {} mm thick, {} g/cm^3 ({} molecules)",
            layer.name,
            g(layer.thickness_m * 1000.0),
            g(decision.density_g_per_cm3),
            g(layer.molecules)
        );
    }
}

/// The wavelengths of the beam, and how well they stand for its spectrum.
fn wavelengths(page: &mut String, job: &Job) {
    let decisions = &job.resolved.decisions;
    let Some(SpectrumSteps { lines, resampling }) = &decisions.spectrum else {
        let dispersion = decisions.dispersion.steps();
        line!(
            page,
            "  wave={} meters +/- {}% in {} steps",
            g(decisions.wavelength_m),
            g(dispersion.range * 100.0),
            dispersion.count
        );
        return;
    };
    let mean_m = decisions.central_wavelength_m;
    let ends_m =
        [lines.first(), lines.last()].map(|line| line.map_or(mean_m, SpectralLine::wavelength_m));
    let [longest_m, shortest_m] = ends_m;
    line!(
        page,
        "  wave={} meters +/- {}% in {} steps",
        g(mean_m),
        g((longest_m - shortest_m) / mean_m * 100.0),
        lines.len()
    );
    let name = job.named.beam.spectrum.as_ref().map(SpectrumSpec::name);
    line!(
        page,
        "  spectrum: {}, {} lines, mean {} eV, standard deviation {} eV",
        name.unwrap_or_default(),
        resampling.lines,
        general_with(resampling.mean_energy_ev, 9),
        g(resampling.bandwidth_ev)
    );
    line!(
        page,
        "  its steps: {}% of the photons outside, mean off by {} eV, standard deviation off by {} eV",
        g(resampling.outside * 100.0),
        g(resampling.mean_energy_error_ev),
        g(resampling.bandwidth_error_ev)
    );
    line!(
        page,
        "  photons moved by {} eV on average, L1 error {}",
        g(resampling.moved_ev),
        g(resampling.l1)
    );
}

/// The sums of a pixel.
fn sampling(page: &mut String, job: &Job) {
    let experiment = &job.resolved.experiment;
    let decisions = &job.resolved.decisions;
    let (horizontal, vertical) = (
        decisions.divergence.horizontal(),
        decisions.divergence.vertical(),
    );
    for (axis, steps) in [("h", horizontal), ("v", vertical)] {
        let (range, step) = (g(steps.range), g(steps.step));
        line!(
            page,
            "  {axis}divrange={range} {axis}divstep={step}  radians"
        );
    }
    let is_grid = job.named.beam.sources == SourcesSpec::Grid;
    // The C program does not count the directions of a file of sources.
    let directions = if is_grid {
        decisions.divergence.kept().len() as i64
    } else {
        -1
    };
    line!(page, "  {directions} divergence steps");
    line!(page, "  {} sources", experiment.sources.len());
    let mosaic = experiment.crystal.mosaic();
    line!(
        page,
        "  {} mosaic domains over mosaic spread of {} degrees",
        mosaic.domains().len(),
        degrees(mosaic.spread_rad())
    );
    let phi = &experiment.phi;
    line!(
        page,
        "  {} phi steps from {} to {} degrees",
        phi.count,
        degrees(phi.start_rad),
        degrees(phi.start_rad + phi.range_rad)
    );
    let sampling = &experiment.sampling;
    let n = sampling.oversample;
    let each: String = [
        (sampling.per_subpixel_capture, " +thick"),
        (sampling.per_subpixel_polarization, " +polar"),
        (sampling.per_subpixel_solid_angle, " +omega"),
    ]
    .into_iter()
    .filter_map(|(taken, name)| taken.then_some(name))
    .collect();
    line!(page, "  {n}x{n} pixel oversample steps{each}");
    line!(
        page,
        "  {n} x {n} sub-pixels a pixel, {}",
        chosen(decisions.oversample_is_automatic)
    );
    for choice in &decisions.sampling {
        line!(page, "  {} {}: {choice}", choice.number, choice.sampled);
    }
}

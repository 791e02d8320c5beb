//! Where sampling is tried: a few pixels about the reflections that are probably the brightest.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use nanobragg_crystal::{LatticeShape, Shape};
use nanobragg_geometry::rotation::{rotate_about, rotate_by};
use nanobragg_geometry::vector::{add, cross, dot, norm, scale, sub, unit};
use nanobragg_geometry::{Detector, Panel};
use nanobragg_physics::Experiment;
use nanobragg_sources::Source;

use crate::error::Error;

/// The largest number of probes, and of those at the ends of a sweep, where spots are cut off, and of those of one reflection: several domains or wavelengths may show it.
const MOST_PROBES: usize = 64;
const MOST_AT_ENDS: usize = 32;
const MOST_OF_A_REFLECTION: usize = 3;

/// Pixels along fast and slow on each side of the middle one. Those of a row are rendered together.
const MARGINS: [i64; 2] = [4, 1];

/// The number of pixels, times orientations and sources, in which reflections are looked for.
const LOOKS: f64 = 2e6;

/// Angle of the spindle within which the path of a reflection is taken for a straight line.
const STRAIGHT_RAD: f64 = 0.01;

/// The pixels for trials, and how fast they vary.
pub(super) struct Probes {
    /// The probes, each as a panel of its own.
    pub(super) detector: Detector,
    /// The largest band limit of any probe: cycles along the edge of a pixel, and over the range of the spindle.
    pub(super) cycles: [f64; 2],
    /// The rows of all panels.
    pub(super) rows: usize,
}

/// A reflection near the Ewald sphere, and the pixel where it is.
struct Candidate {
    hkl: [i64; 3],
    /// About in proportion to its intensity.
    score: f64,
    /// The factor of its score for the time that it takes to cross the sphere.
    slowness: f64,
    panel: usize,
    place: [i64; 2],
    /// Angle of the spindle from there to the nearer end of its range.
    to_end_rad: f64,
    /// The edges when it is closest to the sphere, and its scattering vector.
    edges_m: [[f64; 3]; 3],
    scattering_per_m: [f64; 3],
    wavelength_m: f64,
}

impl Probes {
    /// The probes of an experiment; `None` if no reflection with an F other than 0 is near a rendered pixel.
    pub(super) fn of(experiment: &Experiment) -> Result<Option<Self>, Error> {
        let mut probes: Vec<Panel> = Vec::new();
        let mut cycles = [0.0_f64; 2];
        for candidate in brightest(experiment) {
            let Some(panel) = experiment.detector.panels().get(candidate.panel) else {
                continue;
            };
            let [fast, slow] = [panel.roi().fast(), panel.roi().slow()];
            let around = |at: i64, range: RangeInclusive<u32>, margin: i64| {
                let (first, last) = (i64::from(*range.start()), i64::from(*range.end()));
                [(at - margin).max(first), (at + margin).min(last)]
            };
            let ([x, y], [beside, above]) = (candidate.place, MARGINS);
            let name = probes.len().to_string();
            probes.push(panel.cut(name, around(x, fast, beside), around(y, slow, above))?);
            for (most, own) in cycles.iter_mut().zip(candidate.cycles(experiment, panel)) {
                *most = most.max(own);
            }
        }
        if probes.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            rows: probes.iter().map(|probe| probe.roi().slow().count()).sum(),
            detector: Detector::new(probes)?,
            cycles,
        }))
    }
}

impl Candidate {
    /// The band limits along the edge of a pixel and over the range of the spindle.
    fn cycles(&self, experiment: &Experiment, panel: &Panel) -> [f64; 2] {
        let shape = largest_domain(experiment);
        let moved = |by: [f64; 3]| band(&shape, self.edges_m.map(|edge| dot(edge, by)));
        let [fast, slow] = self.place.map(|at| u32::try_from(at).unwrap_or(0));
        let direction = |fast, slow| unit(panel.middle_m(fast, slow));
        let here = direction(fast, slow);
        let along = [direction(fast + 1, slow), direction(fast, slow + 1)]
            .map(|next| moved(scale(1.0 / self.wavelength_m, sub(next, here))));
        [along[0].max(along[1]), self.turns(experiment, &shape)]
    }

    /// The band limit over the range of the spindle.
    fn turns(&self, experiment: &Experiment, shape: &LatticeShape) -> f64 {
        let by = scale(experiment.phi.range_rad, experiment.goniometer.spindle());
        let turned = |edge| dot(cross(by, edge), self.scattering_per_m);
        band(shape, self.edges_m.map(turned))
    }

    /// How bright it is at the nearer end of the range of the spindle, about.
    fn at_end(&self, experiment: &Experiment, shape: &LatticeShape) -> f64 {
        let away = self.turns(experiment, shape) * self.to_end_rad / experiment.phi.range_rad;
        self.score / self.slowness / (1.0 + away * away)
    }
}

/// The shape of the largest domain, which has the narrowest spots.
fn largest_domain(experiment: &Experiment) -> LatticeShape {
    let crystal = &experiment.crystal;
    let ratio = crystal.domain_sizes().iter().copied().reduce(f64::max);
    crystal.lattice_shape().scaled(ratio.unwrap_or(1.0))
}

/// The band limit of the lattice factor squared, in cycles, on the way over which the indices change by `change`.
///
/// That of a parallelepiped is a trigonometric polynomial of degree N - 1 in each index, so the limit is the sum of
/// `(N - 1) |change|`. For all others it is that of a parallelepiped whose spot is as wide at half its height.
fn band(shape: &LatticeShape, change: [f64; 3]) -> f64 {
    if shape.shape == Shape::Square {
        let each = shape.cells.iter().zip(change);
        return each.map(|(n, change)| (n - 1.0) * change.abs()).sum();
    }
    // Half of the width of sin^2(x)/x^2 at half its height, over pi.
    const HALF_WIDTH: f64 = 0.443;
    let is_bright = |part: f64| {
        let amplitude = shape.factor(change.map(|change| part * change), [0.0; 3]) / shape.peak();
        amplitude * amplitude > 0.5
    };
    let (mut bright, mut dark) = (0.0, 1.0);
    while is_bright(dark) && dark < 1e6 {
        (bright, dark) = (dark, 2.0 * dark);
    }
    // Spots of the C program's Gaussians can be 1e-9 of the way.
    for _ in 0..60 {
        let middle = 0.5 * (bright + dark);
        if is_bright(middle) {
            bright = middle;
        } else {
            dark = middle;
        }
    }
    HALF_WIDTH / dark.max(f64::MIN_POSITIVE)
}

/// Where a reflection probably is.
pub(crate) struct Expected {
    /// The number of the panel, and the pixel along fast and slow.
    pub(crate) panel: usize,
    pub(crate) place: [i64; 2],
    /// About in proportion to its intensity.
    pub(crate) score: f64,
}

/// The reflections that probably are on the image, the brightest first. `looks` is the number of pixels, times
/// orientations and sources, in which they are looked for.
pub(crate) fn expected(experiment: &Experiment, looks: f64) -> Vec<Expected> {
    let found = candidates(experiment, looks).into_iter();
    found
        .map(|found| Expected {
            panel: found.panel,
            place: found.place,
            score: found.score,
        })
        .collect()
}

/// The brightest candidates, in the order of their scores.
fn brightest(experiment: &Experiment) -> Vec<Candidate> {
    let mut sorted = candidates(experiment, LOOKS);
    if experiment.phi.range_rad > 0.0 && sorted.len() > MOST_PROBES {
        let mut rest = sorted.split_off(MOST_PROBES - MOST_AT_ENDS);
        let shape = largest_domain(experiment);
        let at_end = |candidate: &Candidate| candidate.at_end(experiment, &shape);
        rest.sort_by(|a, b| {
            (at_end(b).total_cmp(&at_end(a))).then_with(|| place(a).cmp(&place(b)))
        });
        sorted.append(&mut rest);
    }
    sorted.truncate(MOST_PROBES);
    sorted
}

fn place(candidate: &Candidate) -> (usize, [i64; 2]) {
    (candidate.panel, candidate.place)
}

/// All candidates, in the order of their scores.
fn candidates(experiment: &Experiment, looks: f64) -> Vec<Candidate> {
    let views = views(experiment);
    let looks = (looks / views.len() as f64).max(64.0);
    let rendered = experiment.detector.panels().iter();
    let rendered: u64 = rendered.map(|panel| panel.roi().pixel_count()).sum();
    let stride = ((rendered as f64 / looks).sqrt().ceil() as usize).max(1);
    let mut best: HashMap<(usize, [i64; 2]), Candidate> = HashMap::new();
    for (number, panel) in experiment.detector.panels().iter().enumerate() {
        for slow in panel.roi().slow().step_by(stride) {
            for fast in panel.roi().fast().step_by(stride) {
                if !panel.uses(fast, slow) {
                    continue;
                }
                let at = (number, panel, [fast, slow]);
                for candidate in views.iter().filter_map(|view| view.near(experiment, at)) {
                    let key = (candidate.panel, candidate.place);
                    let known = best.get(&key);
                    if known.is_none_or(|known| known.score < candidate.score) {
                        best.insert(key, candidate);
                    }
                }
            }
        }
    }
    let mut sorted: Vec<Candidate> = best.into_values().collect();
    sorted.sort_by(|a, b| (b.score.total_cmp(&a.score)).then_with(|| place(a).cmp(&place(b))));
    let mut shown: HashMap<[i64; 3], usize> = HashMap::new();
    sorted.retain(|candidate| {
        let times = shown.entry(candidate.hkl).or_default();
        *times += 1;
        *times <= MOST_OF_A_REFLECTION
    });
    sorted
}

/// One orientation of a lattice and one source, of the many that a pixel is a sum over.
struct View<'e> {
    edges_m: [[f64; 3]; 3],
    reciprocal_per_m: [[f64; 3]; 3],
    source: &'e Source,
    weight: f64,
    /// The angle of the spindle from the start of its range, and how far it turns to each side.
    from_start_rad: f64,
    half_rad: f64,
}

/// Every `step`-th, so that there are at most `most`.
fn some<T>(all: &[T], most: usize) -> impl Iterator<Item = &T> + Clone {
    all.iter().step_by(all.len().div_ceil(most).max(1))
}

fn views(experiment: &Experiment) -> Vec<View<'_>> {
    let phi = &experiment.phi;
    let parts = (phi.range_rad / STRAIGHT_RAD).ceil().clamp(1.0, 16.0);
    let lattices: Vec<_> = (experiment.lattice_edges_m())
        .zip(experiment.lattices.iter().map(|lattice| lattice.weight))
        .collect();
    let spindle = experiment.goniometer.spindle();
    let mut views = Vec::new();
    for part in 0..parts as usize {
        let from_start_rad = phi.range_rad * (part as f64 + 0.5) / parts;
        let angle_rad = phi.start_rad + from_start_rad;
        for &(lattice_m, weight) in some(&lattices, 4) {
            for domain in some(experiment.crystal.mosaic().domains(), 8) {
                let turned = |edge| rotate_by(domain, rotate_about(edge, spindle, angle_rad));
                let edges_m = lattice_m.map(turned);
                for source in some(&experiment.sources, 8) {
                    views.push(View {
                        edges_m,
                        reciprocal_per_m: reciprocal(edges_m),
                        source,
                        weight: weight * source.weight,
                        from_start_rad,
                        half_rad: 0.5 * phi.range_rad / parts,
                    });
                }
            }
        }
    }
    views
}

fn reciprocal([a, b, c]: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let volume = dot(a, cross(b, c));
    [cross(b, c), cross(c, a), cross(a, b)].map(|normal| scale(1.0 / volume, normal))
}

impl View<'_> {
    /// The reflection that is nearest to a pixel; `None` for the direct beam and for an F of 0.
    fn near(
        &self,
        experiment: &Experiment,
        (panel, pixels, [fast, slow]): (usize, &Panel, [u32; 2]),
    ) -> Option<Candidate> {
        let radius = 1.0 / self.source.wavelength_m;
        let incident = scale(radius, self.source.incident());
        let scattered = scale(radius, unit(pixels.middle_m(fast, slow)));
        let indices = (self.edges_m).map(|edge| dot(edge, sub(scattered, incident)).round());
        let hkl = indices.map(|index| index as i64);
        let factors = &experiment.factors;
        let listed = factors.offset(hkl).and_then(|at| factors.values().get(at));
        let f = listed.copied().unwrap_or(factors.default_f());
        if hkl == [0; 3] || f == 0.0 {
            return None;
        }
        let axis = experiment.goniometer.spindle();
        let [a, b, c] = self.reciprocal_per_m;
        let [h, k, l] = indices;
        let mut point = add(add(scale(h, a), scale(k, b)), scale(l, c));
        let outside = |point| norm(add(point, incident)) - radius;
        // The spindle turns the point to the sphere, or as near as it comes.
        let speed = dot(cross(axis, point), unit(add(point, incident)));
        let turn_rad = match -outside(point) / speed {
            turn_rad if turn_rad.is_finite() => turn_rad.clamp(-self.half_rad, self.half_rad),
            _ => 0.0,
        };
        point = rotate_about(point, axis, turn_rad);
        let edges_m = (self.edges_m).map(|edge| rotate_about(edge, axis, turn_rad));
        let towards = unit(add(point, incident));
        let offset = edges_m.map(|edge| dot(edge, scale(-outside(point), towards)));
        let shape = experiment.crystal.lattice_shape();
        let amplitude = shape.factor(offset, [0.0; 3]) / shape.peak();
        // A spot that crosses the sphere slowly is brighter (the Lorentz factor).
        let slowness = match self.half_rad > 0.0 {
            true => 1.0 / (speed.abs() / radius).max(0.02),
            false => 1.0,
        };
        let from_start_rad = self.from_start_rad + turn_rad;
        let to_end_rad = from_start_rad.min(experiment.phi.range_rad - from_start_rad);
        // Far from the sphere a Gaussian is 0, and the order of the candidates still counts.
        let far = 1e-9 / (1.0 + dot(offset, offset));
        let shown = match pixels.pixel_at(towards) {
            Some((x, y)) => [x, y].map(|at| at.floor().clamp(-1e9, 1e9) as i64),
            None => [fast, slow].map(i64::from),
        };
        let [x, y] = [pixels.roi().fast(), pixels.roi().slow()]
            .map(|range| [*range.start(), *range.end()].map(i64::from));
        let place = [shown[0].clamp(x[0], x[1]), shown[1].clamp(y[0], y[1])];
        let beside: i64 = shown
            .iter()
            .zip(place)
            .map(|(at, to)| (at - to).abs())
            .sum();
        Some(Candidate {
            hkl,
            score: self.weight * f * f * slowness * (amplitude * amplitude + far)
                / (1.0 + beside as f64).powi(2),
            slowness,
            panel,
            place,
            to_end_rad,
            edges_m,
            scattering_per_m: sub(scale(radius, towards), incident),
            wavelength_m: self.source.wavelength_m,
        })
    }
}

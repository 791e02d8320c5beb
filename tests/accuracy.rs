//! Images and tables of reflections with an accuracy, held against those of every term.
//!
//! `NANOBRAGG_ACCURACY_LINES` is the number of random command lines, [`LINES`] without it. If there are more, the
//! golden cases come first.

use std::collections::BTreeMap;

use nanobragg::crystal::Reflection;
use nanobragg::physics::{EveryTerm, LatticeCopy, render, render_with_truth};
use nanobragg::{
    Detector, Experiment, FactorGrid, Frame, GridLimit, Hkl, Level, Mask, Omission, PixelPlace,
    ReflectionTruth, RunOptions, Scene, Truth, TruthWishes, trace_pixel,
};
use nanobragg_tests::binary::Scene as Folder;
use nanobragg_tests::cases;
use nanobragg_tests::products::job;
use nanobragg_tests::strategies::many_term_lines;
use nanobragg_tests::suite::{SuiteScene, cut_at, scenes};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::Value;

const ACCURACIES: [f64; 3] = [1e-2, 1e-4, 1e-6];

/// The number of random command lines.
const LINES: u32 = 60;

/// Rounding of two images to `f32`, relative to a pixel.
const ROUNDING: f64 = 2e-7;

fn options(accuracy: f64) -> RunOptions<'static> {
    RunOptions {
        threads: 1,
        accuracy,
        ..RunOptions::default()
    }
}

fn frame(experiment: &Experiment, options: &RunOptions<'_>) -> Frame {
    render(&Scene::new(experiment), options).expect("nothing stops the run")
}

fn photons(frame: &Frame) -> impl Iterator<Item = f32> {
    frame
        .panels
        .iter()
        .flat_map(|panel| panel.pixels.iter().copied())
}

fn bits(frame: &Frame) -> Vec<u32> {
    photons(frame).map(f32::to_bits).collect()
}

/// The bits of all pixels, in an order that does not depend on the panels, and the error that was allowed.
fn sorted(frame: &Frame) -> (Vec<u32>, Option<Result<f64, EveryTerm>>) {
    let mut pixels = bits(frame);
    pixels.sort_unstable();
    let allowed = |omission: Omission| omission.allowed_photons;
    (pixels, frame.omission.map(|found| found.map(allowed)))
}

/// The images that were held against those of every term.
#[derive(Debug, Default)]
struct Tally {
    images: usize,
    /// Experiments that were rendered in another way too.
    other_ways: usize,
    /// Images of every term, for a reason.
    with_reason: usize,
    /// Images from which terms were left out.
    left_out: usize,
    /// The sum of the parts of the terms that these images needed.
    parts: f64,
    /// Tables of reflections, and those with fewer than the tables of every term.
    tables: [usize; 2],
}

impl Tally {
    fn add(&mut self, frame: &Frame) {
        self.images += 1;
        self.with_reason += usize::from(matches!(frame.omission, Some(Err(_))));
        if let Some(Ok(Omission {
            terms, all_terms, ..
        })) = frame.omission
            && terms < all_terms
        {
            self.left_out += 1;
            self.parts += terms / all_terms;
        }
    }

    /// Prints what was seen. At least this part of the images must have needed fewer terms.
    fn tell(&self, name: &str, least: f64) {
        println!(
            "{name}: {} images ({} experiments in another way too), terms left out of {} ({:.3} summed on average), \
             {} of every term for a reason, {:?} tables, with fewer reflections",
            self.images,
            self.other_ways,
            self.left_out,
            self.parts / self.left_out.max(1) as f64,
            self.with_reason,
            self.tables
        );
        let least = least * self.images as f64;
        assert!(self.left_out as f64 >= least, "{name}: {self:?}");
    }
}

/// The fault of an image with an accuracy, whose full image is `full`.
fn fault(full: &Frame, with: &Frame, accuracy: f64) -> Option<String> {
    let Some(Ok(omission)) = with.omission else {
        let is_silent = with.omission.is_none();
        return (is_silent || bits(full) != bits(with))
            .then(|| format!("{:?}, but another image", with.omission));
    };
    let brightest = photons(with).fold(0.0_f64, |most, photons| most.max(photons.into()));
    let Omission {
        error_photons: error,
        allowed_photons,
        ..
    } = omission;
    // The brightest pixel may itself have lost photons.
    let allowed = accuracy * (brightest + error) * (1.0 + 1e-6);
    if !(0.0 <= error && error <= allowed_photons && allowed_photons <= allowed) {
        return Some(format!("{omission:?}, but {allowed:e} are allowed"));
    }
    // Of numbers below the normal ones the last bit is more.
    let rounding = |full: f64| ROUNDING * full + f64::from(f32::from_bits(1));
    let pairs = photons(full).zip(photons(with)).enumerate();
    let mut faults = pairs.filter_map(|(at, (full, with))| {
        let (full, with) = (f64::from(full), f64::from(with));
        let is_right = full - with <= error + rounding(full) && with - full <= rounding(full);
        (!is_right).then(|| format!("pixel {at}: {with:e} in place of {full:e}, {omission:?}"))
    });
    faults.next()
}

/// Holds the images of an experiment with each accuracy against that of every term, and against those in three
/// threads with other instructions on two panels.
fn hold(experiment: &Experiment, tally: &mut Tally) -> Result<(), String> {
    let full = frame(experiment, &options(0.0));
    if full.omission.is_some() {
        return Err(format!("no accuracy, but {:?}", full.omission));
    }
    let whole = experiment.detector.first();
    let is_whole = whole.roi().pixel_count() == whole.pixel_count() as u64;
    let can_be_cut = is_whole && experiment.detector.panels().len() == 1;
    let halves = can_be_cut.then(|| cut_at(experiment, whole.pixels_fast() * 2 / 5));
    let in_another_way = |accuracy| {
        let options = RunOptions {
            threads: 3,
            level: Some(Level::Avx2).filter(|level| level.is_available()),
            ..options(accuracy)
        };
        sorted(&frame(halves.as_ref().unwrap_or(experiment), &options))
    };
    // If the image is cut, the first pixel of all can be another one (the oddity `phi-zero`).
    let has_another_way = in_another_way(0.0) == sorted(&full);
    for accuracy in ACCURACIES {
        let with = frame(experiment, &options(accuracy));
        tally.add(&with);
        if let Some(fault) = fault(&full, &with, accuracy) {
            return Err(format!("accuracy {accuracy:e}: {fault}"));
        }
        if has_another_way && in_another_way(accuracy) != sorted(&with) {
            let way = "three threads, another level and, if it can be cut, two panels";
            return Err(format!("accuracy {accuracy:e}: another image with {way}"));
        }
        if accuracy == ACCURACIES[0] {
            hold_table(experiment, &with, tally)?;
        }
    }
    tally.other_ways += usize::from(has_another_way);
    Ok(())
}

/// The image of an experiment and its reflections, all of them; `None` if they cannot be told apart.
fn table(experiment: &Experiment, options: &RunOptions<'_>) -> Option<(Frame, Truth)> {
    let wishes = TruthWishes {
        pixel_floor_photons: 0.0,
        labels: true,
        ..TruthWishes::default()
    };
    render_with_truth(&Scene::new(experiment), &wishes, options).ok()
}

/// Which reflection an entry of a table is of, and on which panel.
fn name(entry: &ReflectionTruth) -> (usize, usize, [i32; 3]) {
    (entry.panel, entry.lattice, entry.hkl)
}

/// Holds the table of an experiment with the first accuracy, whose image is `with`, against that of every term.
fn hold_table(experiment: &Experiment, with: &Frame, tally: &mut Tally) -> Result<(), String> {
    let options = options(ACCURACIES[0]);
    let Some((image, found)) = table(experiment, &options) else {
        return Ok(());
    };
    if (bits(&image), image.omission) != (bits(with), with.omission) {
        return Err("the table makes another image".to_owned());
    }
    let in_another_way = RunOptions {
        threads: 3,
        level: Some(Level::Avx2).filter(|level| level.is_available()),
        ..options
    };
    let (_, other) = table(experiment, &in_another_way).expect("the reflections were told apart");
    // Sums that are not numbers are equal too.
    let is_same = |one: &Truth, other: &Truth| format!("{one:?}") == format!("{other:?}");
    if !is_same(&other, &found) {
        return Err("another table with three threads and another level".to_owned());
    }
    let (_, all) = table(experiment, &self::options(0.0)).expect("the reflections were told apart");
    let Some(Ok(Omission { error_photons, .. })) = image.omission else {
        return match is_same(&all, &found) {
            true => Ok(()),
            false => Err("another table, but no term was left out".to_owned()),
        };
    };
    let total = |truth: &Truth| -> f64 {
        let reflections = truth.reflections.iter().map(|entry| entry.photons);
        reflections.sum::<f64>() + truth.left_out_photons + truth.background_photons
    };
    let finite = photons(with).filter(|photons| photons.is_finite());
    let of_image: f64 = finite.map(f64::from).sum();
    if (total(&found) - of_image).abs() > 1e-6 * of_image {
        return Err(format!(
            "{} in a table of {of_image} photons",
            total(&found)
        ));
    }
    let lost = total(&all) - total(&found);
    let pixels = experiment.detector.panels().iter();
    let pixels: u64 = pixels.map(|panel| panel.roi().pixel_count()).sum();
    if lost > error_photons * pixels as f64 + ROUNDING * of_image {
        return Err(format!("{lost} lost of {pixels} x {error_photons} photons"));
    }
    let of_all: BTreeMap<_, _> = all.reflections.iter().map(|one| (name(one), one)).collect();
    for one in &found.reflections {
        let most = of_all.get(&name(one)).map_or(0.0, |all| all.photons);
        if one.photons > most * (1.0 + ROUNDING) + 1e-36 {
            return Err(format!("{one:?}, but at most {most}"));
        }
    }
    tally.tables[0] += 1;
    tally.tables[1] += usize::from(found.reflections.len() < all.reflections.len());
    Ok(())
}

fn experiment(line: &str) -> Experiment {
    let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let job = job(&words, &cases::inputs()).unwrap_or_else(|error| panic!("{line}: {error}"));
    job.resolved.experiment
}

/// A second lattice, turned about an axis of the laboratory.
fn second_lattice() -> LatticeCopy {
    let (sin, cos) = 0.3_f64.sin_cos();
    LatticeCopy {
        turn: Some([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]]),
        weight: 0.4,
        ..LatticeCopy::default()
    }
}

#[test]
fn a_pixel_beyond_its_bound_is_a_fault() {
    let full = frame(
        &experiment("-cell 70 -default_F 9 -N 5 -detpixels 20 -pixel 1"),
        &options(0.0),
    );
    let brightest = f64::from(full.statistics.max_photons);
    let with = |error: f64, change: f64| {
        let mut with = full.clone();
        with.omission = Some(Ok(Omission {
            allowed_photons: 1e-3 * brightest,
            error_photons: error * brightest,
            terms: 1.0,
            all_terms: 2.0,
        }));
        let pixel = &mut with.panels[0].pixels[0];
        *pixel = (f64::from(*pixel) + change * brightest) as f32;
        fault(&full, &with, 1e-3).is_some()
    };
    assert!(f64::from(full.panels[0].pixels[0]) > 1e-3 * brightest);
    assert!(!with(0.0, 0.0));
    assert!(!with(9e-4, -8e-4));
    for (error, change) in [(7e-4, -8e-4), (9e-4, 1e-4), (2e-3, 0.0), (-1e-3, 0.0)] {
        assert!(with(error, change), "{error} {change}");
    }
}

#[test]
fn random_command_lines_are_within_their_bound() {
    let lines_wanted = std::env::var("NANOBRAGG_ACCURACY_LINES").ok();
    let config = ProptestConfig {
        cases: lines_wanted.map_or(LINES, |count| count.parse().expect("a number of lines")),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let tally = std::cell::RefCell::new(Tally::default());
    if config.cases > LINES {
        for case in cases::all() {
            let held = hold(&experiment(&case.words.join(" ")), &mut tally.borrow_mut());
            held.unwrap_or_else(|fault| panic!("{}: {fault}", case.name));
        }
    }
    TestRunner::new(config)
        .run(
            &(many_term_lines(), any::<bool>()),
            |(line, has_two_lattices)| {
                let mut experiment = experiment(&line);
                if has_two_lattices {
                    experiment.lattices.push(second_lattice());
                }
                let held = hold(&experiment, &mut tally.borrow_mut());
                held.map_err(|fault| TestCaseError::fail(format!("{line}\n{fault}")))
            },
        )
        .unwrap();
    let tally = tally.into_inner();
    tally.tell("random command lines", 0.1);
    assert!(tally.tables[1] > 0, "{tally:?}");
}

#[test]
fn the_scenes_of_backends_are_within_their_bound() {
    let mut tally = Tally::default();
    for SuiteScene { name, experiment } in scenes() {
        hold(&experiment, &mut tally).unwrap_or_else(|fault| panic!("{name}: {fault}"));
    }
    tally.tell("scenes", 0.1);
}

/// A detector of 130 x 30 pixels at 80 mm, beside the beam.
const BESIDE: &str = "-cell 70 80 90 85 95 100 -misset 10 20 30 -lambda 1 -distance 80 -pixel 0.2 \
                      -detpixels_x 130 -detpixels_y 30 -Xbeam -2 -Ybeam 5 -oversample 1";

/// A list of all reflections up to index 12, each with the F that `amplitude` gives.
fn listed(amplitude: impl Fn([i32; 3]) -> f64, default_f: f64) -> FactorGrid {
    const REACH: i32 = 12;
    let indices = || -REACH..=REACH;
    let list: Vec<Reflection> = indices()
        .flat_map(|h| indices().flat_map(move |k| indices().map(move |l| [h, k, l])))
        .map(|hkl| Reflection {
            hkl: Hkl(hkl),
            amplitude: amplitude(hkl),
        })
        .collect();
    FactorGrid::from_reflections(&list, default_f, GridLimit::default()).unwrap()
}

/// The brightest pixel of an image of one panel, and the indices of its largest term.
fn brightest(experiment: &Experiment) -> (PixelPlace, [i32; 3]) {
    let image = frame(experiment, &options(0.0));
    let (at, photons) = photons(&image)
        .enumerate()
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
        .unwrap();
    let (at, width) = (at as u32, image.panels[0].pixels_fast);
    let place = PixelPlace {
        panel: 0,
        slow: at / width,
        fast: at % width,
    };
    assert!(photons > 0.0);
    let trace = trace_pixel(&Scene::new(experiment), &image, place).unwrap();
    let hkl = trace.largest.unwrap().hkl.map(|index| index.round() as i32);
    (place, hkl)
}

/// Holds experiments with this name.
fn hold_all(name: &str, experiments: impl IntoIterator<Item = Experiment>) {
    let mut tally = Tally::default();
    for experiment in experiments {
        hold(&experiment, &mut tally).unwrap_or_else(|fault| panic!("{name}: {fault}"));
    }
    tally.tell(name, 0.0);
}

/// Words of the shapes, each with spots of a few pixels.
const SHAPES: [&str; 4] = [
    "-N 20 -mosaic 0.5 -mosaic_domains 5",
    "-N 20 -mosaic 0.5 -mosaic_domains 5 -round_xtal",
    "-N 12 -mosaic 0.5 -mosaic_domains 5 -gauss_xtal hkl",
    "-N 8 -mosaic 0.5 -mosaic_domains 5 -tophat_spots",
];

#[test]
fn neighbours_of_very_different_strength_are_within_their_bound() {
    let of_shape = |shape: &&str| {
        let mut experiment = experiment(&format!("{BESIDE} {shape} -default_F 1 -oversample 2"));
        let (_, strong) = brightest(&experiment);
        let grids = [
            listed(|[h, k, l]| f64::from((h + k + l) & 1) * 1e5, 0.0),
            listed(|hkl| if hkl == strong { 1e5 } else { 0.0 }, 0.0),
            listed(|hkl| if hkl == strong { 0.0 } else { 1e5 }, 1e5),
            listed(|hkl| if hkl == strong { 1e5 } else { 1.0 }, 1.0),
        ];
        grids.map(|grid| {
            experiment.factors = grid.into();
            experiment.clone()
        })
    };
    hold_all("F of 0 beside F of 1e5", SHAPES.iter().flat_map(of_shape));
}

#[test]
fn a_spot_on_the_corner_between_four_panels_is_within_its_bound() {
    let of_shape = |shape: &&str| {
        let experiment = experiment(&format!("{BESIDE} {shape} -default_F 100 -oversample 2"));
        let (PixelPlace { fast, slow, .. }, _) = brightest(&experiment);
        let [fast, slow] = [i64::from(fast).clamp(1, 128), i64::from(slow).clamp(1, 28)];
        let whole = experiment.detector.first();
        let parts = [
            ("a", [0, fast], [0, slow]),
            ("b", [fast + 1, -1], [0, slow]),
            ("c", [0, fast], [slow + 1, -1]),
            ("d", [fast + 1, -1], [slow + 1, -1]),
        ];
        let parts = parts.map(|(name, fast, slow)| whole.cut(name.to_owned(), fast, slow).unwrap());
        let cut = Experiment {
            detector: Detector::new(parts.to_vec()).unwrap(),
            ..experiment.clone()
        };
        for accuracy in ACCURACIES {
            let [of_one, of_four] =
                [&experiment, &cut].map(|e| sorted(&frame(e, &options(accuracy))));
            assert!(of_one == of_four, "{shape}: the panels make another image");
        }
        cut
    };
    hold_all("a corner between panels", SHAPES.iter().map(of_shape));
}

#[test]
fn a_pixel_has_all_photons_of_its_reflections_but_for_the_bound() {
    let (mut fewer, mut entries) = (0, 0);
    for shape in [
        "-N 60",
        "-N 60 -round_xtal",
        "-N 40 -gauss_xtal hkl",
        "-N 20 -tophat_spots hkl",
    ] {
        let many = "-mosaic 0.5 -mosaic_domains 20 -default_F 100 -oversample 4";
        let mut experiment = experiment(&format!("{BESIDE} {shape} {many}"));
        experiment.lattices.push(second_lattice());
        // A panel for each pixel about the brightest one, so that its entries are what is in the pixel.
        let (PixelPlace { fast, slow, .. }, _) = brightest(&experiment);
        let [fast, slow] = [i64::from(fast).clamp(3, 126), i64::from(slow).clamp(2, 27)];
        let whole = experiment.detector.first().clone();
        let pixels = (slow - 2..slow + 2).flat_map(|y| (fast - 3..fast + 3).map(move |x| (x, y)));
        let panels = pixels.map(|(x, y)| whole.cut(format!("{x} {y}"), [x, x], [y, y]).unwrap());
        experiment.detector = Detector::new(panels.collect()).unwrap();
        let by_pixel = |truth: &Truth| {
            let mut pixels = vec![BTreeMap::new(); experiment.detector.panels().len()];
            for one in &truth.reflections {
                pixels[one.panel].insert((one.lattice, one.hkl), one.photons);
            }
            pixels
        };
        let (_, full) = table(&experiment, &options(0.0)).unwrap();
        for accuracy in ACCURACIES {
            let (image, with) = table(&experiment, &options(accuracy)).unwrap();
            let error = image.omission.unwrap().unwrap().error_photons;
            let pairs = by_pixel(&full).into_iter().zip(by_pixel(&with));
            for (pixel, (full, own)) in pairs.enumerate() {
                let told = format!("{shape} {accuracy:e} {pixel}: {full:?} {own:?} {error}");
                let all: f64 = full.values().sum();
                let most = full.values().copied().fold(0.0, f64::max);
                let allowed = error + ROUNDING * all;
                assert!(all - own.values().sum::<f64>() <= allowed, "{told}");
                for (name, photons) in &own {
                    assert!(*photons <= full[name] + ROUNDING * all, "{told}");
                }
                let label = match with.labels[pixel][0] as usize {
                    0 => 0.0,
                    label => {
                        full[&(
                            with.reflections[label - 1].lattice,
                            with.reflections[label - 1].hkl,
                        )]
                    }
                };
                assert!(most - label <= allowed, "{told}");
                fewer += usize::from(own.len() < full.len());
                entries += own.len();
            }
        }
    }
    assert!(fewer > 40 && entries > 400, "{fewer} {entries}");
}

#[test]
fn the_beam_through_a_gap_is_within_its_bound() {
    let line = "-cell 70 80 90 -default_F 100 -N 20 -lambda 1 -distance 80 -pixel 0.2 \
                -detpixels_x 129 -detpixels_y 31";
    let experiment = experiment(line);
    let (PixelPlace { fast, .. }, hkl) = brightest(&experiment);
    assert_eq!(hkl, [0; 3]);
    let fast = i64::from(fast);
    let whole = experiment.detector.first();
    // Wide enough for the spot, but not for its tails.
    let parts = [("left", [0, fast - 4]), ("right", [fast + 4, -1])];
    let parts = parts.map(|(name, fast)| whole.cut(name.to_owned(), fast, [-1, -1]).unwrap());
    let behind = Experiment {
        detector: Detector::new(parts.to_vec()).unwrap(),
        ..experiment.clone()
    };
    let stopped = self::experiment(&format!("{line} -beamstop 3 -beamstop_penumbra 0.3"));
    let leaking = self::experiment(&format!("{line} -beamstop 3 -beamstop_transmission 1e-5"));
    hold_all("the beam", [behind, stopped, leaking]);
}

#[test]
fn tails_that_add_up_are_within_their_bound() {
    let large = "-Na 60 -Nb 50 -Nc 110 -mosaic 0.2 -mosaic_domains 200 -default_F 100";
    let spots = experiment(&format!("{BESIDE} {large}"));
    // About the darkest pixel of a row there are only tails.
    let image = frame(&spots, &options(0.0));
    let row = &image.panels[0].pixels[15 * 130..16 * 130];
    let fast = (1..129).min_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap();
    let region = format!("-roi {} {} 14 16", fast - 1, fast + 1);
    let tails = experiment(&format!("{BESIDE} {large} {region}"));
    let spread = experiment(&format!(
        "{BESIDE} {large} -dispersion 1 -dispsteps 3 -size_spread 0.2"
    ));
    hold_all("tails", [spots, tails, spread]);
}

#[test]
fn images_without_photons_are_their_own() {
    let dark = experiment(&format!("{BESIDE} -default_F 100 -N 20 -fluence 0"));
    let empty = Experiment {
        factors: listed(|_| 0.0, 0.0).into(),
        ..experiment(&format!("{BESIDE} -default_F 1 -N 20"))
    };
    let mut masked = experiment(&format!("{BESIDE} -default_F 100 -N 20"));
    let none = Mask::new(130, vec![false; 130 * 30]);
    let panel = masked.detector.first().clone().with_mask(none).unwrap();
    masked.detector = panel.into();
    let cut = experiment(&format!("{BESIDE} -default_F 100 -N 20 -dmin 50"));
    for experiment in [&dark, &empty, &masked, &cut] {
        let image = frame(experiment, &options(1.0));
        assert!(photons(&image).all(|photons| photons == 0.0));
        let has_error = |omission: Omission| omission.error_photons != 0.0;
        assert!(!matches!(image.omission, Some(Ok(found)) if has_error(found)));
    }
    hold_all("no photons", [dark, empty, masked, cut]);
}

#[test]
fn a_limit_within_pixels_is_within_its_bound() {
    // Some pixels have photons, though the limit of resolution cuts their first sub-pixel.
    let line = "-cell 40 40 40 75 75 75 -default_F 100 -lambda 1.3 -distance 70 -pixel 0.6 -N 1 -dmin 3 \
                -detpixels_x 80 -detpixels_y 25 -oversample 2";
    let many = format!("{line} -mosaic 2 -mosaic_domains 40 -N 30");
    hold_all("a limit", [line, &many].map(experiment));
}

#[test]
fn an_accuracy_of_one_keeps_its_bound() {
    for shape in SHAPES {
        let experiment = experiment(&format!("{BESIDE} {shape} -default_F 100"));
        let [full, with] = [0.0, 1.0].map(|accuracy| frame(&experiment, &options(accuracy)));
        assert_eq!(fault(&full, &with, 1.0), None, "{shape}");
    }
}

#[test]
fn every_term_is_summed_for_a_reason() {
    const POLAR: &str = "-default_F 100 -oversample 2 -oversample_polar";
    let told = |frame: Frame, reason, line: &str| {
        assert_eq!(frame.omission, Some(Err(reason)), "{line}");
    };
    for (more, reason) in [
        ("-hkl box.hkl -interpolate", EveryTerm::Interpolation),
        (POLAR, EveryTerm::RunningSum),
        ("-default_F 100 -diffuse llm", EveryTerm::Diffuse),
        (
            "-default_F 100 -water 10 -oversample 2 -oversample_omega -fix oversample-flags",
            EveryTerm::Water,
        ),
    ] {
        let experiment = experiment(&format!("{BESIDE} -N 5 {more}"));
        let [full, with] = [0.0, 1e-2].map(|accuracy| frame(&experiment, &options(accuracy)));
        assert!(bits(&full) == bits(&with), "{more}");
        told(with, reason, more);
    }
    let experiment = experiment(&format!("{BESIDE} -N 5 -default_F 100"));
    let scalar = RunOptions {
        level: Some(Level::Reference),
        ..options(1e-2)
    };
    told(frame(&experiment, &scalar), EveryTerm::Scalar, "scalar");
    let (image, _) = table(&experiment, &scalar).unwrap();
    told(image, EveryTerm::Scalar, "a table of the scalar sum");
}

/// A run of a few pixels.
const SMALL: &str = "-cell 70 80 90 -default_F 100 -N 40 -mosaic 0.3 -mosaic_domains 20 -distance 300 -detpixels 64 -pixel 0.1 -oversample 1 -seed 1 -noprogress";

#[test]
fn a_run_tells_its_accuracy_and_what_was_left_out() {
    let scene = Folder::empty();
    let run = |more: &str| scene.run_line(&format!("{SMALL} {more}")).well();
    let json = |name: &str| -> Value { serde_json::from_slice(&scene.read(name)).unwrap() };
    run("-record plain.json");
    let left_out = run("-accuracy 1e-3 -record run.json");
    let summed = run("-accuracy 1e-3 -oversample 2 -oversample_polar");
    let [plain, record] = ["plain.json", "run.json"].map(json);
    assert_eq!(
        [&plain["accuracy"], &plain["statistics"]["omission"]],
        [&Value::Null; 2]
    );
    assert_eq!(record["accuracy"], 1e-3);
    let differences = scene.run_line("-diff plain.json run.json");
    assert_eq!(differences.stdout, "accuracy: none -> 0.001\n");
    let plan = run("-accuracy 1e-3 -plan");
    let decision = plan.line("accuracy ").trim_start();
    assert_eq!(decision, "0.001 of the brightest pixel  [-accuracy]");
    let omission = &record["statistics"]["omission"];
    assert!(omission["terms"].as_f64() < omission["all_terms"].as_f64());
    assert!(omission["error_photons"].as_f64() <= omission["allowed_photons"].as_f64());
    let told = left_out.line("every pixel within ");
    assert!(told.contains(" of the brightest (asked 0.001); "), "{told}");
    let warning = format!("-accuracy has no effect: {}", EveryTerm::RunningSum);
    assert!(summed.stderr.contains(&warning), "{}", summed.stderr);
}

#[test]
fn a_series_of_another_accuracy_is_not_gone_on_with() {
    let scene = Folder::empty();
    let run = |more: &str| scene.run_line(&format!("{SMALL} -frames 2 -osc 1 {more}"));
    run("-accuracy 1e-3").well();
    run("-accuracy 1e-3 -resume").well();
    let other = run("-accuracy 1e-4 -resume");
    assert_eq!(other.status, Some(1));
    assert!(other.stderr.contains("-accuracy"), "{}", other.stderr);
    let log = String::from_utf8(scene.read("series.jsonl")).unwrap();
    assert!(log.matches("\"error_photons\":").count() == 2);
}

//! Every key of a header and every number of the report, worked out from where the pixels are.

use nanobragg::geometry::vector::{cross, dot, norm, scale, sub};
use nanobragg::{Convention, Experiment, Pivot};
use nanobragg_tests::binary::{Finished, Scene};

use crate::laboratory::job_of;

/// Both write six digits.
const SIX_DIGITS: f64 = 6e-6;

const LINE: &str = "-cell 40 50 60 -default_F 100 -N 25 -lambda 1.1 -pixel 0.6 -detpixels_x 23 -detpixels_y 17 \
                    -phi 7 -osc 2 -phisteps 4 -nonoise -nopgm -noprogress -seed 1 -fix all";

/// Where a plane is, by three of its points alone; lengths in mm.
struct Plane {
    px: f64,
    corner: [f64; 3],
    fast: [f64; 3],
    slow: [f64; 3],
    normal: [f64; 3],
    beam: [f64; 3],
}

impl Plane {
    fn of(experiment: &Experiment) -> Self {
        let panel = experiment.detector.first();
        let px_m = panel.pixel_size_m();
        let point = |f: f64, s: f64| scale(1e3, panel.position_m(f * px_m, s * px_m, 0.0));
        let corner = point(0.0, 0.0);
        // A pixel of the other side is as far along each axis as there are pixels.
        let (along, up) = (sub(point(23.0, 0.0), corner), sub(point(0.0, 17.0), corner));
        let (fast, slow) = (scale(1.0 / norm(along), along), scale(1.0 / norm(up), up));
        let across = cross(fast, slow);
        let sign = if dot(across, panel.normal()) < 0.0 {
            -1.0
        } else {
            1.0
        };
        Self {
            px: norm(along) / 23.0,
            corner,
            fast,
            slow,
            normal: scale(sign, across),
            beam: experiment.beam.direction(),
        }
    }

    /// How far the beam goes to the plane.
    fn reach(&self) -> f64 {
        dot(self.corner, self.normal) / dot(self.beam, self.normal)
    }

    /// A point of the plane along fast and slow from the corner.
    fn at(&self, point: [f64; 3]) -> [f64; 2] {
        let from_corner = sub(point, self.corner);
        [dot(from_corner, self.fast), dot(from_corner, self.slow)]
    }

    fn beam_spot(&self) -> [f64; 2] {
        self.at(scale(self.reach(), self.beam))
    }

    fn close(&self) -> f64 {
        dot(self.corner, self.normal)
    }

    fn near_point(&self) -> [f64; 2] {
        self.at(scale(self.close(), self.normal))
    }
}

/// X and Y of a point in the sense of a convention.
fn in_convention(convention: Convention, [f, s]: [f64; 2], px: f64) -> [f64; 2] {
    match convention {
        Convention::Mosflm => [s - px / 2.0, f - px / 2.0],
        Convention::Denzo => [s, f],
        Convention::Adxv => [f, 17.0 * px - s],
        Convention::Xds | Convention::Dials | Convention::Custom => [f, s],
    }
}

/// The numbers behind `key=` in a text, up to a semicolon or the next key.
fn numbers(text: &str, key: &str) -> Vec<f64> {
    let is_there = |line: &&str| line.trim_start().starts_with(key);
    let line = text
        .lines()
        .find(is_there)
        .unwrap_or_else(|| panic!("no {key} in {text}"));
    let values = line.trim_start().strip_prefix(key).unwrap();
    let words = values.split([' ', ',', ';', '=']).map(str::trim);
    words
        .map_while(|word| match word {
            "" => Some(None),
            word => word.parse().ok().map(Some),
        })
        .flatten()
        .collect()
}

fn assert_near(line: &str, key: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{line}: {key} {found:?}");
    for (found, expected) in found.iter().zip(expected) {
        let off = (found - expected).abs();
        // Lengths near 0 are differences of lengths of some 100 mm.
        assert!(
            off < SIX_DIGITS * expected.abs().max(0.01),
            "{line}: {key} is {found}, not {expected}"
        );
    }
}

#[test]
fn headers_and_report_say_where_the_pixels_are() {
    for convention in [
        Convention::Mosflm,
        Convention::Denzo,
        Convention::Adxv,
        Convention::Xds,
        Convention::Dials,
    ] {
        for placed in [
            "-distance 90",
            "-close_distance 90 -detector_rotx 4 -detector_roty -7",
            "-distance 90 -twotheta 20",
            "-distance 90 -twotheta -12 -pivot sample",
            "-close_distance 90 -twotheta 9 -detector_rotz 5 -pivot beam",
        ] {
            for centre in ["-Xbeam 4.1 -Ybeam 5.3", "-ORGX 9 -ORGY 7", ""] {
                check(
                    convention,
                    &format!("{LINE} -{convention} {placed} {centre}"),
                );
            }
        }
    }
}

fn check(convention: Convention, line: &str) {
    let scene = Scene::empty();
    let run = scene.run_line(line).well();
    let image = scene.read("intimage.img");
    let header = String::from_utf8_lossy(&image[..image.len() - 2 * 23 * 17]).into_owned();
    let job = job_of(line);
    let plane = Plane::of(&job.resolved.experiment);
    let [f, s] = plane.beam_spot();
    let [near_f, near_s] = plane.near_point();
    let px = plane.px;
    // The point that stays as the detector turns is the one that a centre places.
    let placed = match job.resolved.decisions.layout.pivot {
        Pivot::Beam => [f, s],
        Pivot::Sample => [near_f, near_s],
    };
    let [x, y] = in_convention(convention, placed, px);
    let [cx, cy, cz] = plane.corner;
    let flag = line
        .split_once("-twotheta ")
        .map(|(_, rest)| rest.split(' ').next());
    let twotheta = flag
        .flatten()
        .map_or(0.0, |degrees| degrees.parse().unwrap());
    for (key, expected) in [
        ("PIXEL_SIZE", px),
        ("DISTANCE", plane.reach()),
        ("CLOSE_DISTANCE", plane.close()),
        ("WAVELENGTH", 1.1),
        ("BEAM_CENTER_X", x),
        ("BEAM_CENTER_Y", y),
        ("ADXV_CENTER_X", f),
        ("ADXV_CENTER_Y", 17.0 * px - s),
        ("MOSFLM_CENTER_X", s - px / 2.0),
        ("MOSFLM_CENTER_Y", f - px / 2.0),
        ("DENZO_X_BEAM", s),
        ("DENZO_Y_BEAM", f),
        ("XDS_ORGX", near_f / px + 0.5),
        ("XDS_ORGY", near_s / px + 0.5),
        ("PHI", 7.0),
        ("OSC_START", 7.0),
        ("OSC_RANGE", 2.0),
        ("TWOTHETA", twotheta),
    ] {
        assert_near(
            line,
            key,
            &numbers(&header, &format!("{key}=")),
            &[expected],
        );
    }
    assert_near(
        line,
        "DIALS_ORIGIN",
        &numbers(&header, "DIALS_ORIGIN="),
        &[cz, cy, -cx],
    );
    report(line, &run, &plane, [x, y]);
    // The sweep of the header is about the middle of what was rendered.
    let steps = job.resolved.experiment.phi.angles_rad();
    let mean = steps.map(f64::to_degrees).sum::<f64>() / 4.0;
    assert!((mean - 8.0).abs() < 1e-12, "{line}: {mean}");
    // Three sub-pixels for each fringe of the largest edge, 25 cells of 60 A.
    let fringe_px = 1.1 * plane.reach() / (25.0 * 60.0) / px;
    let chosen = |line: &str| {
        let count = line.strip_prefix("auto-selected ")?;
        count
            .strip_suffix("-fold oversampling")?
            .parse::<f64>()
            .ok()
    };
    let sub_pixels = run.stdout.lines().find_map(chosen).unwrap();
    assert_eq!(sub_pixels, (3.0 / fringe_px).ceil().max(1.0), "{line}");
}

/// The same numbers in the report, in metres.
fn report(line: &str, run: &Finished, plane: &Plane, centre: [f64; 2]) {
    let said = |key: &str| numbers(&run.stdout, key);
    let beam = [plane.fast, plane.slow, plane.normal].map(|axis| dot(plane.beam, axis));
    let corner_m = scale(1e-3, plane.corner);
    let [cx, cy, cz] = plane.corner;
    for (key, expected) in [
        ("XDS incident beam:", &beam[..]),
        ("DETECTOR_PIX0_VECTOR", &corner_m),
        ("DETECTOR_FAST_AXIS", &plane.fast),
        ("DETECTOR_SLOW_AXIS", &plane.slow),
        ("DETECTOR_NORMAL_AXIS", &plane.normal),
        ("DIRECTION_OF_DETECTOR_X-AXIS=", &plane.fast),
        ("DIRECTION_OF_DETECTOR_Y-AXIS=", &plane.slow),
        ("DIRECTION_OF_DETECTOR_Z-AXIS=", &plane.normal),
        ("INCIDENT_BEAM_DIRECTION=", &plane.beam),
        ("dials origin=", &[cz, cy, -cx]),
    ] {
        assert_near(line, key, &said(key), expected);
    }
    let metres = |mm: f64| mm * 1e-3;
    let [f, s] = plane.beam_spot().map(metres);
    let [near_f, near_s] = plane.near_point().map(metres);
    let [x, y] = centre.map(metres);
    for (key, expected) in [
        ("Fbeam=", [f, s]),
        ("Fclose=", [near_f, near_s]),
        ("Xbeam=", [x, y]),
    ] {
        let other = format!(
            "{}{}=",
            if key.starts_with('F') { 'S' } else { 'Y' },
            &key[1..key.len() - 1]
        );
        let text = run.stdout.replace(&other, "");
        assert_near(line, key, &numbers(&text, key), &expected);
    }
    assert_near(
        line,
        "distance=",
        &said("distance=")[..1],
        &[metres(plane.reach())],
    );
}

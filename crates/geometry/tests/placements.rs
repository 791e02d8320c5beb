//! Detectors placed by the C program and by this one, from the same command lines.

use nanobragg_geometry::{
    Angle, Attenuation, Convention, DetectorSpec, Laboratory, Length, Pivot, SensorSpec,
};

/// The largest error relative to the larger of 1 and the number itself. Every operation is that of the
/// C program. Sine and cosine are those of the platform's C library. If it is not the library that the
/// C program used, they can differ in the last bit.
const TOLERANCE: f64 = if cfg!(all(target_os = "linux", target_env = "gnu")) {
    0.0
} else {
    1e-14
};

const CASES: &str = include_str!("placements.txt");

/// The detector of a command line, for the geometry flags in the cases. The last one of a flag counts.
fn spec_from(command_line: &str) -> DetectorSpec {
    let mut spec = DetectorSpec::default();
    let mut words = command_line.split_whitespace();
    while let Some(flag) = words.next() {
        let mut number = || {
            let word = words
                .next()
                .expect("every flag but a convention has numbers");
            word.parse::<f64>().expect("they are numbers")
        };
        let mut axis = || Some([number(), number(), number()]);
        match flag {
            "-mosflm" => spec.convention = Convention::Mosflm,
            "-denzo" => spec.convention = Convention::Denzo,
            "-adxv" => spec.convention = Convention::Adxv,
            "-xds" => spec.convention = Convention::Xds,
            "-dials" => spec.convention = Convention::Dials,
            "-beam_vector" => spec.axes.beam = axis(),
            "-fdet_vector" => spec.axes.fast = axis(),
            "-sdet_vector" => spec.axes.slow = axis(),
            "-odet_vector" => spec.axes.normal = axis(),
            "-twotheta_axis" => spec.axes.twotheta = axis(),
            "-polar_vector" => spec.axes.polarization = axis(),
            "-spindle_axis" => spec.axes.spindle = axis(),
            "-detpixels" => {
                spec.pixels_fast = Some(number() as u32);
                spec.pixels_slow = spec.pixels_fast;
            }
            "-detpixels_x" | "-detpixels_f" => spec.pixels_fast = Some(number() as u32),
            "-detpixels_y" | "-detpixels_s" => spec.pixels_slow = Some(number() as u32),
            "-detsize_f" => spec.size_fast = Length::from_mm(number()),
            "-detsize_s" => spec.size_slow = Length::from_mm(number()),
            "-pixel" => spec.pixel_size = Length::from_mm(number()),
            "-distance" => spec.distance = Length::from_mm(number()),
            "-close_distance" => spec.close_distance = Some(Length::from_mm(number())),
            "-Xbeam" => spec.x_beam = Some(Length::from_mm(number())),
            "-Ybeam" => spec.y_beam = Some(Length::from_mm(number())),
            "-Xclose" => spec.x_close = Some(Length::from_mm(number())),
            "-Yclose" => spec.y_close = Some(Length::from_mm(number())),
            "-ORGX" => spec.org_x = Some(number()),
            "-ORGY" => spec.org_y = Some(number()),
            "-detector_rotx" => spec.rotations[0] = Angle::from_degrees(number()),
            "-detector_roty" => spec.rotations[1] = Angle::from_degrees(number()),
            "-detector_rotz" => spec.rotations[2] = Angle::from_degrees(number()),
            "-twotheta" => spec.twotheta = Angle::from_degrees(number()),
            "-detector_thick" => spec.sensor.thickness = Length::from_um(number()),
            "-detector_abs" => {
                spec.sensor.attenuation = Attenuation::Depth(Length::from_um(number()));
            }
            "-thicksteps" => spec.sensor.layers = Some(number() as i64),
            "-pivot" => {
                let sample = words.next() == Some("sample");
                spec.pivot = Some(if sample { Pivot::Sample } else { Pivot::Beam });
            }
            _ => unreachable!("{flag} is not a flag of these cases"),
        }
        match flag {
            "-Xbeam" | "-Ybeam" | "-distance" => spec.pivot = Some(Pivot::Beam),
            "-Xclose" | "-Yclose" | "-ORGX" | "-ORGY" | "-close_distance" | "-twotheta" => {
                spec.pivot = Some(Pivot::Sample);
            }
            _ if flag.ends_with("_vector") || flag.ends_with("_axis") => {
                spec.convention = Convention::Custom;
            }
            _ => {}
        }
    }
    spec
}

/// The numbers of a detector in the order of the file.
fn numbers_of(detector: &Laboratory, spec: &SensorSpec) -> Vec<f64> {
    let mut numbers = vec![
        f64::from(detector.panel().pixels_fast()),
        f64::from(detector.panel().pixels_slow()),
    ];
    for vector in [
        detector.panel().pix0_m(),
        detector.panel().fast(),
        detector.panel().slow(),
        detector.panel().normal(),
    ] {
        numbers.extend(vector);
    }
    numbers.extend([
        detector.panel().distance_m(),
        detector.panel().close_distance_m(),
        detector.panel().f_beam_m(),
        detector.panel().s_beam_m(),
        detector.panel().f_close_m(),
        detector.panel().s_close_m(),
        detector.layout.centre.beam_m[0],
        detector.layout.centre.beam_m[1],
        detector.layout.centre.close_m[0],
        detector.layout.centre.close_m[1],
        detector.panel().org_x(),
        detector.panel().org_y(),
    ]);
    numbers.extend(detector.panel().dials_origin_mm());
    numbers.extend(detector.panel().in_own_frame(detector.beam.direction()));
    let sensor = detector.panel().sensor();
    // The C program marks an attenuation that was never set by -1.
    let is_unset = !sensor.is_modelled() && spec.attenuation == Attenuation::NotGiven;
    let mu_per_m = if is_unset { -1.0 } else { sensor.mu_per_m };
    numbers.extend([
        mu_per_m,
        sensor.thickness_m,
        sensor.layer_step_m,
        f64::from(sensor.layers),
    ]);
    numbers
}

#[test]
fn every_detector_is_where_the_c_program_places_it() {
    let cases = CASES.lines().filter(|line| !line.starts_with('#'));
    for case in cases {
        let mut fields = case.split('|').map(str::trim);
        let (name, command_line) = (fields.next().unwrap(), fields.next().unwrap());
        let expected = fields
            .next()
            .unwrap()
            .split_whitespace()
            .map(|x| x.parse::<f64>().unwrap());
        let expected: Vec<f64> = expected.collect();
        let spec = spec_from(command_line);
        let detector = Laboratory::new(&spec).unwrap();
        let actual = numbers_of(&detector, &spec.sensor);
        assert_eq!(actual.len(), expected.len(), "{name}");
        for (index, (a, e)) in actual.iter().zip(&expected).enumerate() {
            let bound = TOLERANCE * e.abs().max(1.0);
            assert!(
                (a - e).abs() <= bound,
                "{name}, number {index}: {a:e} is not {e:e}"
            );
            if TOLERANCE == 0.0 {
                assert_eq!(
                    a.to_bits(),
                    e.to_bits(),
                    "{name}, number {index}: {a:e} {e:e}"
                );
            }
        }
    }
}

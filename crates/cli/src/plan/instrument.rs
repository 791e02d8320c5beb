//! The decisions on detector and beam.

use nanobragg::io::printf::general as g;
use nanobragg::{Attenuation, Oddity};

use super::decision::Because;
use super::decisions::{List, in_steps};
use crate::report::one_line;

impl List<'_> {
    pub(super) fn detector(&mut self) {
        let panel = self.job.resolved.experiment.detector.first();
        let layout = &self.job.resolved.decisions.layout;
        let given = &self.args.detector;
        let fixes = self.job.resolved.experiment.fixes;
        let conventions = ["mosflm", "xds", "adxv", "denzo", "dials"];
        let because = if given.convention == Some(nanobragg::Convention::Custom) {
            Because::rule("an axis was given (-..._vector, -..._axis)")
        } else if let Some(source) = self.job.detector_from()
            && given.convention.is_none()
        {
            Because::Flag(source.flag)
        } else {
            self.flag_or_default(&conventions)
        };
        self.add("convention", layout.convention.to_string(), because);
        let because = match layout.convention.pivot() {
            Some(pivot) if pivot == layout.pivot => {
                Because::rule(format!("the {} convention's", layout.convention))
            }
            Some(_) => Because::rule("-fix pivot lets the flags decide"),
            None if given.pivot_of_last_flag.is_none() && self.job.detector_from().is_some() => {
                Because::rule("a file places the detector by its near point")
            }
            None => Because::rule("-pivot, or the last flag that has a say in it"),
        };
        self.add("pivot", layout.pivot.to_string(), because);
        let pixel = format!("{} mm", g(panel.pixel_size_m() * 1000.0));
        let because = self.flag_or_header(&["pixel"], &["PIXEL_SIZE"]);
        self.add("pixel size", pixel, because);
        let (fast, slow) = (panel.pixels_fast(), panel.pixels_slow());
        self.pixels("fast pixels", fast, "detpixels_x", "detsize_f", "SIZE1");
        self.pixels("slow pixels", slow, "detpixels_y", "detsize_s", "SIZE2");
        let mm = |metres: f64| format!("{} mm", g(metres * 1000.0));
        let because = if given.close_distance_mm.is_some() {
            Because::rule("from -close_distance and the tilt")
        } else if given.distance_mm.is_some() && fixes.contains(Oddity::HeaderDistance) {
            self.flag_or_default(&["distance"])
        } else if let Some(header) = Because::header(self.job, &["CLOSE_DISTANCE"]) {
            Because::rule(format!("from {header} and the tilt"))
        } else {
            self.flag_or_header(&["distance"], &["DISTANCE"])
        };
        self.add("distance", mm(panel.distance_m()), because);
        if layout.twotheta.radians() != 0.0 {
            let because = self.flag(&["twotheta"]).unwrap_or_else(|| {
                Because::rule("TWOTHETA in a header, honoured by -fix ignored-input")
            });
            let angle = format!("{} deg", g(layout.twotheta.degrees()));
            self.add("two-theta", angle, because);
        }
        let because = self
            .flag(&["Xbeam", "Ybeam", "Xclose", "Yclose", "ORGX", "ORGY"])
            .or_else(|| {
                Because::header(
                    self.job,
                    &["BEAM_CENTER_X", "BEAM_CENTER_Y", "ORGX", "ORGY"],
                )
            });
        let because = match because {
            Some(given) => Because::rule(format!(
                "the {} convention's reading of {given}",
                layout.convention
            )),
            None => Because::rule(format!("the {} convention's default", layout.convention)),
        };
        let beam = self.job.resolved.experiment.beam.direction();
        let [spot_fast_m, spot_slow_m] = panel.beam_spot_m(beam);
        let centre = format!(
            "{} {} mm along fast and slow",
            g(spot_fast_m * 1000.0),
            g(spot_slow_m * 1000.0)
        );
        self.add("direct beam", centre, because);
        self.sensor();
        let roi = &self.job.resolved.experiment.detector.first().roi();
        let (fast, slow) = (roi.fast(), roi.slow());
        let region = format!(
            "fast {} to {}, slow {} to {}",
            fast.start(),
            fast.end(),
            slow.start(),
            slow.end()
        );
        let because = self
            .flag(&["roi"])
            .unwrap_or_else(|| Because::rule("the whole detector"));
        self.add("region", region, because);
        for other in self
            .job
            .resolved
            .experiment
            .detector
            .panels()
            .iter()
            .skip(1)
        {
            let because = match self.job.detector_from() {
                Some(source) => Because::Flag(source.flag),
                None => Because::Flag("experiment"),
            };
            self.add("panel", one_line(other), because);
        }
    }

    /// The number of pixels along one axis, with the flags and the header key of this axis.
    fn pixels(
        &mut self,
        setting: &'static str,
        count: u32,
        flag: &'static str,
        size: &'static str,
        key: &'static str,
    ) {
        let counted = self.flag(&["detpixels", flag]);
        let because = counted.or_else(|| Because::header(self.job, &[key]));
        let because = because.unwrap_or_else(|| {
            let size = self.flag_or_default(&["detsize", size]);
            Because::rule(format!("size over pixel size, rounded ({size})"))
        });
        self.add(setting, count.to_string(), because);
    }

    fn sensor(&mut self) {
        let sensor = *self.job.resolved.experiment.detector.first().sensor();
        if !sensor.is_modelled() {
            self.add(
                "sensor",
                "not modelled: every photon counts".to_owned(),
                Because::rule("no thickness (-detector_thick)"),
            );
            return;
        }
        let because = self.flag(&["detector_thicksteps"]).unwrap_or_else(|| {
            Because::rule("two layers where a thickness comes without -detector_thicksteps")
        });
        self.add("layers of the sensor", sensor.layers.to_string(), because);
        let depth = format!("{} um", g(1e6 / sensor.mu_per_m));
        let because = self.flag(&["detector_abs"]).unwrap_or_else(|| {
            let file = self.job.detector_from();
            let file = file.filter(|file| file.gives_sensor());
            match (self.job.spec.detector.sensor.attenuation, sensor.material) {
                (Attenuation::NotGiven, Some(material)) => {
                    Because::rule(format!("that of {} at this wavelength", material.formula()))
                }
                (Attenuation::NotGiven, None) => {
                    Because::rule("the thickness, for want of -detector_abs")
                }
                _ => file.map_or(Because::rule("the experiment file"), |file| {
                    Because::Flag(file.flag)
                }),
            }
        });
        self.add("attenuation depth", depth, because);
    }

    pub(super) fn beam(&mut self) {
        let experiment = &self.job.resolved.experiment;
        let decisions = &self.job.resolved.decisions;
        let because = match self.job.spec.beam.wavelength {
            _ if decisions.spectrum.is_some() => Because::rule("the mean of -spectrum"),
            None if decisions.central_wavelength_m != decisions.wavelength_m => {
                Because::rule("the mean of -sourcefile, for want of -lambda")
            }
            _ => self.flag_or_header(&["lambda", "energy"], &["WAVELENGTH"]),
        };
        let wavelength = format!("{} A", g(decisions.central_wavelength_m * 1e10));
        self.add("wavelength", wavelength, because);
        let given = &self.args.beam;
        let because = if given.flux_per_s.is_some_and(|flux| flux != 0.0)
            && given.exposure_s.is_none_or(|exposure| exposure > 0.0)
            && given.size_mm.is_none_or(|size| size >= 0.0)
        {
            Because::rule("-flux times exposure over the square of the beam size")
        } else {
            match self.flag(&["fluence"]) {
                Some(flag) => flag,
                None => Because::rule("default: r_e^2 times it is 1"),
            }
        };
        let fluence = format!("{} photons/m^2", g(decisions.fluence.fluence_per_m2));
        self.add("fluence", fluence, because);
        let polarization = if experiment.polarization.off {
            "no correction".to_owned()
        } else {
            format!("factor {}", g(experiment.polarization.kahn_factor))
        };
        let because = self.flag_or_default(&["polar", "nopolar"]);
        self.add("polarization", polarization, because);
        if given.source_path.is_some() {
            let sources = experiment.sources.len().to_string();
            self.add("sources", sources, Because::Flag("sourcefile"));
            self.weights();
            return;
        }
        let (horizontal, vertical) = (
            decisions.divergence.horizontal(),
            decisions.divergence.vertical(),
        );
        let dispersion = decisions.dispersion.steps();
        let mrad = |range: f64| format!("{} mrad", g(range * 1000.0));
        for (setting, steps, range, flags) in [
            (
                "horizontal divergence",
                horizontal,
                mrad(horizontal.range),
                &[
                    "divergence",
                    "hdivrange",
                    "hdivstep",
                    "divsteps",
                    "hdivsteps",
                ][..],
            ),
            (
                "vertical divergence",
                vertical,
                mrad(vertical.range),
                &[
                    "divergence",
                    "vdivrange",
                    "vdivstep",
                    "divsteps",
                    "vdivsteps",
                ],
            ),
            (
                "dispersion",
                dispersion,
                format!("{} %", g(dispersion.range * 100.0)),
                &["dispersion", "dispsteps"],
            ),
        ] {
            let because = self.steps_because(flags);
            self.add(
                setting,
                format!("{range} in {}", in_steps(steps.count)),
                because,
            );
        }
        if let Some(spectrum) = &decisions.spectrum {
            let because = self.flag(&["spectrum"]);
            let because = because.unwrap_or(Because::Flag("experiment"));
            let steps = in_steps(u32::try_from(spectrum.lines.len()).unwrap_or(u32::MAX));
            let error = &spectrum.resampling;
            let text = format!(
                "standard deviation {} eV in {steps}, {} % outside, photons moved by {} eV",
                g(error.bandwidth_ev),
                g(error.outside * 100.0),
                g(error.moved_ev)
            );
            self.add("spectrum", text, because);
        }
        self.weights();
        let outline = self.flag_or_default(&["round_div", "square_div"]);
        let because = Because::rule(format!(
            "directions kept times wavelengths ({outline} outline)"
        ));
        self.add("sources", experiment.sources.len().to_string(), because);
    }

    /// The weights of the sources, if they differ.
    fn weights(&mut self) {
        if !self.job.resolved.experiment.sources.has_weights() {
            return;
        }
        let flags = [
            "weights",
            "spectrum",
            "divergence_profile",
            "dispersion_profile",
        ];
        let because = self.flag(&flags).unwrap_or(Because::Flag("experiment"));
        let text = "each over the mean of all".to_owned();
        self.add("weights of sources", text, because);
    }
}

use super::flag::{FlagSpec, Group, Takes};
use super::{Args, Range};
use nanobragg::{Angle, BeamStopSpec, HolderSpec, Length};

/// The beam stop, by the flags that describe it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BeamStopArgs {
    /// Diameter of the disc.
    pub diameter_mm: Option<f64>,
    /// Distance of the disc from the sample.
    pub distance_mm: Option<f64>,
    /// Width and direction of the arm.
    pub holder: Option<HolderSpec>,
    /// The part of the photons that passes the arm.
    pub holder_transmission: Option<f64>,
    /// Width of the edge of the shadow.
    pub penumbra_mm: Option<f64>,
    /// The part of the photons that passes.
    pub transmission: Option<f64>,
    /// Mask the pixels that are wholly in the shadow.
    pub mask: bool,
}

impl BeamStopArgs {
    /// `base` with the flags over it; `None` if there is no stop.
    pub(crate) fn over(&self, base: Option<BeamStopSpec>) -> Option<BeamStopSpec> {
        let base = base.or_else(|| {
            // Without a diameter there is an error about it.
            (*self != Self::default()).then(|| BeamStopSpec::new(Length::default()))
        });
        let mut spec = base?;
        let mm = |place: &mut Length, given: Option<f64>| {
            if let Some(mm) = given {
                *place = Length::from_mm(mm);
            }
        };
        mm(&mut spec.diameter, self.diameter_mm);
        mm(&mut spec.distance, self.distance_mm);
        spec.penumbra = self.penumbra_mm.map(Length::from_mm).or(spec.penumbra);
        spec.transmission = self.transmission.unwrap_or(spec.transmission);
        spec.holder = self.holder.or(spec.holder);
        if let (Some(holder), Some(transmission)) = (&mut spec.holder, self.holder_transmission) {
            holder.transmission = transmission;
        }
        spec.mask |= self.mask;
        Some(spec)
    }
}

/// The numbers of a word `a` or `a,b`.
fn numbers(word: &str) -> Option<(f64, Option<f64>)> {
    let mut parts = word.split(',').map(|part| part.parse::<f64>().ok());
    let first = parts.next()??;
    let second = match parts.next() {
        None => None,
        Some(second) => Some(second?),
    };
    let all = [Some(first), second].into_iter().flatten();
    (parts.next().is_none() && all.clone().all(|x| x.abs() <= Range::MOST))
        .then_some((first, second))
}

pub(super) static GROUP: Group = Group {
    heading: "Beam stop",
    flags: &[
        FlagSpec::new(
            "beamstop",
            Takes::Text(|args: &mut Args, word| {
                let found = numbers(word).filter(|(diameter, distance)| {
                    *diameter > 0.0 && distance.is_none_or(|distance| distance > 0.0)
                });
                let Some((diameter, distance)) = found else {
                    return Err("one or two numbers above 0 (mm), as 2 or 2,30".to_owned());
                };
                args.beam_stop.diameter_mm = Some(diameter);
                args.beam_stop.distance_mm = distance.or(args.beam_stop.distance_mm);
                Ok(())
            }),
        )
        .values("mm[,mm]")
        .help(
            "A disc of this diameter on the axis of the beam, at this distance from the sample (30 mm if not \
             given). It shades spots and background.",
        )
        .of(&["beam_stop"]),
        FlagSpec::new(
            "beamstop_holder",
            Takes::Text(|args: &mut Args, word| {
                let found = numbers(word).filter(|(width, _)| *width > 0.0);
                let Some((width, direction)) = found else {
                    return Err(
                        "a width above 0 (mm), and a direction (deg) after a comma".to_owned()
                    );
                };
                args.beam_stop.holder = Some(HolderSpec {
                    width: Length::from_mm(width),
                    direction: Angle::from_degrees(direction.unwrap_or(0.0)),
                    transmission: 0.0,
                });
                Ok(())
            }),
        )
        .values("mm[,deg]")
        .help(
            "An arm of this width from the disc outwards: at 0 deg along increasing fast pixels of the first \
             panel, at 90 deg along increasing slow pixels.",
        )
        .of(&["beam_stop.holder"]),
        FlagSpec::number("beamstop_penumbra", "mm", Range::ZeroOrMore, |args, v| {
            args.beam_stop.penumbra_mm = Some(v)
        })
        .default("the beam size as a pixel sees it")
        .help("Width of the edge of the shadow, in the plane of the stop.")
        .of(&["beam_stop.penumbra"]),
        FlagSpec::number("beamstop_transmission", "", Range::ZeroOrMore, |args, v| {
            args.beam_stop.transmission = Some(v)
        })
        .default("0")
        .help("Part of the photons that passes the disc, from 0 to 1.")
        .of(&["beam_stop.transmission"]),
        FlagSpec::number("beamstop_holder_transmission", "", Range::ZeroOrMore, |args, v| {
            args.beam_stop.holder_transmission = Some(v)
        })
        .default("0")
        .help("Part of the photons that passes the arm, from 0 to 1.")
        .of(&["beam_stop.holder.transmission"]),
        FlagSpec::switch("beamstop_mask", |args| args.beam_stop.mask = true)
            .help("Mask the pixels that are wholly in the shadow, as those of -mask."),
    ],
};

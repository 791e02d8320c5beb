//! The text of spectra with a name: `gaussian:0.2%`, `sase:30eV,0.4eV,7`.

use std::fmt;
use std::str::FromStr;

use super::{NamedSpectrum, Width};

/// The spectra with a name, as they are written.
const ALLOWED: &str = "the name of a file, gaussian:FWHM, sase:BANDWIDTH,SPIKE[,SEED], \
                       two-colour:SEPARATION,RATIO[,FWHM] or pink:undulator[,TAIL,EDGE], each width \
                       with its unit, as 30eV or 0.2%";

impl fmt::Display for Width {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ev(ev) => write!(f, "{ev}eV"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl FromStr for Width {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let of = |unit: &str| text.strip_suffix(unit)?.trim_end().parse::<f64>().ok();
        let width = of("eV")
            .map(Width::Ev)
            .or_else(|| of("%").map(Width::Percent));
        width
            .filter(|width| width.number() > 0.0 && width.number().is_finite())
            .ok_or_else(|| ALLOWED.to_owned())
    }
}

impl fmt::Display for NamedSpectrum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gaussian { fwhm } => write!(f, "gaussian:{fwhm}"),
            Self::Sase {
                bandwidth,
                spike,
                seed,
            } => write!(f, "sase:{bandwidth},{spike},{seed}"),
            Self::TwoColour {
                separation,
                ratio,
                fwhm,
            } => {
                write!(f, "two-colour:{separation},{ratio}")?;
                fwhm.map_or(Ok(()), |fwhm| write!(f, ",{fwhm}"))
            }
            Self::Undulator { tail, edge } => write!(f, "pink:undulator,{tail},{edge}"),
        }
    }
}

impl NamedSpectrum {
    /// Whether `text` begins with the name of a spectrum, so that it is not a file.
    pub fn is_named(text: &str) -> bool {
        let name = text.split(':').next().unwrap_or_default();
        text.contains(':')
            && ["gaussian", "sase", "two-colour", "two-color", "pink"].contains(&name)
    }
}

impl FromStr for NamedSpectrum {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = || ALLOWED.to_owned();
        let (name, values) = text.split_once(':').ok_or_else(allowed)?;
        let values: Vec<&str> = values.split(',').map(str::trim).collect();
        let width = |text: &str| text.parse::<Width>();
        Ok(match (name, values.as_slice()) {
            ("gaussian", [fwhm]) => Self::Gaussian { fwhm: width(fwhm)? },
            ("sase", [bandwidth, spike, seed @ ..]) => Self::Sase {
                bandwidth: width(bandwidth)?,
                spike: width(spike)?,
                seed: match seed {
                    [] => 1,
                    [seed] => seed.parse().map_err(|_| allowed())?,
                    _ => return Err(allowed()),
                },
            },
            ("two-colour" | "two-color", [separation, ratio, fwhm @ ..]) => {
                let ratio: f64 = ratio.parse().map_err(|_| allowed())?;
                if !(ratio >= 0.0 && ratio.is_finite()) {
                    return Err(allowed());
                }
                Self::TwoColour {
                    separation: width(separation)?,
                    ratio,
                    fwhm: match fwhm {
                        [] => None,
                        [fwhm] => Some(width(fwhm)?),
                        _ => return Err(allowed()),
                    },
                }
            }
            ("pink", ["undulator"]) => Self::UNDULATOR,
            ("pink", ["undulator", tail, edge]) => Self::Undulator {
                tail: width(tail)?,
                edge: width(edge)?,
            },
            _ => return Err(allowed()),
        })
    }
}

impl TryFrom<String> for NamedSpectrum {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let expected = |allowed| format!("{text:?} is no spectrum; expected {allowed}");
        text.parse().map_err(expected)
    }
}

impl From<NamedSpectrum> for String {
    fn from(named: NamedSpectrum) -> Self {
        named.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written() {
        for text in [
            "gaussian:12.5eV",
            "gaussian:0.1%",
            "sase:0.2%,0.5eV,-7",
            "two-colour:70eV,0.5",
            "two-colour:0.5%,2,3eV",
            "pink:undulator,3%,0.75%",
        ] {
            assert!(NamedSpectrum::is_named(text));
            assert_eq!(text.parse::<NamedSpectrum>().unwrap().to_string(), text);
        }
        let same = |short: &str, long: &str| {
            assert_eq!(
                short.parse::<NamedSpectrum>(),
                long.parse::<NamedSpectrum>()
            );
        };
        same("sase:30eV,0.5eV", "sase: 30 eV, 0.5 eV, 1");
        same("pink:undulator", "pink:undulator,2%,1%");
        same("two-color:1eV,1", "two-colour:1eV,1");
    }

    #[test]
    fn widths_need_their_unit_and_are_above_0() {
        for text in [
            "gaussian:10",
            "gaussian:0eV",
            "gaussian:-1%",
            "gaussian:nan%",
            "gaussian:infeV",
            "gaussian:1eV,2",
            "gaussian",
            "gauss:1eV",
            "sase:1eV",
            "sase:1eV,1eV,1.5",
            "sase:1eV,1eV,1,1",
            "two-colour:1eV",
            "two-colour:1eV,-1",
            "two-colour:1eV,inf",
            "pink:wiggler",
            "pink:undulator,1%",
        ] {
            let error = text.parse::<NamedSpectrum>().unwrap_err();
            assert!(error.contains("as 30eV or 0.2%"), "{text}: {error}");
        }
    }
}

//! From values to colours.

use colorous::Gradient;

use crate::error::{Error, Result};
use crate::picture::Picture;

/// The share of pixels below the automatic lower limit, and above the upper one.
const DARKEST: f64 = 0.01;
const BRIGHTEST: f64 = 0.001;

/// The decades of a logarithmic scale without limits.
const DECADES: f32 = 1e4;

/// How values are spread over the colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scale {
    /// In proportion to the logarithm.
    Log,
    /// In proportion to the square root of what is above the lower limit: noise is as wide everywhere.
    #[default]
    Sqrt,
    /// In proportion.
    Linear,
}

impl Scale {
    /// The names.
    pub const NAMES: [&'static str; 3] = ["log", "sqrt", "linear"];

    /// The scale with this name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "log" => Some(Self::Log),
            "sqrt" => Some(Self::Sqrt),
            "linear" => Some(Self::Linear),
            _ => None,
        }
    }
}

/// A colour map.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ColourMap {
    /// White to black, as films.
    #[default]
    Grey,
    /// Dark blue to yellow, even to the eye.
    Viridis,
    /// Black to yellow.
    Inferno,
    /// Blue to yellow, for eyes that do not see red and green apart.
    Cividis,
    /// White to dark blue.
    Blues,
}

impl ColourMap {
    /// The names.
    pub const NAMES: [&'static str; 5] = ["grey", "viridis", "inferno", "cividis", "blues"];

    /// The map with this name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "grey" => Some(Self::Grey),
            "viridis" => Some(Self::Viridis),
            "inferno" => Some(Self::Inferno),
            "cividis" => Some(Self::Cividis),
            "blues" => Some(Self::Blues),
            _ => None,
        }
    }

    fn gradient(self) -> Gradient {
        match self {
            Self::Grey => colorous::GREYS,
            Self::Viridis => colorous::VIRIDIS,
            Self::Inferno => colorous::INFERNO,
            Self::Cividis => colorous::CIVIDIS,
            Self::Blues => colorous::BLUES,
        }
    }

    /// Whether small values are dark.
    pub(crate) fn is_dark(self) -> bool {
        !matches!(self, Self::Grey | Self::Blues)
    }

    /// The colour of pixels without a measurement.
    fn blank(self) -> [u8; 3] {
        match self.is_dark() {
            true => [70, 70, 70],
            false => [200, 214, 224],
        }
    }
}

/// The colours of a picture.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Colours {
    /// How values are spread.
    pub scale: Scale,
    /// The colours.
    pub map: ColourMap,
    /// The values of the first and the last colour; automatic where there is none.
    pub limits: [Option<f32>; 2],
}

impl Colours {
    /// The colours with both limits: of what is not given, all but the darkest 1 % and the brightest 0.1 % of the
    /// pixels are in between, and three quarters of those above the median.
    ///
    /// # Errors
    /// [`Error::NothingMeasured`].
    pub fn for_values(&self, picture: &Picture) -> Result<Spread> {
        self.spread(picture.measured().collect(), picture)
    }

    /// The same for a part of the picture.
    pub(crate) fn spread(&self, mut values: Vec<f32>, picture: &Picture) -> Result<Spread> {
        if values.is_empty() {
            return Err(Error::NothingMeasured {
                path: picture.path.clone(),
            });
        }
        values.sort_unstable_by(f32::total_cmp);
        let last = values.len() - 1;
        let at = |share: f64| {
            let index = (last as f64 * share).round() as usize;
            values.get(index).copied().unwrap_or_default()
        };
        // Where fewer pixels than that have photons, three quarters of those that have are in between.
        let dim = values.partition_point(|&value| value <= at(0.5));
        let bright = (dim as f64 + 0.75 * (last.saturating_sub(dim)) as f64) / last.max(1) as f64;
        let mut top =
            self.limits[1].unwrap_or_else(|| at(1.0 - BRIGHTEST).max(at(bright.min(1.0))));
        let mut bottom = self.limits[0].unwrap_or_else(|| at(DARKEST));
        if self.scale == Scale::Log {
            // Half of the least, so that it has a colour of its own.
            let positive = values.iter().copied().find(|&value| value > 0.0);
            let least = (positive.unwrap_or(1.0) / 2.0).max(top / DECADES);
            if bottom <= 0.0 || self.limits[0].is_none() {
                bottom = bottom.max(least);
            }
        }
        if top <= bottom {
            top = bottom + bottom.abs().max(1.0);
        }
        Ok(Spread {
            scale: self.scale,
            map: self.map,
            limits: [bottom, top],
        })
    }
}

/// Colours whose limits are known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    scale: Scale,
    map: ColourMap,
    /// The values of the first and the last colour.
    pub limits: [f32; 2],
}

impl Spread {
    /// Where a value is between the first (0) and the last colour (1).
    pub fn share(&self, value: f32) -> f64 {
        let [bottom, top] = self.limits.map(f64::from);
        let value = f64::from(value).clamp(bottom, top);
        match self.scale {
            Scale::Linear => (value - bottom) / (top - bottom),
            Scale::Sqrt => ((value - bottom) / (top - bottom)).sqrt(),
            Scale::Log => (value / bottom).ln() / (top / bottom).ln(),
        }
    }

    /// The value at a share; the reverse of [`share`](Self::share).
    pub fn value(&self, share: f64) -> f64 {
        let [bottom, top] = self.limits.map(f64::from);
        match self.scale {
            Scale::Linear => bottom + share * (top - bottom),
            Scale::Sqrt => bottom + share * share * (top - bottom),
            Scale::Log => bottom * (top / bottom).powf(share),
        }
    }

    /// The colour at a share.
    pub fn colour(&self, share: f64) -> [u8; 3] {
        self.map.gradient().eval_continuous(share).as_array()
    }

    /// Red, green, blue of a value; NaN has the colour of pixels without a measurement.
    pub fn rgb(&self, value: f32) -> [u8; 3] {
        match value.is_nan() {
            true => self.map.blank(),
            false => self.colour(self.share(value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scales_are_those_of_their_formulas() {
        for (scale, middle) in [
            (Scale::Linear, 50.5),
            (Scale::Sqrt, 25.75),
            (Scale::Log, 10.0),
        ] {
            let spread = Spread {
                scale,
                map: ColourMap::Grey,
                limits: [1.0, 100.0],
            };
            assert!((spread.share(middle) - 0.5).abs() < 1e-7, "{scale:?}");
            assert!((spread.value(0.5) - f64::from(middle)).abs() < 1e-5);
            assert_eq!(spread.share(-3.0), 0.0);
            assert_eq!(spread.rgb(1e9), [0, 0, 0]);
            assert_eq!(spread.rgb(1.0), [255, 255, 255]);
        }
    }

    #[test]
    fn every_name_has_its_map_and_its_scale() {
        assert!(
            ColourMap::NAMES
                .iter()
                .all(|name| ColourMap::named(name).is_some())
        );
        assert!(Scale::NAMES.iter().all(|name| Scale::named(name).is_some()));
        assert_eq!(ColourMap::named("jet"), None);
    }
}

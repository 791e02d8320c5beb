//! A decision for a run, and its reason.

use std::fmt;

use nanobragg::HeaderKind;
use serde_json::{Value, json};

use crate::args::Args;
use crate::resolve::Job;

/// One decision.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decision {
    /// The setting.
    pub(crate) setting: &'static str,
    /// The value with its unit.
    pub(crate) value: String,
    /// The reason.
    pub(crate) because: Because,
}

/// The reason of a decision.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Because {
    /// A flag.
    Flag(&'static str),
    /// This key in the header of an image or a mask.
    Header(&'static str, HeaderKind),
    /// Neither flag nor header: the default.
    Default,
    /// A rule that derives the value from other settings.
    Rule(String),
}

impl Because {
    /// The rule in `words`.
    pub(crate) fn rule(words: impl Into<String>) -> Self {
        Self::Rule(words.into())
    }

    /// The last of `flags` on the command line, if one is given.
    pub(crate) fn flag(args: &Args, flags: &[&str]) -> Option<Self> {
        let mut given = args.given.iter().rev();
        given
            .find(|given| flags.contains(given))
            .map(|flag| Self::Flag(flag))
    }

    /// The source of one of `keys`, if there is one. A file of another program wins over an image, and an
    /// image over a mask.
    pub(crate) fn header(job: &Job, keys: &[&str]) -> Option<Self> {
        if let Some((_, flag)) = job.file_keys().rfind(|(key, _)| keys.contains(key)) {
            return Some(Self::Rule(format!("the file of -{flag}")));
        }
        let mut given = job.header_keys.iter().rev();
        given
            .find(|(key, _)| keys.contains(key))
            .map(|&(key, kind)| Self::Header(key, kind))
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Flag(_) => "flag",
            Self::Header(..) => "header",
            Self::Default => "default",
            Self::Rule(_) => "rule",
        }
    }
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "-{flag}"),
            Self::Header(key, HeaderKind::Image) => write!(f, "{key} in the header of -img"),
            Self::Header(key, HeaderKind::Mask) => write!(f, "{key} in the header of -mask"),
            Self::Default => f.write_str("default"),
            Self::Rule(rule) => f.write_str(rule),
        }
    }
}

impl Decision {
    /// The decision as JSON.
    pub(crate) fn json(&self) -> Value {
        json!({
            "setting": self.setting,
            "value": self.value,
            "by": self.because.kind(),
            "because": self.because.to_string(),
        })
    }
}

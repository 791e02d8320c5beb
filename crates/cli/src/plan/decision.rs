//! What was decided for a run, and why.

use std::fmt;

use nanobragg::HeaderKind;
use serde_json::{Value, json};

use crate::args::Args;
use crate::resolve::Job;

/// One decision.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decision {
    /// What it is about.
    pub(crate) setting: &'static str,
    /// What holds, with its unit.
    pub(crate) value: String,
    /// Why.
    pub(crate) because: Because,
}

/// Why something was decided as it was.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Because {
    /// A flag says so.
    Flag(&'static str),
    /// The header of an image or a mask says so, by this key.
    Header(&'static str, HeaderKind),
    /// Nothing was said.
    Default,
    /// It follows from something else.
    Rule(String),
}

impl Because {
    /// The rule in these words.
    pub(crate) fn rule(words: impl Into<String>) -> Self {
        Self::Rule(words.into())
    }

    /// The last of `flags` on the command line, if one is there.
    pub(crate) fn flag(args: &Args, flags: &[&str]) -> Option<Self> {
        let mut given = args.given.iter().rev();
        given
            .find(|given| flags.contains(given))
            .map(|flag| Self::Flag(flag))
    }

    /// The header that gave one of `keys`, if one did; an image's comes after a mask's, and a file of
    /// another program after both.
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
    /// The decision for programs.
    pub(crate) fn json(&self) -> Value {
        json!({
            "setting": self.setting,
            "value": self.value,
            "by": self.because.kind(),
            "because": self.because.to_string(),
        })
    }
}

//! GPUs: what `-device` means, and `nanoBragg devices`.

use std::ffi::OsString;

use nanobragg::physics::{Device, DeviceFault, Tables, Terms};

use crate::args::{Args, DeviceWord};
use crate::outcome::RunError;
use crate::subcommand::{Command, Tool, ToolError, command_of};

/// The device that sums the terms; `None` for this processor.
///
/// # Errors
/// [`RunError::NoDevice`] if a GPU is asked for by a number that none has.
pub(crate) fn device(args: &Args) -> Result<Option<&'static dyn Device>, RunError> {
    let word = args.running.device;
    match open(word) {
        Ok(device) => Ok(device),
        Err(_) if word == DeviceWord::Auto => Ok(None),
        Err((fault, _)) if word == DeviceWord::Gpu => Ok(Some(match fault {
            DeviceFault::NotBuilt => &Missing(DeviceFault::NotBuilt),
            _ => &Missing(DeviceFault::Absent),
        })),
        Err((_, reason)) => Err(RunError::NoDevice { reason }),
    }
}

/// Stands for a GPU that is not there, so that a run says why this processor renders the image.
#[derive(Debug)]
struct Missing(DeviceFault);

impl Device for Missing {
    fn name(&self, _: &Tables<'_>) -> &'static str {
        "gpu"
    }

    fn supports(&self, _: &Tables<'_>) -> Result<(), DeviceFault> {
        Err(self.0)
    }

    fn prepare<'t>(&'t self, _: Tables<'t>) -> Result<Box<dyn Terms + 't>, DeviceFault> {
        Err(self.0)
    }
}

/// Opens a GPU, or tells why it cannot.
#[cfg(feature = "gpu")]
fn open(word: DeviceWord) -> Result<Option<&'static dyn Device>, (DeviceFault, String)> {
    use nanobragg_gpu::{Choice, shared};
    let choice = match word {
        DeviceWord::Cpu => return Ok(None),
        DeviceWord::Auto => Choice::Real,
        DeviceWord::Gpu => Choice::First,
        DeviceWord::Number(number) => Choice::Number(number),
    };
    match shared(choice) {
        Ok(gpu) => Ok(Some(gpu)),
        Err(error) => Err((DeviceFault::Absent, error.to_string())),
    }
}

#[cfg(not(feature = "gpu"))]
fn open(word: DeviceWord) -> Result<Option<&'static dyn Device>, (DeviceFault, String)> {
    let fault = DeviceFault::NotBuilt;
    match word {
        DeviceWord::Cpu => Ok(None),
        _ => Err((fault, fault.to_string())),
    }
}

/// Carries out the words after `nanoBragg devices`; returns the text for the user.
///
/// # Errors
/// [`ToolError`] for wrong words.
pub fn from_words(words: &[OsString]) -> Result<String, ToolError> {
    Ok(match command_of(&TOOL, words)? {
        Command::Run(()) => list(),
        Command::Show(text) => text,
    })
}

#[cfg(feature = "gpu")]
fn list() -> String {
    use std::fmt::Write;
    let found = nanobragg_gpu::adapters();
    if found.is_empty() {
        return format!("{}\n", DeviceFault::Absent);
    }
    let mut text = String::new();
    for (number, adapter) in found.iter().enumerate() {
        let precision = match adapter.has_double {
            true => "double precision and fixed point",
            false => "fixed point",
        };
        let _ = writeln!(text, "gpu:{number}  {adapter}: {precision}");
    }
    text
}

#[cfg(not(feature = "gpu"))]
fn list() -> String {
    format!("{}\n", DeviceFault::NotBuilt)
}

pub(crate) static TOOL: Tool<()> = Tool {
    name: "devices",
    about: "Lists the GPUs of this machine, for -device.",
    usage: &["nanoBragg devices"],
    places: &[],
    flags: &[],
    examples: &["nanoBragg devices"],
    notes: "docs/GPU.md tells more.",
    many: &[],
    required: &[],
    needs: &[],
    excludes: &[],
};

//! The words after `nanoBragg view`.

use std::ffi::{OsStr, OsString};

use nanobragg::io::input::keep;

use crate::args::flag::{Flag, Takes};
use crate::shell::{self, Offer, Page};
use crate::subcommand::{Command, Place, Tool, ToolError, number};

/// The words of `view` itself, for the help; all others are those of an image.
static TOOL: Tool<ViewRequest> = Tool {
    name: "view",
    about: "Shows an experiment live in a browser: turn the crystal, move the sliders, and the image follows.",
    usage: &["nanoBragg view [EXPERIMENT.toml] [FLAGS]"],
    places: &[Place {
        name: "EXPERIMENT.toml",
        synopsis: "[EXPERIMENT.toml]",
        is_rest: false,
        set: |request, word| request.words.push(word.to_string_lossy().into_owned()),
        help: "An experiment file; the page reloads when it changes. Without a file and without flags lysozyme is shown",
    }],
    flags: &[
        Flag::switch("no_open", |request: &mut ViewRequest| {
            request.no_open = true
        })
        .help("Do not open a browser; the address is printed in any case"),
        Flag::new(
            "port",
            Takes::Text(|request: &mut ViewRequest, word| {
                let whole = number(word).ok().filter(|port| port.fract() == 0.0);
                let port = whole.filter(|port| (0.0..=65535.0).contains(port));
                request.port = port.ok_or("a port is a whole number, 0 to 65535")? as u16;
                Ok(())
            }),
        )
        .values("PORT")
        .default("any that is free")
        .help("The port on this machine"),
    ],
    examples: &["nanoBragg view", "nanoBragg view first.toml -mosaic 0.3"],
    notes: "\
All other flags are those of an image, as of nanoBragg itself. The page is for this machine only: it
is at 127.0.0.1 under an address with a random word, and needs nothing from elsewhere. Ctrl-C ends
it. docs/VIEW.md tells more.",
    many: &[],
    required: &[],
    needs: &[],
    excludes: &[],
};

/// The page of the command, with the flags of an image.
pub(crate) fn page() -> Page {
    let mut page = TOOL.page(Offer::Files);
    page.groups.extend(shell::image().groups);
    page
}

/// The structure factors of the example, which the program holds.
const LYSOZYME: (&str, &[u8]) = ("lysozyme.mtz", include_bytes!("../../page/lysozyme.mtz"));

/// What to show, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ViewRequest {
    /// The words of the image.
    pub words: Vec<String>,
    /// Whether the example is shown, because there are no words.
    pub is_example: bool,
    /// Whether no browser is opened.
    pub no_open: bool,
    /// The port; 0 for any.
    pub port: u16,
}

impl ViewRequest {
    /// Parses the words after `view`.
    ///
    /// # Errors
    /// [`ToolError::Usage`]: a word that is not UTF-8, a wrong port.
    pub fn from_words(words: &[OsString]) -> Result<Command<Self>, ToolError> {
        let usage = |fault: String| ToolError::Usage {
            tool: "view",
            fault,
        };
        let mut request = Self::default();
        let mut words = words.iter().map(OsString::as_os_str);
        let text = |word: &OsStr| match word.to_str() {
            Some(word) => Ok(word.to_owned()),
            None => Err(usage(format!("'{}' is not UTF-8", word.to_string_lossy()))),
        };
        while let Some(word) = words.next() {
            let word = text(word)?;
            let name = word.strip_prefix("--").or(word.strip_prefix('-'));
            let own = name.and_then(|name| TOOL.flags.iter().find(|flag| flag.name == name));
            if let Some(flag) = own {
                let values = words.by_ref().take(*flag.count().end());
                let values: Vec<OsString> = values.map(OsStr::to_owned).collect();
                TOOL.take(flag, &values, &mut request).map_err(usage)?;
                continue;
            }
            match name {
                Some("help" | "h") => return Ok(Command::Show(TOOL.help())),
                None if request.words.is_empty() => {
                    request.words.extend(["-experiment".to_owned(), word])
                }
                _ => request.words.push(word),
            }
        }
        request.is_example = request.words.is_empty();
        if request.is_example {
            let (name, bytes) = LYSOZYME;
            keep(name, bytes.to_vec());
        }
        Ok(Command::Run(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(words: &[&str]) -> Result<ViewRequest, String> {
        let words: Vec<_> = words.iter().map(OsString::from).collect();
        match ViewRequest::from_words(&words) {
            Ok(Command::Run(request)) => Ok(request),
            Ok(Command::Show(_)) => Err("help".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn only_the_first_word_is_an_experiment_and_the_own_flags_are_taken_out() {
        let found = request(&["--no_open", "a.toml", "-N", "5", "-port", "8000"]).unwrap();
        assert_eq!(found.words, ["-experiment", "a.toml", "-N", "5"]);
        assert_eq!(
            (found.no_open, found.port, found.is_example),
            (true, 8000, false)
        );
        assert_eq!(request(&["-N", "5"]).unwrap().words, ["-N", "5"]);
        assert!(request(&["-no_open"]).unwrap().is_example);
        let fault = request(&["-port", "70000"]).unwrap_err();
        assert_eq!(
            fault,
            "view: invalid value '70000' for '--port <PORT>': a port is a whole number, 0 to 65535; \
             nanoBragg view -help tells more"
        );
    }
}

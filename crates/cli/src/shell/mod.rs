//! `nanoBragg completions` and `nanoBragg man`: completions of command lines and the manual, from the tables of flags.

mod bash;
mod fish;
mod man;
mod page;
mod zsh;

use std::ffi::OsString;

#[cfg(feature = "view")]
pub(crate) use page::image;
pub(crate) use page::{Entry, Offer, Page};

use crate::subcommand::{Command, Place, Tool, ToolError, command_of};
use crate::{
    add, companions, compare, convert, detectors, devices, help, materials, new, orient, refine,
    verify,
};

const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

/// Carries out the words after `nanoBragg completions`; returns the script.
///
/// # Errors
/// [`ToolError`] for wrong words.
pub fn completions_from_words(words: &[OsString]) -> Result<String, ToolError> {
    let words = match command_of(&COMPLETIONS, words)? {
        Command::Run(words) => words,
        Command::Show(text) => return Ok(text),
    };
    match words.shell.to_string_lossy().as_ref() {
        "bash" => Ok(bash::script(&pages())),
        "zsh" => Ok(zsh::script(&pages())),
        "fish" => Ok(fish::script(&pages())),
        shell => Err(ToolError::Usage {
            tool: COMPLETIONS.name,
            fault: format!("there are none for {shell}; SHELL is {}", SHELLS.join(", ")),
        }),
    }
}

/// Carries out the words after `nanoBragg man`; returns the page.
///
/// # Errors
/// [`ToolError`] for wrong words.
pub fn man_from_words(words: &[OsString]) -> Result<String, ToolError> {
    match command_of(&MAN, words)? {
        Command::Run(()) => {
            let mut pages = pages();
            for page in pages.iter_mut().filter(|page| page.name == "view") {
                // The flags of an image stand above.
                page.groups.truncate(1);
            }
            Ok(man::page(&pages))
        }
        Command::Show(text) => Ok(text),
    }
}

/// All commands: an image, then the subcommands in the order of the help.
pub(crate) fn pages() -> Vec<Page> {
    let mut pages = vec![
        page::image(),
        new::TOOL.page(Offer::Files),
        compare::TOOL.page(Offer::Files),
        refine::TOOL.page(Offer::Files),
    ];
    #[cfg(feature = "view")]
    pages.push(crate::view::page());
    #[cfg(feature = "plot")]
    pages.push(crate::plot::TOOL.page(Offer::Files));
    pages.extend([
        convert::TOOL.page(Offer::Files),
        materials::TOOL.page(Offer::materials()),
        orient::TOOL.page(Offer::Files),
        detectors::TOOL.page(Offer::detectors()),
        devices::TOOL.page(Offer::Nothing),
        add::TOOL.page(Offer::Files),
        verify::TOOL.page(Offer::Files),
    ]);
    pages.extend(companions::pages());
    pages.push(COMPLETIONS.page(Offer::Words(SHELLS.to_vec())));
    pages.push(MAN.page(Offer::Nothing));
    pages.push(help::page());
    pages
}

/// The names of the subcommands.
pub fn names_of_commands() -> impl Iterator<Item = &'static str> {
    let names = pages().into_iter().map(|page| page.name);
    names.filter(|name| !name.is_empty())
}

/// The text up to the end of its first sentence, for a list.
pub(crate) fn first_sentence(text: &str) -> &str {
    let text = text.lines().next().unwrap_or_default();
    let end = text
        .find(". ")
        .or_else(|| text.find(" ["))
        .unwrap_or(text.len());
    text.get(..end).unwrap_or(text).trim_end_matches('.')
}

/// A word of a shell.
pub(crate) fn single_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[derive(Default)]
struct CompletionWords {
    shell: OsString,
}

static COMPLETIONS: Tool<CompletionWords> = Tool {
    name: "completions",
    about: "Writes completions for a shell: subcommands, flags, their words and files.",
    usage: &["nanoBragg completions SHELL"],
    places: &[Place {
        name: "SHELL",
        synopsis: "<SHELL>",
        is_rest: false,
        set: |words, shell| words.shell = shell,
        help: "bash, zsh or fish",
    }],
    flags: &[],
    examples: &["nanoBragg completions bash"],
    notes: "docs/INSTALL.md tells where the shells look for them.",
    many: &[],
    required: &[&["SHELL"]],
    needs: &[],
    excludes: &[],
};

static MAN: Tool<()> = Tool {
    name: "man",
    about: "Writes the manual page.",
    usage: &["nanoBragg man"],
    places: &[],
    flags: &[],
    examples: &["nanoBragg man"],
    notes: "nanoBragg man | man -l - shows it.",
    many: &[],
    required: &[],
    needs: &[],
    excludes: &[],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_ends_at_its_point_or_at_the_notes() {
        assert_eq!(first_sentence("Edge of a pixel. More."), "Edge of a pixel");
        assert_eq!(first_sentence("Whole cells [default 1]"), "Whole cells");
        assert_eq!(
            first_sentence("Relative to 1e-6 of it."),
            "Relative to 1e-6 of it"
        );
    }
}

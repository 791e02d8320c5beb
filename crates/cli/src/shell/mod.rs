//! `nanoBragg completions` and `nanoBragg man`: completions of command lines and the manual, from the tables of flags.

mod bash;
mod fish;
mod man;
mod page;
mod zsh;

use std::ffi::OsString;

pub(crate) use page::{Entry, Offer, Page};

use crate::subcommand::{Command, Place, Tool, ToolError, command_of};
use crate::{add, companions, compare, convert, detectors, devices, materials, orient, refine};

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
fn pages() -> Vec<Page> {
    let mut pages = vec![
        page::image(),
        compare::TOOL.page(Offer::Files),
        refine::TOOL.page(Offer::Files),
        page::view(),
        #[cfg(feature = "plot")]
        crate::plot::TOOL.page(Offer::Files),
        convert::TOOL.page(Offer::Files),
        materials::TOOL.page(Offer::materials()),
        orient::TOOL.page(Offer::Files),
        detectors::TOOL.page(Offer::detectors()),
        devices::TOOL.page(Offer::Nothing),
        add::TOOL.page(Offer::Files),
    ];
    pages.extend(companions::pages());
    pages.push(COMPLETIONS.page(Offer::Words(SHELLS.to_vec())));
    pages.push(MAN.page(Offer::Nothing));
    pages
}

/// The text up to the end of its first sentence, for a list.
fn first_sentence(text: &str) -> &str {
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
    about: "Writes the completions of a shell: subcommands, flags, their words and files.",
    usage: &["nanoBragg completions SHELL"],
    places: &[Place {
        name: "SHELL",
        synopsis: "<SHELL>",
        is_rest: false,
        set: |words, shell| words.shell = shell,
        help: "bash, zsh or fish",
    }],
    flags: &[],
    notes: "docs/INSTALL.md tells where the shells look for them.",
    many: &[],
    required: &[&["SHELL"]],
    needs: &[],
    excludes: &[],
};

static MAN: Tool<()> = Tool {
    name: "man",
    about: "Writes the manual page: nanoBragg man | man -l -",
    usage: &["nanoBragg man"],
    places: &[],
    flags: &[],
    notes: "",
    many: &[],
    required: &[],
    needs: &[],
    excludes: &[],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::help;

    #[test]
    fn every_subcommand_of_the_help_has_a_page() {
        let help = help::text();
        let usages = help
            .lines()
            .filter_map(|line| line.trim().strip_prefix("nanoBragg "));
        let mut of_help: Vec<&str> = usages
            .filter_map(|usage| usage.split(' ').next())
            .filter(|word| word.starts_with(char::is_alphabetic))
            .collect();
        of_help.dedup();
        // The last line shows one of them again.
        assert_eq!(of_help.pop(), Some("compare"));
        let pages = pages();
        let mut of_pages: Vec<&str> = pages.iter().map(|page| page.name).collect();
        assert_eq!(of_pages.remove(0), "");
        of_help.sort_unstable();
        of_pages.sort_unstable();
        assert_eq!(of_help, of_pages);
    }

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

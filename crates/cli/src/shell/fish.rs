//! Completions for fish.

use std::fmt::Write as _;

use super::bash::names;
use super::page::{Entry, Offer, Page};
use super::{first_sentence, single_quoted};

/// The script, which a shell sources.
pub(super) fn script(pages: &[Page]) -> String {
    let commands = names(pages).collect::<Vec<_>>().join(" ");
    let mut out = format!(
        "# Completions of nanoBragg for fish.\n\
         # Whether the command line is of this subcommand.\n\
         function __nanoBragg_is\n    \
             set -l words (commandline -opc)\n    \
             set -l name ''\n    \
             contains -- \"$words[2]\" {commands}; and set name $words[2]\n    \
             test \"$name\" = \"$argv[1]\"\n\
         end\n\
         complete -c nanoBragg -f\n"
    );
    for page in pages {
        if !page.name.is_empty() {
            let _ = writeln!(
                out,
                "complete -c nanoBragg -n __fish_is_first_token -a {} -d {}",
                page.name,
                single_quoted(first_sentence(&page.about))
            );
        }
        let condition = format!(
            "complete -c nanoBragg -n \"__nanoBragg_is '{}'\"",
            page.name
        );
        if let Some(place) = page.places.first() {
            let words = match &place.offer {
                Offer::Files => " -F".to_owned(),
                offer => offered(offer),
            };
            let _ = writeln!(out, "{condition}{words}");
        }
        for flag in page.flags() {
            let _ = writeln!(
                out,
                "{condition}{}{} -d {}",
                names_of(flag, page.has_two_dashes),
                match flag.most {
                    0 => String::new(),
                    _ => offered(&flag.offer),
                },
                single_quoted(first_sentence(&flag.help))
            );
        }
    }
    out
}

fn names_of(flag: &Entry, has_two_dashes: bool) -> String {
    let mut out = String::new();
    for name in flag.names.iter().filter_map(|name| name.strip_prefix('-')) {
        let _ = match name.len() {
            1 => write!(out, " -s {name}"),
            _ => write!(out, " -o {name}"),
        };
        if has_two_dashes && name.len() > 1 {
            let _ = write!(out, " -l {name}");
        }
    }
    out
}

fn offered(offer: &Offer) -> String {
    match offer {
        Offer::Nothing => " -x".to_owned(),
        Offer::Files => " -r -F".to_owned(),
        Offer::Words(list) => format!(" -x -a '{}'", list.join(" ")),
        Offer::List(list) => format!(
            " -x -a '(__fish_complete_list , \"printf %s\\\\\\\\n {}\")'",
            list.join(" ")
        ),
    }
}

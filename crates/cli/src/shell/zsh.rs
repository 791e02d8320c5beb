//! Completions for zsh.

use std::fmt::Write as _;

use super::page::{Entry, Offer, Page};
use super::{first_sentence, single_quoted};

/// The script, for a file `_nanoBragg` in a folder of `fpath`, or to be sourced.
pub(super) fn script(pages: &[Page]) -> String {
    let mut out = String::from(
        "#compdef nanoBragg\n\
         # Completions of nanoBragg for zsh.\n\
         _nanoBragg() {\n    \
             local command=$words[2]\n    \
             local -a commands\n    \
             commands=(\n",
    );
    for page in pages.iter().filter(|page| !page.name.is_empty()) {
        let about = first_sentence(&page.about);
        let _ = writeln!(
            out,
            "        {}",
            single_quoted(&format!("{}:{about}", page.name))
        );
    }
    out.push_str(
        "    )\n    \
             if ((CURRENT == 2)) && [[ $PREFIX != -* ]]; then\n        \
                 _describe -t commands subcommand commands\n        \
                 return\n    \
             fi\n    \
             # Behind -- are the flags of an image.\n    \
             local -i dashes=${words[(I)--]}\n    \
             if ((dashes && dashes < CURRENT)); then\n        \
                 command=\n        \
                 words=(nanoBragg \"${words[@]:$dashes}\")\n        \
                 ((CURRENT -= dashes - 1))\n    \
             fi\n    \
             case $command in\n",
    );
    let (images, tools): (Vec<&Page>, Vec<&Page>) =
        pages.iter().partition(|page| page.name.is_empty());
    for page in tools.into_iter().chain(images) {
        let pattern = if page.name.is_empty() { "*" } else { page.name };
        let _ = writeln!(out, "        {pattern})");
        if !page.name.is_empty() {
            out.push_str("            shift words\n            ((CURRENT--))\n");
        }
        out.push_str("            _arguments");
        for flag in page.flags() {
            let help = first_sentence(&flag.help)
                .replace('[', "\\[")
                .replace(']', "\\]");
            let values = values(flag);
            for name in &flag.names {
                let spec = single_quoted(&format!("*{name}[{help}]{values}"));
                let _ = write!(out, " \\\n                {spec}");
            }
        }
        if let Some(place) = page.places.first() {
            let _ = write!(out, " \\\n                '*: :{}'", action(&place.offer));
        }
        out.push_str("\n            ;;\n");
    }
    out.push_str(
        "    esac\n}\n\
         if [[ $funcstack[1] == _nanoBragg ]]; then\n    _nanoBragg \"$@\"\n\
         else\n    compdef _nanoBragg nanoBragg\nfi\n",
    );
    out
}

/// The values of a flag for `_arguments`; those behind the first are optional where their number is not fixed.
fn values(flag: &Entry) -> String {
    let label = flag.values.replace([':', '\\'], " ");
    (0..flag.most)
        .map(|place| {
            let colons = if place == 0 { ":" } else { "::" };
            format!("{colons}{label}:{}", action(&flag.offer))
        })
        .collect()
}

fn action(offer: &Offer) -> String {
    match offer {
        Offer::Nothing => " ".to_owned(),
        Offer::Files => "_files".to_owned(),
        Offer::Words(words) => format!("({})", words.join(" ")),
        Offer::List(words) => format!("_values -s , word {}", words.join(" ")),
    }
}

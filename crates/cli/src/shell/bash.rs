//! Completions for bash, from version 3.2 on, which macOS has.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::page::{Entry, Offer, Page};

const HEAD: &str = r#"_nanoBragg() {
    local cur=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} flag= offer= flags= places=
    local at=0 most=0 i list head=
    COMPREPLY=()
    # Bash takes --flag=value for three words.
    [[ $cur == = ]] && cur=
    # The flag before the word, and which of its values the word is. Numbers are no flags.
    for ((i = COMP_CWORD - 1; i > 0; i--)); do
        [[ ${COMP_WORDS[i]} == = ]] && continue
        at=$((at + 1))
        if [[ ${COMP_WORDS[i]} == -?* && ! ${COMP_WORDS[i]} =~ ^-[0-9.]+(e-?[0-9]+)?$ ]]; then
            flag=${COMP_WORDS[i]/#--/-}
            break
        fi
    done
"#;

const TAIL: &str = r#"    if [[ $cur != -* ]] && ((at <= most)) && [[ -n $flag ]]; then
        list=$offer
    elif [[ $cur == --* && $command != noisify && $command != nonbragg ]]; then
        list=${flags// -/ --}
    elif [[ $cur == -* ]]; then
        list=$flags
    elif ((COMP_CWORD == 1)); then
        list=$commands
    else
        list=$places
    fi
    if [[ $list == files ]]; then
        compopt -o filenames 2>/dev/null
        list=$(compgen -f -- "$cur")
    else
        # Of words with commas the last is completed.
        if [[ $list == list:* ]]; then
            list=${list#list:}
            [[ $cur == *,* ]] && head=${cur%,*},
        fi
        list=$(compgen -P "$head" -W "$list" -- "${cur#"$head"}")
    fi
    while IFS= read -r i; do
        [[ -n $i ]] && COMPREPLY+=("$i")
    done <<<"$list"
}
complete -F _nanoBragg nanoBragg
"#;

/// The script, which a shell sources.
pub(super) fn script(pages: &[Page]) -> String {
    let names: Vec<&str> = names(pages).collect();
    let mut out = format!("# Completions of nanoBragg for bash.\n{HEAD}");
    let commands = names.join(" ");
    let _ = writeln!(out, "    local commands=\"{commands}\"");
    let _ = writeln!(
        out,
        "    case $command in {}) ;; *) command= ;; esac",
        names.join("|")
    );
    out.push_str("    # The flags of an image follow.\n");
    out.push_str("    for ((i = 1; i < COMP_CWORD; i++)); do\n");
    out.push_str("        [[ ${COMP_WORDS[i]} == -- ]] && command=\n    done\n");
    out.push_str("    case $command in\n");
    for page in pages {
        // The leading blank lets every dash be doubled.
        let flags: Vec<&str> = page.flags().flat_map(names_of).collect();
        let places = page.places.first().map(|place| offered(&place.offer));
        let _ = writeln!(
            out,
            "        '{}') flags=\" {}\" places=\"{}\" ;;",
            page.name,
            flags.join(" "),
            places.unwrap_or_default()
        );
    }
    out.push_str("    esac\n    case $command:$flag in\n");
    for page in pages {
        let mut alike: BTreeMap<(usize, &Offer), Vec<&str>> = BTreeMap::new();
        for flag in page.flags().filter(|flag| flag.most > 0) {
            let names = alike.entry((flag.most, &flag.offer)).or_default();
            names.extend(names_of(flag));
        }
        for ((most, offer), names) in alike {
            let _ = writeln!(
                out,
                "        {}) most={most} offer=\"{}\" ;;",
                names
                    .iter()
                    .map(|name| format!("{}:{name}", page.name))
                    .collect::<Vec<_>>()
                    .join("|"),
                offered(offer)
            );
        }
    }
    out.push_str("    esac\n");
    out.push_str(TAIL);
    out
}

/// The names of the subcommands.
pub(super) fn names(pages: &[Page]) -> impl Iterator<Item = &'static str> {
    pages
        .iter()
        .map(|page| page.name)
        .filter(|name| !name.is_empty())
}

fn names_of(flag: &Entry) -> impl Iterator<Item = &str> {
    flag.names.iter().map(String::as_str)
}

fn offered(offer: &Offer) -> String {
    match offer {
        Offer::Nothing => String::new(),
        Offer::Files => "files".to_owned(),
        Offer::Words(words) => words.join(" "),
        Offer::List(words) => format!("list:{}", words.join(" ")),
    }
}

//! Completions and the manual in the shells themselves. Where a shell is not installed, its test says so and passes;
//! `.ci/run` installs all of them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests"
)]

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use nanobragg_cli::{args, shell};

/// The files that are completed.
const FILES: [&str; 2] = ["lysozyme.hkl", "lysozyme.mtz"];

/// A folder with the files, and a script in `script`.
fn folder(script: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in FILES {
        fs::write(folder.path().join(file), "").unwrap();
    }
    fs::write(folder.path().join("script"), script).unwrap();
    folder
}

fn completions(shell: &str) -> String {
    shell::completions_from_words(&[OsString::from(shell)]).unwrap()
}

fn manual() -> String {
    shell::man_from_words(&[]).unwrap()
}

/// Standard output and standard error of a program; `None` if it is not installed.
fn run(program: &str, words: &[&str], folder: &Path) -> Option<(String, String)> {
    let mut command = Command::new(program);
    let command = command
        .args(words)
        .current_dir(folder)
        .env("LC_ALL", "C.UTF-8");
    let output = match command.output() {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            eprintln!("{program} is not installed");
            return None;
        }
        Err(error) => panic!("{program}: {error}"),
    };
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Some((text(output.stdout), text(output.stderr)))
}

/// What a user has typed, as the words of bash, and what some shell offers; the last word is completed.
const TYPED: [(&str, &str); 17] = [
    ("mat", "materials"),
    ("-pngsc", "-pngscale"),
    ("--pngsc", "--pngscale"),
    ("-pngscale ", "log sqrt"),
    ("-cell 1 -2 3 -misset_", "-misset_seed"),
    ("-distance ", ""),
    ("-hkl lys", "lysozyme.hkl lysozyme.mtz"),
    ("-plan ", "json text"),
    ("-fix wat", "water"),
    ("-detector pilatus6", "pilatus6m"),
    ("materials ice", "ice-Ic ice-Ih"),
    ("hkl lysozyme.m", "lysozyme.mtz"),
    ("refine -likelihood ", "gaussian poisson"),
    ("noisify -psf ", "fiber gauss"),
    ("completions ", "bash fish zsh"),
    ("help noi", "noise"),
    ("new -detector pilatus6", "pilatus6m"),
];

fn sorted(words: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    let mut words: Vec<String> = words.into_iter().map(Into::into).collect();
    words.sort();
    words.dedup();
    words
}

/// What bash offers for the last of the words.
fn of_bash(words: &str) -> Option<Vec<String>> {
    let folder = folder(&completions("bash"));
    let words = words.split(' ').map(|word| format!("'{word}'"));
    let words = words.collect::<Vec<_>>().join(" ");
    let line = format!(
        "source ./script; COMP_WORDS=(nanoBragg {words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
         _nanoBragg; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    );
    let (offered, errors) = run("bash", &["--norc", "-c", &line], folder.path())?;
    assert_eq!(errors, "", "{words}");
    Some(sorted(offered.lines().filter(|line| !line.is_empty())))
}

#[test]
fn bash_offers_subcommands_flags_words_and_files() {
    let bash_only = [
        ("--pngscale = s", "sqrt"),
        ("-diff a.json lysozyme.m", "lysozyme.mtz"),
        ("-fix water,cur", "water,curved"),
        ("refine -target a.img -- -hkl_", "-hkl_at"),
        ("-plan -Na", "-Na -Nabc"),
        ("noisify --ps", ""),
        ("noisify -lambda ", ""),
        ("orient -mat lysozyme.m", "lysozyme.mtz"),
    ];
    for (words, expected) in TYPED.into_iter().chain(bash_only) {
        let Some(offered) = of_bash(words) else {
            return;
        };
        assert_eq!(offered.join(" "), expected, "{words}");
    }
}

#[test]
fn bash_offers_every_flag_and_alias() {
    let names = args::flags().flat_map(|flag| flag.names());
    let expected = sorted(names.map(|name| format!("-{name}")));
    let Some(offered) = of_bash("-") else { return };
    assert_eq!(offered, expected);
}

#[test]
fn fish_offers_subcommands_flags_words_and_files() {
    for (words, expected) in TYPED {
        let folder = folder(&completions("fish"));
        let line = format!("source ./script; complete -C 'nanoBragg {words}'");
        let Some((offered, errors)) = run("fish", &["--no-config", "-c", &line], folder.path())
        else {
            return;
        };
        assert_eq!(errors, "", "{words}");
        let words_alone = offered.lines().map(|line| line.split('\t').next().unwrap());
        let offered = sorted(words_alone);
        // fish also takes words in whose middle it finds the typed letters.
        for word in expected.split_whitespace() {
            assert!(offered.iter().any(|o| o == word), "{words}: {offered:?}");
        }
        if expected.is_empty() {
            assert!(offered.is_empty(), "{words}: {offered:?}");
        }
    }
}

/// The functions of zsh's completion system print what they are given, so that no terminal is needed.
const ZSH: &str =
    "compdef() {}; _describe() { print -l -- ${(P)4} }; _arguments() { print -l -- $words - $@ }";

#[test]
fn zsh_is_told_of_subcommands_flags_words_and_files() {
    let cases = [
        (
            "mat",
            "materials:Lists the materials of -background, or writes the scattering of one",
        ),
        (
            "-pngsc",
            "*-pngscale[How intensities become grey in that picture]:log|sqrt:(log sqrt)",
        ),
        ("-h", "*-hkl[Structure factors:"),
        ("refine -l", ":<KIND>:(poisson gaussian)"),
        ("refine -target a -- -h", "*-hkl_at["),
        ("materials i", "*: :(air argon"),
        ("-diff a ", "::<file> <file>:_files"),
    ];
    for (words, expected) in cases {
        let folder = folder(&completions("zsh"));
        let (before, last) = words.rsplit_once(' ').unwrap_or(("", words));
        let line = format!(
            "{ZSH}; source ./script; words=(nanoBragg {before} '{last}'); CURRENT=$#words; PREFIX='{last}'; _nanoBragg"
        );
        let Some((told, errors)) = run("zsh", &["-f", "-c", &line], folder.path()) else {
            return;
        };
        assert_eq!(errors, "", "{words}");
        assert!(told.contains(expected), "{words}: {told}");
    }
}

#[test]
fn the_manual_renders_without_warnings_and_has_every_flag() {
    let folder = folder(&manual());
    let words = ["--warnings", "-E", "UTF-8", "-l", "-P", "cat", "script"];
    let Some((page, warnings)) = run("man", &words, folder.path()) else {
        return;
    };
    assert_eq!(warnings, "");
    let page: Vec<&str> = page.split([' ', ',', '\n']).collect();
    for name in args::flags().flat_map(|flag| flag.names()) {
        let name = format!("-{name}");
        assert!(page.contains(&name.as_str()), "{name}");
    }
    for section in [
        "NAME",
        "SYNOPSIS",
        "SUBCOMMANDS",
        "STATUS",
        "noisify",
        "130",
    ] {
        assert!(page.contains(&section), "{section}");
    }
}

#[test]
fn an_unknown_shell_is_refused_with_those_that_there_are() {
    let error = shell::completions_from_words(&["tcsh".into()]).unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("tcsh") && error.contains("bash, zsh, fish"),
        "{error}"
    );
}

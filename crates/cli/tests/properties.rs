//! What holds for any command line.

use std::ffi::OsString;

use nanobragg_cli::args::{self, flag::FlagSpec};
use nanobragg_cli::{Args, Invocation};
use proptest::prelude::*;
use proptest::sample::select;

fn known_names() -> Vec<&'static str> {
    args::flags().flat_map(FlagSpec::names).collect()
}

/// A word such as could stand on a command line: a flag, a number, or noise.
fn word() -> impl Strategy<Value = OsString> {
    prop_oneof![
        6 => (select(vec!["-", "--"]), select(known_names())).prop_map(|(d, n)| format!("{d}{n}")),
        1 => select(known_names()).prop_map(|name| format!("--{name}=1")),
        6 => any::<f64>().prop_map(|v| v.to_string()),
        3 => (-5_i32..100).prop_map(|n| n.to_string()),
        2 => select(vec!["", "-", "--", "---", "-=", "--=", "=", "random", "inf", "-.5", "beam"])
            .prop_map(str::to_owned),
        2 => "-?-?[a-zA-Z_=]{0,8}",
        1 => any::<String>(),
    ]
    .prop_map(OsString::from)
}

#[cfg(unix)]
fn any_word() -> impl Strategy<Value = OsString> {
    use std::os::unix::ffi::OsStringExt;
    prop_oneof![
        9 => word(),
        1 => any::<Vec<u8>>().prop_map(OsString::from_vec),
    ]
}

#[cfg(not(unix))]
use word as any_word;

/// What the words ask for; `None` for an error or a call for help.
fn understood(words: &[String]) -> Option<Args> {
    match Invocation::from_words(words) {
        Ok(Invocation::Run(args)) => Some(*args),
        _ => None,
    }
}

proptest! {
    #[test]
    fn no_command_line_panics(words in prop::collection::vec(any_word(), 0..12)) {
        if let Err(error) = Invocation::from_words(words) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn one_dash_and_two_are_the_same(
        numbers in prop::collection::vec(-1e6..1e6, 3),
        flags in prop::collection::vec(
            select(vec!["distance", "Xbeam", "ORGX", "xtalsize", "beam_vector", "misset", "xds"]),
            1..6,
        ),
    ) {
        let line = |dashes: &str| -> Vec<String> {
            flags
                .iter()
                .flat_map(|name| {
                    let count = args::find(name).map_or(0, |spec| *spec.count().end());
                    let values = numbers.iter().take(count).map(f64::to_string);
                    std::iter::once(format!("{dashes}{name}")).chain(values).collect::<Vec<_>>()
                })
                .collect()
        };
        let one_dash = understood(&line("-"));
        prop_assert!(one_dash.is_some());
        prop_assert_eq!(one_dash, understood(&line("--")));
    }

    #[test]
    fn the_last_of_one_flag_wins(values in prop::collection::vec(-1e6..1e6, 1..6)) {
        let words: Vec<String> =
            values.iter().flat_map(|v: &f64| ["-distance".to_owned(), v.to_string()]).collect();
        let distance_mm = understood(&words).and_then(|args| args.detector.distance_mm);
        prop_assert_eq!(distance_mm, values.last().copied());
    }
}

//! Bad input: the program renders the right image, or ends with an error that names the cause and changes
//! no file. Every case is one line of a table with its accepted result.
//!
//! A run has 4 GiB of address space and 30 seconds.

#![cfg(unix)]
#![forbid(unsafe_code)]

mod case;
mod flag_values;
mod flags;
mod input_files;
mod inputs;
mod interrupted;
mod outputs;

#[test]
fn the_tables_hold_250_cases() {
    let count = input_files::CASES.len() + flags::CASES.len() + outputs::CASES.len();
    assert!(count >= 250, "{count}");
}

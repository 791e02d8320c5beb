//! What the program makes of bad input: the right image, or a refusal that names the culprit and
//! touches no file. Every case is one line of a table, with what it accepts.
//!
//! Runs are held to 4 GiB of address space and half a minute.

#![cfg(unix)]
#![forbid(unsafe_code)]

mod case;
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

//! nanoBragg for a page in a browser: the answers of [`nanobragg_cli::view`] as a WebAssembly module without imports.
//!
//! A worker of the page has a module of its own, and renders one band of rows. It puts bytes into the memory of the
//! module ([`room`]), calls [`keep`] or [`ask`], and reads the answer ([`json()`], [`photons`]). Lengths are in bytes.

// Exported names are `unsafe` attributes, because two functions of one name could be linked. There is no other `unsafe`: the
// page writes into memory that the module has reserved.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::panic;

use nanobragg::Cancel;
use nanobragg::io::input;
use nanobragg_cli::view::{Answer, View};
use serde_json::json;

/// Nobody stops a picture: a worker renders a band in some milliseconds.
static STOP: Cancel = Cancel::new();

#[derive(Default)]
struct Module {
    view: View,
    /// What the page has written.
    given: Vec<u8>,
    /// The answer as JSON.
    json: String,
    photons: Vec<f32>,
}

thread_local! {
    static MODULE: RefCell<Module> = RefCell::default();
    /// The message of a panic, which the page reads when the module has trapped.
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

fn with<T>(work: impl FnOnce(&mut Module) -> T) -> T {
    MODULE.with_borrow_mut(work)
}

/// Reserves memory for what the page gives, and returns where it begins.
#[unsafe(no_mangle)]
pub extern "C" fn room(length: usize) -> *mut u8 {
    with(|module| {
        module.given = vec![0; length];
        module.given.as_mut_ptr()
    })
}

/// Keeps a file: the first `name_length` bytes given are its name, the others its content.
#[unsafe(no_mangle)]
pub extern "C" fn keep(name_length: usize) {
    with(|module| {
        let given = std::mem::take(&mut module.given);
        if let Some((name, bytes)) = given.split_at_checked(name_length) {
            input::keep(&*String::from_utf8_lossy(name), bytes.to_vec());
        }
        module.view.forget();
    });
}

/// Takes the sums of a kernel, 32-bit floats, for the next question.
#[unsafe(no_mangle)]
pub extern "C" fn sums() {
    with(|module| {
        let words = module.given.chunks_exact(4);
        let sums = words.map(|word| word.try_into().map_or(0.0, f32::from_le_bytes));
        module.view.sums(sums.collect());
    });
}

/// Answers the question given, as JSON. An error is the answer `{"error": "..."}`.
#[unsafe(no_mangle)]
pub extern "C" fn ask() {
    panic::set_hook(Box::new(|info| {
        PANIC.with_borrow_mut(|text| *text = info.to_string());
    }));
    with(|module| {
        let question = serde_json::from_slice(&module.given).map_err(|error| error.to_string());
        let answer = question.and_then(|question| module.view.answer(&question, &STOP));
        let Answer { json, photons } = answer.unwrap_or_else(|error| Answer {
            json: json!({ "error": error }),
            photons: Vec::new(),
        });
        module.json = json.to_string();
        module.photons = photons;
    });
}

/// Where the answer begins.
#[unsafe(no_mangle)]
pub extern "C" fn json() -> *const u8 {
    with(|module| module.json.as_ptr())
}

/// The length of the answer.
#[unsafe(no_mangle)]
pub extern "C" fn json_length() -> usize {
    with(|module| module.json.len())
}

/// Where the photons of a picture begin, 32-bit floats.
#[unsafe(no_mangle)]
pub extern "C" fn photons() -> *const f32 {
    with(|module| module.photons.as_ptr())
}

/// The length of the photons, in bytes.
#[unsafe(no_mangle)]
pub extern "C" fn photons_length() -> usize {
    with(|module| size_of_val(module.photons.as_slice()))
}

/// Where the message of a panic begins.
#[unsafe(no_mangle)]
pub extern "C" fn panic_text() -> *const u8 {
    PANIC.with_borrow(|text| text.as_ptr())
}

/// The length of the message of a panic.
#[unsafe(no_mangle)]
pub extern "C" fn panic_length() -> usize {
    PANIC.with_borrow(String::len)
}

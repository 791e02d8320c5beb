//! `nanoBragg hkl`: a file of reflections in another format, expanded or merged on the way, or worked
//! out from atoms.
//!
//! ```text
//! words -> Request -> ReflectionList -(expanded or merged)-> text, MTZ, mmCIF or dump
//! ```

mod carry_out;
mod request;

pub use carry_out::from_words;

//! `nanoBragg orient`: a MOSFLM matrix of a cell in a given or a random orientation.
//!
//! ```text
//! words -> Request -> Crystal -> A = wavelength x (a*, b*, c*), and MOSFLM's U, cell, angles
//! ```

mod carry_out;
mod matrix;
mod request;

pub use carry_out::from_words;

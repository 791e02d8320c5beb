//! What `--fix NAME` makes of each oddity of the C program, held against derivations made here.
//!
//! A test shows both sides: what the C program does, by its own rule or by a golden image, and what is
//! right. Of the code under test the derivations use where points of the detector lie and the cell of
//! the crystal, and where it is these that are put right, not even that.

mod book;
mod corrections;
mod detector;
mod headers;
mod laboratory;
mod lattice;
mod spots;
mod whole;

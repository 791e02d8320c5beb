//! The effect of `-fix NAME` on each oddity of the C program, compared with independent derivations.
//!
//! A test shows both sides: the C program's result, from its own rule or a golden image, and the right
//! result. From the code under test the derivations use only the positions of detector points and the
//! cell of the crystal, and not even these if the fix changes them.

mod book;
mod corrections;
mod detector;
mod headers;
mod laboratory;
mod lattice;
mod spots;
mod whole;

//! Why there is no figure.

use std::path::PathBuf;

use thiserror::Error;

/// The result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no figure.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A file that is not read or written.
    #[error(transparent)]
    Io(#[from] nanobragg::io::Error),
    /// A file that is not read.
    #[error(transparent)]
    Read(#[from] nanobragg::io::input::ReadError),
    /// An error of the library.
    #[error(transparent)]
    Library(#[from] nanobragg::Error),
    /// Raw floats without their shape.
    #[error("{path}: raw floats do not tell their sides; give them, or the geometry", path = .path.display())]
    NoSides {
        /// The file.
        path: PathBuf,
    },
    /// Something that needs the geometry of a file that does not tell it.
    #[error("{path}: {what} need the geometry, which its header does not tell; give it", path = .path.display())]
    NoGeometry {
        /// The file.
        path: PathBuf,
        /// What needs it.
        what: &'static str,
    },
    /// A geometry of another detector.
    #[error(
        "{path}: has {} x {} pixels, and the detector of the geometry {} x {}", image[0], image[1], detector[0], detector[1],
        path = .path.display()
    )]
    OtherSize {
        /// The image.
        path: PathBuf,
        /// Its pixels along fast and slow.
        image: [usize; 2],
        /// Those of the detector, its panels one below the other.
        detector: [usize; 2],
    },
    /// A file of geometry without one of its parts.
    #[error("{path}: tells no {what}", path = .path.display())]
    Lacks {
        /// The file.
        path: PathBuf,
        /// The part.
        what: &'static str,
    },
    /// A line of a truth table that is none.
    #[error("{path}:{line}: {fault}", path = .path.display())]
    Table {
        /// The table.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong.
        fault: String,
    },
    /// A truth table of another image.
    #[error("{table}: is no table of {image}: {fault}", table = .table.display(), image = .image.display())]
    OtherImage {
        /// The table.
        table: PathBuf,
        /// The image.
        image: PathBuf,
        /// What does not fit.
        fault: String,
    },
    /// A reflection that is not in a table.
    #[error("{table}: has no reflection {} {} {}", hkl[0], hkl[1], hkl[2], table = .table.display())]
    NoReflection {
        /// The table.
        table: PathBuf,
        /// The indices.
        hkl: [i32; 3],
    },
    /// A part of an image that is outside of it.
    #[error("{path}: the part at fast {} slow {} is outside of its {} x {} pixels", at[0], at[1], sides[0], sides[1], path = .path.display())]
    Outside {
        /// The image.
        path: PathBuf,
        /// The middle of the part in pixels.
        at: [f64; 2],
        /// The pixels of the picture.
        sides: [usize; 2],
    },
    /// An image whose pixels are all masked.
    #[error("{path}: no pixel is a measurement", path = .path.display())]
    NothingMeasured {
        /// The image.
        path: PathBuf,
    },
    /// An image whose header does not tell its spindle angle.
    #[error("{path}: its header tells no spindle angle, which a rocking curve needs", path = .path.display())]
    NoPhi {
        /// The image.
        path: PathBuf,
    },
    /// The figure cannot be drawn.
    #[error("the figure cannot be drawn: {0}")]
    Draw(String),
}

impl Error {
    /// The fault of a crate that draws.
    pub(crate) fn draw(fault: impl std::fmt::Display) -> Self {
        Self::Draw(fault.to_string())
    }
}

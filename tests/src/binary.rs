//! Runs the program in a temporary folder.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::SystemTime;

use tempfile::TempDir;

use crate::cases;

/// A temporary folder in which the program runs. The folder is deleted at the end.
#[derive(Debug)]
pub struct Scene {
    folder: TempDir,
}

/// A finished run.
#[derive(Debug)]
pub struct Finished {
    /// The exit status; `None` if a signal ended the run.
    pub status: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Scene {
    /// An empty folder.
    ///
    /// # Panics
    /// When the folder cannot be made.
    pub fn empty() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
        }
    }

    /// A folder with the input files of the golden cases.
    pub fn with_inputs() -> Self {
        Self::with_copies_of(&cases::inputs())
    }

    /// A folder with copies of the files of `folder`.
    ///
    /// # Panics
    /// When a file cannot be copied.
    pub fn with_copies_of(folder: &Path) -> Self {
        let scene = Self::empty();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, scene.path(path.file_name().unwrap())).unwrap();
        }
        scene
    }

    /// The path of a file in the folder.
    pub fn path(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.folder.path().join(name.as_ref())
    }

    /// The contents of a file in the folder.
    ///
    /// # Panics
    /// When the file cannot be read.
    pub fn read(&self, name: &str) -> Vec<u8> {
        let path = self.path(name);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Writes a file in the folder.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        fs::write(self.path(name), contents).unwrap();
    }

    /// The names of all files in the folder, sorted.
    ///
    /// # Panics
    /// When the folder cannot be read.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
        let mut names: Vec<String> = entries
            .map(|entry| name(entry).to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// Runs the program in the folder and waits for its end.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn run<W: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = W>) -> Finished {
        let output = self.command(words).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Finished {
            status: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Runs the program with the words of a line, separated by blanks.
    pub fn run_line(&self, line: &str) -> Finished {
        self.run(line.split_whitespace())
    }

    /// The program with these words, not yet started. Its output is captured.
    pub fn command<W: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = W>) -> Command {
        let mut command = Command::new(program());
        command
            .args(words)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

impl Finished {
    /// The run, which must have succeeded.
    ///
    /// # Panics
    /// When the run failed.
    pub fn well(self) -> Self {
        assert_eq!(self.status, Some(0), "{}", self.stderr);
        self
    }

    /// Checks that the run was refused with one line that contains `part`.
    ///
    /// # Panics
    /// When it was not.
    pub fn refused(&self, part: &str) {
        let told = self.stderr.trim_end();
        assert_ne!(self.status, Some(0), "{part}: {told}");
        assert!(
            told.contains(part) && !told.contains('\n'),
            "{part}: {told}"
        );
    }

    /// The rest of the line of standard output that begins with `start`, apart from leading blanks.
    ///
    /// # Panics
    /// When there is no such line.
    pub fn line(&self, start: &str) -> &str {
        let mut lines = self.stdout.lines().map(str::trim_start);
        let found = lines.find_map(|line| line.strip_prefix(start));
        found.unwrap_or_else(|| panic!("no line begins with {start:?} in\n{}", self.stdout))
    }
}

/// The program, built with the profile of this test.
///
/// Cargo gives the path of a binary only to tests of the same package. So the program is taken from the
/// folder of the test, and is built if it is missing or older than its source.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let name = format!("nanoBragg{}", std::env::consts::EXE_SUFFIX);
        let program = profile_folder().join(name);
        if !is_current(&program) {
            build();
        }
        assert!(program.exists(), "{} was not built", program.display());
        program
    })
}

/// The folder for pictures of failed comparisons: cargo's folder for files of tests.
pub fn leftovers_folder() -> PathBuf {
    let target = profile_folder().parent().map(Path::to_path_buf);
    target.unwrap_or_default().join("tmp")
}

/// `target/release` or a similar folder; the test is in its subfolder `deps`.
fn profile_folder() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().to_path_buf()
}

fn build() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args([
            "build",
            "--quiet",
            "--package",
            "nanobragg-cli",
            // Only for its features, as in `./test`: dependencies are compiled once.
            "--package",
            "nanobragg-python",
            "--bin",
            "nanoBragg",
        ])
        .arg("--target-dir")
        .arg(profile_folder().parent().unwrap())
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    if profile_folder().ends_with("release") {
        command.arg("--release");
    }
    assert!(
        command.status().unwrap().success(),
        "the program cannot be built"
    );
}

/// Whether the program exists and is newer than all sources.
fn is_current(program: &Path) -> bool {
    let Ok(built) = program.metadata().and_then(|metadata| metadata.modified()) else {
        return false;
    };
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    youngest_source(&crates).is_none_or(|changed| changed <= built)
}

/// The last change of a `.rs` file in or below `folder`, except tests.
fn youngest_source(folder: &Path) -> Option<SystemTime> {
    let entries = fs::read_dir(folder).ok()?;
    entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            if path.is_dir() {
                return (!path.ends_with("tests")).then(|| youngest_source(&path))?;
            }
            let is_source = path.extension().is_some_and(|extension| extension == "rs");
            is_source.then(|| path.metadata().ok()?.modified().ok())?
        })
        .max()
}

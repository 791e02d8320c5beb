//! One case: a command line, and the accepted results.

use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use nanobragg_tests::binary::{Scene, program};

use crate::inputs;

/// The words before those of every case. The flags of the case win.
pub(crate) const BASE: &str = "-cell 50 60 70 -default_F 10 -detpixels 8 -distance 100 -N 3 -seed 1 \
                        -threads 1 -noprogress";

/// The default outputs of a run.
pub(crate) const OUTPUTS: [&str; 4] = [
    "floatimage.bin",
    "image.pgm",
    "intimage.img",
    "noiseimage.img",
];

/// The contents of the outputs before a run, which show whether a run has changed them.
pub(crate) const OLD: &[u8] = b"an image of last week";

/// The address space of a run in KiB: 4 GiB.
const ADDRESS_SPACE_KIB: u32 = 4 << 20;

/// The largest time of a run. No run of the cases has much to do.
const PATIENCE: Duration = Duration::from_secs(30);

/// The accepted result.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Accept {
    /// An error whose message contains this text, with all outputs unchanged.
    No(&'static str),
    /// The image of this command line.
    As(&'static str),
    /// The image of this command line, and a warning that contains this text.
    Warn(&'static str, &'static str),
}

/// A command line and its accepted result. A line that begins with `!` is used without [`BASE`].
pub(crate) type Case = (&'static str, Accept);

/// A run that ended or was killed.
pub(crate) struct Ended {
    /// The exit status; `None` after a signal.
    pub(crate) status: Option<i32>,
    /// Standard error.
    pub(crate) stderr: String,
}

/// Runs all cases, and lists the failed ones.
pub(crate) fn check_all(cases: &[Case]) {
    let next = Mutex::new(cases.iter());
    let failures = Mutex::new(Vec::new());
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let Some(case) = next.lock().unwrap().next() else {
                        break;
                    };
                    if let Err(fault) = check(*case) {
                        failures
                            .lock()
                            .unwrap()
                            .push(format!("{}\n    {fault}", case.0));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(
        failures.is_empty(),
        "{} of {} cases failed:\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n")
    );
}

fn check((line, accept): Case) -> Result<(), String> {
    let scene = furnished();
    for name in OUTPUTS {
        scene.write(name, OLD);
    }
    let before = contents(&scene);
    let ended = run_line(&scene, line)?;
    if ended.stderr.contains("panicked") {
        return Err(format!("panicked: {}", ended.stderr));
    }
    match accept {
        Accept::No(culprit) => {
            if !matches!(ended.status, Some(1 | 2)) {
                return Err(format!("status {:?}: {}", ended.status, ended.stderr));
            }
            let message = ended
                .stderr
                .lines()
                .find_map(|line| line.strip_prefix("nanoBragg: error: "))
                .ok_or_else(|| format!("no message: {}", ended.stderr))?;
            if !message.contains(culprit) {
                return Err(format!("{culprit:?} is not in: {message}"));
            }
            if contents(&scene) != before {
                return Err(format!("files were touched: {:?}", scene.names()));
            }
        }
        Accept::As(other) | Accept::Warn(_, other) => {
            if ended.status != Some(0) {
                return Err(format!("status {:?}: {}", ended.status, ended.stderr));
            }
            if let Accept::Warn(warning, _) = accept
                && !ended.stderr.contains(warning)
            {
                return Err(format!("{warning:?} is not in: {}", ended.stderr));
            }
            if fs::read(scene.path("floatimage.bin")).ok() != Some(image_of(other)?) {
                return Err(format!("not the image of {other:?}"));
            }
            for name in OUTPUTS {
                if fs::read(scene.path(name)).is_ok_and(|bytes| bytes == OLD) {
                    return Err(format!("{name} was not written"));
                }
            }
            if let Some(part) = scene.names().iter().find(|name| name.contains(".part")) {
                return Err(format!("{part} was left"));
            }
        }
    }
    Ok(())
}

/// The float image of a valid command line.
fn image_of(line: &'static str) -> Result<Vec<u8>, String> {
    static IMAGES: OnceLock<Mutex<HashMap<&str, Vec<u8>>>> = OnceLock::new();
    let images = IMAGES.get_or_init(Mutex::default);
    if let Some(image) = images.lock().unwrap().get(line) {
        return Ok(image.clone());
    }
    let scene = furnished();
    let ended = run_line(&scene, line)?;
    if ended.status != Some(0) {
        return Err(format!("the model {line:?} failed: {}", ended.stderr));
    }
    let image = scene.read("floatimage.bin");
    let is_finite = |pixel: &[u8; 4]| f32::from_ne_bytes(*pixel).is_finite();
    if image.is_empty() || !image.as_chunks().0.iter().all(is_finite) {
        return Err(format!("the model {line:?} is no image"));
    }
    images.lock().unwrap().insert(line, image.clone());
    Ok(image)
}

/// A folder for a run, with a link `in` to the input files.
pub(crate) fn furnished() -> Scene {
    static INPUTS: OnceLock<Scene> = OnceLock::new();
    let inputs = INPUTS.get_or_init(|| {
        let scene = Scene::with_inputs();
        inputs::write_all(&scene);
        scene
    });
    let scene = Scene::empty();
    symlink(inputs.path(""), scene.path("in")).unwrap();
    scene
}

/// All files of a folder with their contents.
pub(crate) fn contents(scene: &Scene) -> Vec<(String, Vec<u8>)> {
    let names = scene.names().into_iter();
    names
        .map(|name| {
            let bytes = fs::read(scene.path(&name)).unwrap_or_default();
            (name, bytes)
        })
        .collect()
}

/// Runs the program with [`BASE`] and the words of a line, separated by blanks.
pub(crate) fn run_line(scene: &Scene, line: &str) -> Result<Ended, String> {
    let words: Vec<&str> = match line.strip_prefix('!') {
        Some(line) => line.split_whitespace().collect(),
        None => BASE
            .split_whitespace()
            .chain(line.split_whitespace())
            .collect(),
    };
    let mut command = limited();
    command.args(words).current_dir(scene.path(""));
    run(&mut command)
}

/// The program with an address space of 4 GiB; the caller adds the words.
pub(crate) fn limited() -> Command {
    let mut command = Command::new("sh");
    let script = format!("ulimit -v {ADDRESS_SPACE_KIB} 2>/dev/null; exec \"$0\" \"$@\"");
    command.arg("-c").arg(script).arg(program());
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// Runs a command, and kills it after [`PATIENCE`].
pub(crate) fn run(command: &mut Command) -> Result<Ended, String> {
    let folder = Scene::empty();
    let log = folder.path("stderr");
    let mut child = command
        .stderr(File::create(&log).unwrap())
        .spawn()
        .map_err(|error| error.to_string())?;
    let status = end_of(&mut child, PATIENCE)?;
    Ok(Ended {
        status,
        stderr: text(&log),
    })
}

/// Waits for the end of a process; kills it and fails after `patience`.
pub(crate) fn end_of(child: &mut Child, patience: Duration) -> Result<Option<i32>, String> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return Ok(status.code());
        }
        if started.elapsed() > patience {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("did not end within {patience:?}"));
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn text(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

//! Files of HDF5 that others wrote, and the files that they link to.

use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use hdf5_reader::error::Error as Hdf5Error;
use hdf5_reader::group::Group;
use hdf5_reader::{ExternalLinkResolver, FileStorage, FilterRegistry, Hdf5File, OpenOptions};

use super::bitshuffle;
use crate::{Error, Result};

/// The most memory that an image or a chunk may take, in bytes.
const MOST_BYTES: usize = 1 << 30;

/// An open file.
pub(crate) struct Reader {
    file: Hdf5File,
    missing: Arc<Mutex<Vec<String>>>,
}

impl Reader {
    /// Opens a file. Only the parts that are asked for are read. A link leads to a file in its folder or below.
    ///
    /// # Errors
    /// [`Error::Hdf5`] if the file cannot be read or is not HDF5.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let links = Links::of_file(path);
        let missing = Arc::clone(&links.missing);
        let storage = FileStorage::open(path)?;
        let file = Hdf5File::from_storage_with_options(Arc::new(storage), options(links))?;
        Ok(Self { file, missing })
    }

    /// The file with these bytes. Its links lead nowhere.
    ///
    /// # Errors
    /// [`Error::Hdf5`] if it is not HDF5.
    pub(crate) fn of_bytes(bytes: Vec<u8>) -> Result<Self> {
        let links = Links::default();
        let missing = Arc::clone(&links.missing);
        let file = Hdf5File::from_vec_with_options(bytes, options(links))?;
        Ok(Self { file, missing })
    }

    /// The root of the file.
    pub(crate) fn root(&self) -> Result<Group> {
        Ok(self.file.root_group()?)
    }

    /// The files that links led to so far and that are not there.
    pub(crate) fn missing_files(&self) -> Vec<String> {
        let missing = self.missing.lock();
        missing.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What is there, or `None` if it is missing; other errors are returned.
pub(crate) fn if_there<T>(found: hdf5_reader::error::Result<T>) -> Result<Option<T>> {
    fn is_absence(error: &Hdf5Error) -> bool {
        match error {
            Hdf5Error::Context { source, .. } => is_absence(source),
            Hdf5Error::GroupNotFound(_)
            | Hdf5Error::DatasetNotFound(_)
            | Hdf5Error::AttributeNotFound(_) => true,
            _ => false,
        }
    }
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if is_absence(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The names of the groups in a group, in order. The library cannot list a group that holds a virtual dataset; of such
/// a group these are `usual` and the names that number it, such as `module_0000`.
pub(crate) fn group_names(group: &Group, usual: &str) -> Result<Vec<String>> {
    fn is_of_layout(error: &Hdf5Error) -> bool {
        match error {
            Hdf5Error::Context { source, .. } => is_of_layout(source),
            error => matches!(error, Hdf5Error::UnsupportedLayoutClass(_)),
        }
    }
    match group.member_names() {
        Ok((mut groups, _)) => {
            groups.sort();
            Ok(groups)
        }
        Err(error) if is_of_layout(&error) => {
            let mut names = vec![usual.to_owned()];
            let numberings: [&dyn Fn(u32) -> String; 3] = [
                &|number| format!("{usual}_{number:04}"),
                &|number| format!("{usual}_{number}"),
                &|number| format!("{usual}{number}"),
            ];
            for name in numberings {
                // The first number is 0 or 1.
                let first = u32::from(if_there(group.group(&name(0)))?.is_none());
                for name in (first..).map(name) {
                    if if_there(group.group(&name))?.is_none() {
                        break;
                    }
                    names.push(name);
                }
            }
            Ok(names)
        }
        Err(error) => Err(error.into()),
    }
}

fn options(links: Links) -> OpenOptions {
    let mut filters = FilterRegistry::new();
    filters.register(
        bitshuffle::FILTER,
        Box::new(|filter, chunk, element_bytes| {
            bitshuffle::decode(&filter.client_data, chunk, element_bytes)
                .map_err(|fault| Hdf5Error::FilterError(fault.to_owned()))
        }),
    );
    OpenOptions::default()
        .with_filter_registry(filters)
        .with_max_chunk_bytes(MOST_BYTES)
        .with_max_read_bytes(MOST_BYTES)
        .with_external_link_resolver(Arc::new(links))
}

/// Finds the files that a file links to.
#[derive(Clone, Default)]
struct Links {
    /// Where they may be.
    folders: Vec<PathBuf>,
    /// Those that are not there.
    missing: Arc<Mutex<Vec<String>>>,
}

impl Links {
    /// The folder of the file, and if it is a symbolic link, also that of the file itself.
    fn of_file(path: &Path) -> Self {
        let folder = |path: &Path| path.parent().map(Path::to_path_buf);
        let mut folders: Vec<_> = folder(path).into_iter().collect();
        folders.extend(path.canonicalize().ok().as_deref().and_then(folder));
        Self {
            folders,
            missing: Arc::default(),
        }
    }
}

impl ExternalLinkResolver for Links {
    /// As in the HDF5 library, of an absolute path that leads elsewhere the name of the file counts. A path out of the
    /// folder is not followed, so that a file from elsewhere cannot name any file of this machine.
    fn resolve_external_link(&self, name: &str) -> hdf5_reader::error::Result<Option<Hdf5File>> {
        let mut path = Path::new(name);
        if path.is_absolute() {
            path = path.file_name().map_or(path, Path::new);
        }
        let stays = |part| matches!(part, Component::Normal(_) | Component::CurDir);
        if !path.components().all(stays) {
            return Err(Hdf5Error::InvalidData(format!(
                "the file links to {name}, which is not in its folder"
            )));
        }
        let places = self.folders.iter().map(|folder| folder.join(path));
        let Some(found) = places.into_iter().find(|place| place.is_file()) else {
            let missing = self.missing.lock();
            let mut missing = missing.unwrap_or_else(PoisonError::into_inner);
            missing.push(name.to_owned());
            return Ok(None);
        };
        let links = Self {
            folders: Self::of_file(&found).folders,
            missing: Arc::clone(&self.missing),
        };
        let open = || {
            let storage = FileStorage::open(&found)?;
            Hdf5File::from_storage_with_options(Arc::new(storage), options(links))
        };
        open().map(Some).map_err(|error| error.with_context(name))
    }
}

impl From<Hdf5Error> for Error {
    fn from(cause: Hdf5Error) -> Self {
        Self::Hdf5(cause)
    }
}

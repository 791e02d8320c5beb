//! Groups and their members.

use std::borrow::Cow;

use super::{Images, Value, VirtualStack};
use crate::{Error, Result};

/// The most bytes of a name.
const MOST_NAME: usize = 255;

/// A group: attributes and named members, in the order they are given.
#[derive(Debug, Default)]
pub struct Group {
    pub(super) attributes: Vec<(&'static str, Value)>,
    pub(super) members: Vec<(Cow<'static, str>, Member)>,
}

/// A member of a group.
#[derive(Debug)]
pub enum Member {
    /// A group in the group.
    Group(Group),
    /// A dataset.
    Dataset(Dataset),
    /// Another name for the object at this path.
    Link(Cow<'static, str>),
    /// An object of another file.
    External {
        /// The file, as seen from the folder of this one.
        file: String,
        /// The path of the object in it.
        path: &'static str,
    },
}

/// Elements, and attributes that describe them.
#[derive(Debug)]
pub struct Dataset {
    pub(super) attributes: Vec<(&'static str, Value)>,
    pub(super) data: Data,
}

#[derive(Debug)]
pub(super) enum Data {
    Contiguous(Value),
    Images(Images),
    Virtual(VirtualStack),
}

impl Group {
    /// An empty group of a NeXus class.
    pub fn of_class(class: &str) -> Self {
        Self::default().attribute("NX_class", Value::text(class))
    }

    /// The group with a further attribute.
    #[must_use]
    pub fn attribute(mut self, name: &'static str, value: Value) -> Self {
        self.attributes.push((name, value));
        self
    }

    /// The group without its member of this name.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.members.retain(|(other, _)| other != name);
        self
    }

    /// The group with a further member; its name has at most 255 bytes.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, member: impl Into<Member>) -> Self {
        self.members.push((name.into(), member.into()));
        self
    }
}

impl Group {
    /// Puts a member at a path from this group, in groups that are made where they are missing. It replaces a dataset or
    /// a link at this path.
    ///
    /// # Errors
    /// [`Error::Hdf5Path`] if the path is that of a group, or leads through something else or names too long.
    pub fn put(&mut self, path: &str, member: impl Into<Member>) -> Result<()> {
        let wrong = || Error::Hdf5Path {
            path: path.to_owned(),
        };
        let mut names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
        let last = names.pop().ok_or_else(wrong)?;
        let mut group = self;
        if names.iter().any(|name| name.len() > MOST_NAME) || last.len() > MOST_NAME {
            return Err(wrong());
        }
        for name in names {
            let at = match group.members.iter().position(|(other, _)| other == name) {
                Some(at) => at,
                None => {
                    let new = Self::default().into();
                    group.members.push((name.to_owned().into(), new));
                    group.members.len() - 1
                }
            };
            group = match group.members.get_mut(at) {
                Some((_, Member::Group(group))) => group,
                _ => return Err(wrong()),
            };
        }
        match group.members.iter_mut().find(|(name, _)| name == last) {
            Some((_, Member::Group(_))) => return Err(wrong()),
            Some((_, old)) => *old = member.into(),
            None => group.members.push((last.to_owned().into(), member.into())),
        }
        Ok(())
    }
}

impl Dataset {
    /// A dataset of one value.
    pub fn new(value: Value) -> Self {
        Self {
            attributes: Vec::new(),
            data: Data::Contiguous(value),
        }
    }

    /// The dataset with a further attribute.
    #[must_use]
    pub fn attribute(mut self, name: &'static str, value: Value) -> Self {
        self.attributes.push((name, value));
        self
    }

    /// The dataset with units.
    #[must_use]
    pub fn units(self, units: &str) -> Self {
        self.attribute("units", Value::text(units))
    }
}

impl From<Images> for Member {
    fn from(images: Images) -> Self {
        Self::Dataset(Dataset {
            attributes: Vec::new(),
            data: Data::Images(images),
        })
    }
}

impl From<VirtualStack> for Member {
    fn from(stack: VirtualStack) -> Self {
        Self::Dataset(Dataset {
            attributes: Vec::new(),
            data: Data::Virtual(stack),
        })
    }
}

impl From<Images> for Dataset {
    fn from(images: Images) -> Self {
        Self {
            attributes: Vec::new(),
            data: Data::Images(images),
        }
    }
}

impl From<Group> for Member {
    fn from(group: Group) -> Self {
        Self::Group(group)
    }
}

impl From<Dataset> for Member {
    fn from(dataset: Dataset) -> Self {
        Self::Dataset(dataset)
    }
}

impl From<Value> for Member {
    fn from(value: Value) -> Self {
        Self::Dataset(Dataset::new(value))
    }
}

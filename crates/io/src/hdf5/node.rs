//! Groups and datasets that know their paths, for messages.

use hdf5_reader::group::Group;
use hdf5_reader::{Attribute, Dataset, Datatype};

use super::stack::for_type_of_number;
use super::{Reader, group_names, if_there, stack};
use crate::{Error, Result};

/// The most numbers that are read of one dataset: a value for each image of the longest series.
const MOST_NUMBERS: u64 = 1 << 24;

/// The largest magnitude of a number that an experiment can have.
const MOST: f64 = 1e15;

/// A group.
#[derive(Clone)]
pub(crate) struct Node {
    group: Group,
    /// Empty for the root.
    path: String,
}

/// A dataset of a few numbers, or a text.
#[derive(Clone)]
pub(crate) struct Field {
    dataset: Dataset,
    parent: Node,
    name: String,
}

impl Node {
    pub(crate) fn root(file: &Reader) -> Result<Self> {
        Ok(Self {
            group: file.root()?,
            path: String::new(),
        })
    }

    pub(crate) fn group(&self, name: &str) -> Result<Option<Self>> {
        let child = if_there(self.group.group(name)).map_err(|fault| self.inside(name, fault))?;
        Ok(child.map(|group| Self {
            group,
            path: self.place(name),
        }))
    }

    /// The groups of a class, in this order: the default, the one of the usual name (of any class), then the
    /// others by name.
    pub(crate) fn of_class(&self, usual: &str, class: &str) -> Result<Vec<Self>> {
        let default = self.attribute_text("default")?;
        let default = default.map(|path| path.trim_matches('/').to_owned());
        let mut names: Vec<String> = default.into_iter().chain([usual.to_owned()]).collect();
        names.extend(group_names(&self.group, usual)?);
        let mut seen = Vec::new();
        let mut found = Vec::new();
        for name in names {
            if seen.contains(&name) || name.contains('/') {
                continue;
            }
            let Some(child) = self.group(&name)? else {
                continue;
            };
            let is_of_class = child.attribute_text("NX_class")?.as_deref() == Some(class);
            if name == usual || is_of_class {
                found.push(child);
            }
            seen.push(name);
        }
        Ok(found)
    }

    /// The text of an attribute. One of another type says nothing.
    pub(crate) fn attribute_text(&self, name: &str) -> Result<Option<String>> {
        let attribute = if_there(self.group.attribute(name));
        let attribute = attribute.map_err(|fault| self.inside(name, fault))?;
        Ok(attribute.and_then(|attribute| text_of(&attribute)))
    }

    pub(crate) fn field(&self, name: &str) -> Result<Option<Field>> {
        let dataset = if_there(self.group.dataset(name));
        let dataset = dataset.map_err(|fault| self.inside(name, fault))?;
        Ok(dataset.map(|dataset| Field {
            dataset,
            parent: self.clone(),
            name: name.to_owned(),
        }))
    }

    /// A dataset that must be there.
    ///
    /// # Errors
    /// [`Error::Hdf5Lacks`].
    pub(crate) fn need(&self, name: &str) -> Result<Field> {
        self.field(name)?.ok_or_else(|| self.lacks(name))
    }

    /// The dataset at a path from here.
    pub(crate) fn at(&self, path: &str) -> Result<Field> {
        let mut steps = path.split('/').filter(|step| !step.is_empty());
        let name = steps.next_back().unwrap_or_default();
        let mut node = self.clone();
        for step in steps {
            node = node.group(step)?.ok_or_else(|| node.lacks(step))?;
        }
        node.need(name)
    }

    /// The path of a member.
    pub(crate) fn place(&self, name: &str) -> String {
        format!("{}/{name}", self.path)
    }

    /// The name of the group itself.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn lacks(&self, name: &str) -> Error {
        Error::Hdf5Lacks {
            place: self.place(name),
        }
    }

    fn inside(&self, name: &str, fault: Error) -> Error {
        in_place(&self.place(name), fault)
    }
}

impl Field {
    pub(crate) fn place(&self) -> String {
        self.parent.place(&self.name)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The group that holds it.
    pub(crate) const fn parent(&self) -> &Node {
        &self.parent
    }

    pub(crate) fn into_dataset(self) -> Dataset {
        self.dataset
    }

    /// All of its numbers, at least one.
    ///
    /// # Errors
    /// [`Error::Hdf5Value`] for a dataset without numbers, with too many of them, or with one that is not finite.
    pub(crate) fn numbers(&self) -> Result<Vec<f64>> {
        let count = self.dataset.num_elements().map_err(Error::from);
        let count = count.map_err(|fault| in_place(&self.place(), fault))?;
        if count == 0 || count > MOST_NUMBERS {
            return Err(self.wrong(format!("{count} values"), "one number or some"));
        }
        let numbers = stack::numbers(&self.dataset);
        let numbers = numbers.map_err(|fault| in_place(&self.place(), fault))?;
        self.checked(numbers)
    }

    /// The number for the image of this index, or the only one.
    pub(crate) fn number(&self, image: usize) -> Result<f64> {
        let numbers = self.numbers()?;
        let number = numbers.get(image).or(numbers.first());
        number
            .copied()
            .ok_or_else(|| self.wrong("no value".to_owned(), "a number"))
    }

    /// The text, without blanks at its ends.
    pub(crate) fn text(&self) -> Result<String> {
        let text = self.dataset.read_string().ok();
        let text = text.map(|text| text.trim_matches(['\0', ' ']).to_owned());
        text.ok_or_else(|| self.wrong("no text".to_owned(), "a text"))
    }

    pub(crate) fn attribute_text(&self, name: &str) -> Result<Option<String>> {
        let attribute = self.attribute(name)?;
        Ok(attribute.and_then(|attribute| text_of(&attribute)))
    }

    /// The three numbers of an attribute.
    ///
    /// # Errors
    /// [`Error::Hdf5Value`] if it is something else.
    pub(crate) fn attribute_vector(&self, name: &str) -> Result<Option<[f64; 3]>> {
        let Some(attribute) = self.attribute(name)? else {
            return Ok(None);
        };
        let of_attribute = || {
            format!(
                "{name} of {} values",
                attribute.shape.iter().product::<u64>()
            )
        };
        let wrong = || self.wrong(of_attribute(), "an attribute of three numbers");
        let numbers = numbers_of(&attribute).ok_or_else(wrong)?;
        let numbers = self.checked(Some(numbers))?;
        Ok(Some(<[f64; 3]>::try_from(numbers).map_err(|_| wrong())?))
    }

    pub(crate) fn wrong(&self, found: String, expected: &'static str) -> Error {
        Error::Hdf5Value {
            place: self.place(),
            found,
            expected,
        }
    }

    fn attribute(&self, name: &str) -> Result<Option<Attribute>> {
        let found = if_there(self.dataset.attribute(name));
        found.map_err(|fault| in_place(&self.place(), fault))
    }

    fn checked(&self, numbers: Option<Vec<f64>>) -> Result<Vec<f64>> {
        let numbers = numbers.ok_or_else(|| self.wrong("no numbers".to_owned(), "numbers"))?;
        match numbers
            .iter()
            .find(|number| number.is_nan() || number.abs() > MOST)
        {
            Some(absurd) => {
                Err(self.wrong(absurd.to_string(), "a number of a magnitude up to 1e15"))
            }
            None => Ok(numbers),
        }
    }
}

/// A fault of the library with the place in the file.
fn in_place(place: &str, fault: Error) -> Error {
    match fault {
        Error::Hdf5(cause) => Error::Hdf5(cause.with_context(place)),
        other => other,
    }
}

fn text_of(attribute: &Attribute) -> Option<String> {
    let text = attribute.read_string().ok()?;
    Some(text.trim_matches(['\0', ' ']).to_owned())
}

fn numbers_of(attribute: &Attribute) -> Option<Vec<f64>> {
    macro_rules! all {
        ($number:ty) => {{
            let numbers = attribute.read_1d::<$number>().ok()?;
            Some(numbers.into_iter().map(|number| number as f64).collect())
        }};
    }
    for_type_of_number!(attribute.datatype, all)
}

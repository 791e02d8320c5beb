use std::fmt;

use super::{SpaceGroup, name};
use crate::cell::CellSpec;

/// What a file says of its space group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatedGroup {
    /// The Hall symbol.
    pub hall: Option<String>,
    /// Other names, the one that says most first.
    pub names: Vec<String>,
    /// The number in the International Tables or in CCP4.
    pub number: Option<u16>,
}

/// A doubt about the space group of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupDoubt {
    /// A name is not understood.
    NotUnderstood {
        /// The name, shortened if it is long.
        name: String,
        /// The group that is used instead; `None` if the file says nothing else.
        used: Option<String>,
    },
    /// The name and the number are of different groups. The name is used.
    OtherNumber {
        /// The group of the name.
        name: String,
        /// The number.
        number: u16,
    },
    /// The group has two origins, and nothing says which. The first is used. Amplitudes do not depend on it,
    /// but positions of atoms do.
    TwoOrigins {
        /// The group, with the first origin.
        name: String,
    },
}

impl GroupDoubt {
    /// The doubt about the origin of a group, if it was found by a name or number that leaves the origin open.
    pub fn of_origin(group: &SpaceGroup, name: &str) -> Option<Self> {
        let is_open = |choice| {
            let mut settings = name::settings(name).into_iter();
            settings.any(|setting| setting.choice.starts_with(choice))
        };
        (is_open('1') && is_open('2')).then(|| Self::TwoOrigins {
            name: group.to_string(),
        })
    }
}

impl fmt::Display for GroupDoubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUnderstood { name, used: None } => {
                write!(f, "the space group `{name}` is not understood")
            }
            Self::NotUnderstood {
                name,
                used: Some(used),
            } => write!(
                f,
                "the space group `{name}` is not understood: {used} is used, of the symbol or number beside it"
            ),
            Self::TwoOrigins { name } => write!(
                f,
                "the space group has two origins and the first is used, {name}: if the atoms belong to the other, say so with :2"
            ),
            Self::OtherNumber { name, number } => write!(
                f,
                "the name of the space group is {name} but its number is {number}: the name is used"
            ),
        }
    }
}

impl StatedGroup {
    /// Whether nothing is stated.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The group: of the Hall symbol, or else of the first name that is understood, or else of the number.
    /// The cell selects the setting where these leave it open.
    pub fn find(&self, cell: Option<&CellSpec>) -> (Option<SpaceGroup>, Option<GroupDoubt>) {
        let by_hall = self
            .hall
            .iter()
            .map(|hall| (hall, SpaceGroup::from_hall(hall)));
        let by_name =
            (self.names.iter()).map(|name| (name, SpaceGroup::from_name_for_cell(name, cell)));
        let mut unknown = None;
        let mut found = None;
        for (name, group) in by_hall.chain(by_name) {
            match group {
                Ok(group) => {
                    found = Some(group);
                    break;
                }
                Err(_) => unknown = unknown.or(Some(name)),
            }
        }
        let number = self.number.map(|number| number.to_string());
        let is_named = found.is_some();
        let found = found.or_else(|| SpaceGroup::from_name_for_cell(&number?, cell).ok());
        let doubt = match (unknown, &found, self.number) {
            (Some(name), found, _) => Some(GroupDoubt::NotUnderstood {
                name: name.chars().take(40).collect(),
                used: found.as_ref().map(SpaceGroup::to_string),
            }),
            // A number of CCP4 is that of the International Tables plus thousands.
            (None, Some(group), Some(number))
                if is_named && group.number().is_some_and(|own| own != number % 1000) =>
            {
                Some(GroupDoubt::OtherNumber {
                    name: group.to_string(),
                    number,
                })
            }
            _ => None,
        };
        (found, doubt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_that_is_left_open_is_doubtful() {
        for (name, is_open) in [
            ("F d 3 m", true),
            ("227", true),
            ("P n n n", true),
            ("P n n n:2", false),
            ("P n n n:1", false),
            ("P 21 21 21", false),
            ("R 3", false),
        ] {
            let group = SpaceGroup::from_name(name).unwrap();
            assert_eq!(
                GroupDoubt::of_origin(&group, name).is_some(),
                is_open,
                "{name}"
            );
        }
    }

    #[test]
    fn the_number_counts_where_the_name_is_not_understood() {
        let stated = |name: &str, number| StatedGroup {
            hall: None,
            names: vec![name.to_owned()],
            number,
        };
        let (group, doubt) = stated("P twenty-one", Some(4)).find(None);
        assert_eq!(group.unwrap().name(), "P 1 21 1");
        assert!(doubt.unwrap().to_string().contains("P 1 21 1 is used"));
        let (group, doubt) = stated("P 21", Some(5)).find(None);
        assert_eq!(group.unwrap().name(), "P 1 21 1");
        assert!(matches!(
            doubt,
            Some(GroupDoubt::OtherNumber { number: 5, .. })
        ));
        for number in [Some(4), Some(1004), None] {
            assert_eq!(stated("P 21", number).find(None).1, None);
        }
        let (group, doubt) = stated("P twenty-one", None).find(None);
        assert_eq!(group, None);
        assert_eq!(
            doubt.unwrap().to_string(),
            "the space group `P twenty-one` is not understood"
        );
    }
}

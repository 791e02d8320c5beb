//! Groups of panels: quadrants, modules and the like, which programs that refine a geometry move as one.
//!
//! CrystFEL 0.11 has a tree, `group_q0 = p0,p1` up to `group_all`; older versions have sets of groups that do not know of
//! each other, `rigid_group_q0 = p0a0,p0a1` and `rigid_group_collection_quadrants = q0,q1`. Each version skips the lines of
//! the other, so both are written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::read::Geom;
use crate::exchange::described::Ignored;
use crate::exchange::geometry::PlacedPanel;

/// The name of the group of all panels.
const ALL: &str = "all";

/// The most members of a group that CrystFEL takes.
const MOST_MEMBERS: usize = 64;

/// A group and its members, panels or groups before it.
type Group = (String, Vec<String>);

/// The groups of a detector, each behind its members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Groups(Vec<Group>);

impl Groups {
    /// Those of a geometry, and the lines that CrystFEL would refuse. Old ones become a tree, as far as one collection
    /// lies in another.
    pub(super) fn of_geom(geom: &Geom<'_>) -> (Self, Vec<Ignored>) {
        let panels: Vec<&str> = geom.panels.iter().map(|section| section.name).collect();
        let mut groups = Self::default();
        let mut ignored = Vec::new();
        let mut rigid = BTreeMap::new();
        let mut collections = Vec::new();
        for entry in geom.of_groups() {
            let members = entry.value.split(',').map(str::trim);
            let members: Vec<&str> = members.filter(|member| !member.is_empty()).collect();
            if let Some(collection) = entry.key.strip_prefix("rigid_group_collection_") {
                collections.push((collection, members));
            } else if let Some(name) = entry.key.strip_prefix("rigid_group_") {
                rigid.insert(name, members);
            } else if let Some(name) = entry.key.strip_prefix("group_") {
                let is_known = |member: &str| panels.contains(&member) || groups.has(member);
                let is_new = !panels.contains(&name) && !groups.has(name);
                if is_new && !members.is_empty() && members.iter().all(|member| is_known(member)) {
                    let members = members.into_iter().map(str::to_owned).collect();
                    groups.0.push((name.to_owned(), members));
                } else {
                    ignored.push(Ignored {
                        place: entry.place(),
                        reason: "a group has a name of its own, and panels or groups of lines before it",
                    });
                }
            }
        }
        if groups.0.is_empty() {
            groups = Self::of_collections(&panels, &rigid, collections);
        }
        (groups, ignored)
    }

    /// The modules of panels that are named after them, such as `p3a0`, and the quadrants of the sixteen modules `p0` to
    /// `p15` that detectors of European XFEL have; none for other panels.
    pub(super) fn of_panels(panels: &[PlacedPanel], names: &[String]) -> Self {
        let mut modules: Vec<Group> = Vec::new();
        for (panel, name) in panels.iter().zip(names) {
            let Some(module) = panel.module() else {
                return Self::default();
            };
            match modules.iter_mut().find(|(other, _)| other == module) {
                Some((_, members)) => members.push(name.clone()),
                None => modules.push((module.to_owned(), vec![name.clone()])),
            }
        }
        if modules.len() < 2 || modules.iter().any(|(module, _)| names.contains(module)) {
            return Self::default();
        }
        let mut top: Vec<String> = modules.iter().map(|(module, _)| module.clone()).collect();
        let mut groups = Self(modules);
        let sixteen: Vec<String> = (0..16).map(|number| format!("p{number}")).collect();
        if top == sixteen {
            let quadrants = top.chunks(4).enumerate();
            let quadrants = quadrants.map(|(number, four)| (format!("q{number}"), four.to_vec()));
            let quadrants: Vec<Group> = quadrants.collect();
            top = quadrants.iter().map(|(name, _)| name.clone()).collect();
            groups.0.extend(quadrants);
        }
        groups.0.push((ALL.to_owned(), top));
        groups
    }

    /// A tree of old groups, from the collection with the most groups on. One that does not lie in the next is left out.
    fn of_collections(
        panels: &[&str],
        rigid: &BTreeMap<&str, Vec<&str>>,
        mut collections: Vec<(&str, Vec<&str>)>,
    ) -> Self {
        let mut groups = Self::default();
        // What is not in a group yet, with its panels.
        let mut free: Vec<(String, BTreeSet<&str>)> = panels
            .iter()
            .map(|panel| ((*panel).to_owned(), BTreeSet::from([*panel])))
            .collect();
        collections.sort_by_key(|(_, members)| std::cmp::Reverse(members.len()));
        for (_, names) in collections {
            let mut next = free.clone();
            let mut found = Vec::new();
            let fits = names.iter().all(|name| {
                let Some(members) = rigid.get(name) else {
                    return false;
                };
                let wanted: BTreeSet<&str> = members.iter().copied().collect();
                let (inside, outside): (Vec<_>, Vec<_>) =
                    next.drain(..).partition(|(_, of)| of.is_subset(&wanted));
                let covered: BTreeSet<&str> = inside
                    .iter()
                    .flat_map(|(_, of)| of.iter().copied())
                    .collect();
                let is_taken = groups.has(name) || panels.contains(name);
                let is_taken = is_taken || !(1..=MOST_MEMBERS).contains(&inside.len());
                next = outside;
                next.push(((*name).to_owned(), wanted.clone()));
                found.push((
                    (*name).to_owned(),
                    inside.into_iter().map(|(name, _)| name).collect(),
                ));
                !is_taken && covered == wanted
            });
            if fits {
                groups.0.extend(found);
                free = next;
            }
        }
        // CrystFEL adds a group of all where there is none.
        if !groups.0.is_empty() && !groups.has(ALL) && free.len() <= MOST_MEMBERS {
            let top = free.into_iter().map(|(name, _)| name).collect();
            groups.0.push((ALL.to_owned(), top));
        }
        groups
    }

    /// Whether there are groups, and all their panels are among these.
    pub(super) fn are_of(&self, panels: &[PlacedPanel]) -> bool {
        let is_panel = |name: &String| panels.iter().any(|panel| panel.name == *name);
        let mut members = self.0.iter().flat_map(|(_, members)| members);
        !self.0.is_empty() && members.all(|name| is_panel(name) || self.has(name))
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(other, _)| other == name)
    }

    /// The lines of both kinds. `renamed` has the written name of each panel.
    pub(super) fn write(&self, text: &mut String, renamed: &BTreeMap<&str, &str>) {
        let named = |member: &String| {
            renamed
                .get(member.as_str())
                .map_or(member.clone(), |&name| name.to_owned())
        };
        // Of each group its panels, and how many groups are below it.
        let mut known: BTreeMap<&str, (Vec<String>, usize)> = BTreeMap::new();
        let mut collections: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for (name, members) in &self.0 {
            let mut panels = Vec::new();
            let mut height = 0;
            for member in members {
                match known.get(member.as_str()) {
                    Some((of_member, below)) => {
                        panels.extend(of_member.iter().cloned());
                        height = height.max(below + 1);
                    }
                    None => panels.push(named(member)),
                }
            }
            if name != ALL {
                let _ = writeln!(text, "rigid_group_{name} = {}", panels.join(","));
                collections.entry(height).or_default().push(name);
            }
            known.insert(name, (panels, height));
        }
        for (height, names) in collections {
            let _ = writeln!(
                text,
                "rigid_group_collection_level{height} = {}",
                names.join(",")
            );
        }
        for (name, members) in &self.0 {
            let members: Vec<String> = members.iter().map(named).collect();
            let _ = writeln!(text, "group_{name} = {}", members.join(","));
        }
    }
}

//! Values in a message that skills asked to be recognised.

use std::{collections::BTreeMap, fmt, ops::Range};

use postern_domain::{SkillId, manifest::Entity};
use regex::{Regex, RegexBuilder};

use postern_policy::personal::{Folded, email};

use super::{confirm, pattern};

/// Most patterns of all skills together.
pub const MAX_PATTERNS: usize = 1_000;
/// Most values of one pattern that are looked for in one message.
const MAX_FOUND: usize = 20;
/// Bytes of a message in which patterns of skills are looked for: repeated
/// search with a hostile pattern takes time with the square of the length.
const MAX_TEXT: usize = 1 << 14;
/// Bytes of a compiled pattern, and of its cache.
const MAX_COMPILED: usize = 1 << 18;
const MAX_CACHE: usize = 1 << 20;
const MAX_NESTING: u32 = 32;

/// Why a skill's entities cannot be recognised.
#[derive(Debug, thiserror::Error)]
pub enum EntityError {
    /// The pattern is no regular expression, or too large a one.
    #[error("skill {skill}: pattern of entity {entity:?}: {source}")]
    Pattern {
        /// The skill.
        skill: SkillId,
        /// The entity.
        entity: String,
        /// What is wrong with it.
        #[source]
        source: Box<regex::Error>,
    },
    /// The pattern matches the empty text, so it would be found everywhere.
    #[error(
        "skill {skill}: pattern of entity {entity:?} matches empty text; require at least one character"
    )]
    Empty {
        /// The skill.
        skill: SkillId,
        /// The entity.
        entity: String,
    },
    /// The normal form refers to a group that the pattern does not have.
    #[error(
        "skill {skill}: normal form of entity {entity:?} refers to group {group:?}, which its pattern does not have; write ${{1}} for the first group, $0 for all"
    )]
    Group {
        /// The skill.
        skill: SkillId,
        /// The entity.
        entity: String,
        /// The group.
        group: String,
    },
    /// More patterns than [`MAX_PATTERNS`].
    #[error("{count} entities; at most {MAX_PATTERNS}: remove a skill")]
    TooMany {
        /// How many there are.
        count: usize,
    },
}

impl EntityError {
    /// The skill whose entity is wrong, if it is a single one's fault.
    pub fn skill(&self) -> Option<&SkillId> {
        match self {
            Self::Pattern { skill, .. } | Self::Empty { skill, .. } | Self::Group { skill, .. } => {
                Some(skill)
            }
            Self::TooMany { .. } => None,
        }
    }
}

/// A value in a message. Its `Debug` form does not show the value, which can be
/// personal.
#[derive(Clone, PartialEq, Eq)]
pub struct Found {
    /// The entity: one of the host's own, or one that skills declare.
    pub name: String,
    /// Its first byte.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
    /// The normal form.
    pub value: String,
    /// The skills that declare it; none for the host's own.
    declared_by: Vec<SkillId>,
}

impl Found {
    /// Whether it may fill an argument of this skill. What one skill declares
    /// under a name does not speak for another skill's entity of that name.
    pub fn is_for(&self, skill: &SkillId) -> bool {
        self.declared_by.is_empty() || self.declared_by.contains(skill)
    }

    /// The skills that declare it; none for the host's own.
    pub fn declared_by(&self) -> &[SkillId] {
        &self.declared_by
    }
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, start, end, value: _, declared_by: _ } = self;
        write!(f, "Found({name} at {start}..{end}: [redacted])")
    }
}

/// Finds the entities of the host and of skills.
#[derive(Debug)]
pub struct Extractor {
    patterns: Vec<Pattern>,
}

#[derive(Debug)]
struct Pattern {
    name: String,
    regex: Regex,
    normal: String,
    skills: Vec<SkillId>,
}

impl Extractor {
    /// Compiles the patterns that skills declare.
    ///
    /// # Errors
    /// If a pattern is wrong or too large, or there are too many.
    pub fn new(entities: &[(SkillId, Entity)]) -> Result<Self, EntityError> {
        // Skills often declare the same entity in the same way.
        let mut shared: BTreeMap<(&str, &str, &str), Vec<SkillId>> = BTreeMap::new();
        for (skill, entity) in entities {
            shared
                .entry((&entity.name, &entity.pattern, &entity.normal))
                .or_default()
                .push(skill.clone());
        }
        if shared.len() > MAX_PATTERNS {
            return Err(EntityError::TooMany { count: shared.len() });
        }
        let patterns = shared
            .into_iter()
            .map(|((name, pattern, normal), skills)| {
                Pattern::compile(name, pattern, normal, skills)
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { patterns })
    }

    /// Finds e-mail addresses (`email`), a plain yes or no (`confirmed`, with
    /// the value `true` or `false`) and what skills declare, in the order of
    /// the message.
    pub fn extract(&self, text: &str) -> Vec<Found> {
        let folded = Folded::new(text);
        let emails: Vec<Range<usize>> = email::find(folded.text()).collect();
        let mut found = Vec::new();
        for range in &emails {
            let value = folded.text()[range.clone()].to_ascii_lowercase();
            found.push(built_in("email", folded.origin(range.clone()), value));
        }
        if let Some(yes) = confirm::read(folded.text()) {
            found.push(built_in("confirmed", 0..text.len(), yes.to_string()));
        }
        let beginning = &folded.text()[..folded.text().floor_char_boundary(MAX_TEXT)];
        for pattern in &self.patterns {
            for (range, value) in pattern.find(beginning) {
                if !emails.iter().any(|email| email.start < range.end && range.start < email.end) {
                    let Range { start, end } = folded.origin(range);
                    let name = pattern.name.clone();
                    let declared_by = pattern.skills.clone();
                    found.push(Found { name, start, end, value, declared_by });
                }
            }
        }
        found.sort_by_key(|found| (found.start, std::cmp::Reverse(found.end)));
        found
    }
}

fn built_in(name: &str, Range { start, end }: Range<usize>, value: String) -> Found {
    Found { name: name.to_owned(), start, end, value, declared_by: Vec::new() }
}

impl Pattern {
    fn compile(
        name: &str,
        source: &str,
        normal: &str,
        skills: Vec<SkillId>,
    ) -> Result<Self, EntityError> {
        let blame = || (skills[0].clone(), name.to_owned());
        let regex = RegexBuilder::new(&pattern::with_ascii_boundaries(source))
            .case_insensitive(true)
            .size_limit(MAX_COMPILED)
            .dfa_size_limit(MAX_CACHE)
            .nest_limit(MAX_NESTING)
            .build()
            .map_err(|error| {
                let (skill, entity) = blame();
                EntityError::Pattern { skill, entity, source: Box::new(error) }
            })?;
        if regex.is_match("") {
            let (skill, entity) = blame();
            return Err(EntityError::Empty { skill, entity });
        }
        if let Some(group) = pattern::unknown_group(&regex, normal) {
            let (skill, entity) = blame();
            return Err(EntityError::Group { skill, entity, group });
        }
        Ok(Self { name: name.to_owned(), regex, normal: normal.to_owned(), skills })
    }

    /// Ranges of folded text, and normal forms.
    fn find(&self, text: &str) -> impl Iterator<Item = (Range<usize>, String)> {
        self.regex
            .captures_iter(text)
            .filter(|captures| !captures[0].is_empty())
            .take(MAX_FOUND)
            .map(|captures| {
                let range = captures.get_match().range();
                let mut value = String::new();
                captures.expand(&self.normal, &mut value);
                (range, value.to_uppercase())
            })
    }
}

#[cfg(test)]
mod tests;

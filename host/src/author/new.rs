//! A new skill's folder.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    str::FromStr,
};

use postern_domain::SkillId;

use super::{AuthorError, Language, embedded};

/// What a new skill does at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Template {
    /// Reads a record of the customer and answers.
    Lookup,
    /// Asks another server.
    Http,
    /// Changes something after the customer's yes.
    Action,
    /// Opens a ticket and hands over to a person.
    Escalation,
}

impl Template {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Lookup, Self::Http, Self::Action, Self::Escalation];

    /// As it is written on the command line, and the name of its folders.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lookup => "lookup",
            Self::Http => "http",
            Self::Action => "action",
            Self::Escalation => "escalation",
        }
    }

    /// Something to say to the new skill first.
    pub fn first_words(self) -> &'static str {
        match self {
            Self::Lookup => "What about my booking B-1001?",
            Self::Http => "Is there an outage in the north?",
            Self::Action => "Please pause my subscription S-1001",
            Self::Escalation => "The heating in my flat is broken",
        }
    }
}

impl FromStr for Template {
    type Err = AuthorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|template| template.as_str() == text);
        found.ok_or_else(|| AuthorError::UnknownTemplate(text.chars().take(40).collect()))
    }
}

/// A skill that is not there yet.
#[derive(Clone, Debug)]
pub struct NewSkill {
    /// Its id, which is the name of its folder, too.
    pub id: SkillId,
    /// Who answers for it.
    pub publisher: String,
    /// In which language it is written.
    pub language: Language,
    /// What it does at first.
    pub template: Template,
}

/// Names of intents begin with the skill's, and have at most 64 bytes.
const MOST_NAME: usize = 48;
/// What the crate of a skill cannot be called: words and libraries of Rust.
const NOT_CRATES: [&str; 50] = [
    "abstract", "alloc", "as", "async", "await", "become", "box", "break", "const", "continue",
    "core", "crate", "do", "dyn", "else", "enum", "extern", "final", "fn", "for", "gen", "if",
    "impl", "in", "let", "log", "loop", "macro", "match", "mod", "move", "mut", "override", "priv",
    "pub", "ref", "return", "self", "serde", "static", "std", "struct", "super", "test", "trait",
    "try", "type", "typeof", "unsafe", "use",
];

impl NewSkill {
    /// Makes the skill's folder in another folder and answers where. Either all of it
    /// is there afterwards or nothing.
    ///
    /// # Errors
    /// The name or the publisher cannot be used, there is something of that name
    /// already, or a file cannot be written.
    pub fn make(&self, within: &Path) -> Result<PathBuf, AuthorError> {
        self.check()?;
        let folder = within.join(self.id.as_str());
        if folder.symlink_metadata().is_ok() {
            return Err(AuthorError::Exists { folder });
        }
        fs::create_dir_all(within).map_err(AuthorError::io(within))?;
        let staged = tempfile::Builder::new().prefix(".postern-new-").tempdir_in(within);
        let staged = staged.map_err(AuthorError::io(within))?;
        // Only its owner sees a temporary folder; a new one is as others are.
        let inside = staged.path().join(self.id.as_str());
        fs::create_dir(&inside).map_err(AuthorError::io(&inside))?;
        for (name, content) in self.files()? {
            let path = inside.join(name);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(AuthorError::io(parent))?;
            }
            fs::write(&path, content).map_err(AuthorError::io(&path))?;
        }
        fs::rename(&inside, &folder).map_err(AuthorError::io(&folder))?;
        Ok(folder)
    }

    fn check(&self) -> Result<(), AuthorError> {
        let name = self.id.as_str();
        let wrong =
            |reason: &str| AuthorError::Name { name: name.to_owned(), reason: reason.to_owned() };
        if name.len() > MOST_NAME {
            return Err(wrong("has more than 48 letters; names of intents begin with it"));
        }
        if name.ends_with('-') || name.contains("--") {
            return Err(wrong("has a hyphen at its end, or two together"));
        }
        if self.language == Language::Rust
            && (NOT_CRATES.contains(&self.snake().as_str()) || name == "postern-sdk")
        {
            return Err(wrong("is a word or a library of Rust; choose another"));
        }
        let publisher = &self.publisher;
        if publisher.trim().is_empty()
            || publisher.len() > 200
            || publisher.chars().any(|c| c.is_control() || matches!(c, '"' | '\\'))
        {
            return Err(AuthorError::Publisher);
        }
        Ok(())
    }

    fn snake(&self) -> String {
        self.id.as_str().replace('-', "_")
    }

    /// Everything that belongs into the folder.
    fn files(&self) -> Result<BTreeMap<String, Vec<u8>>, AuthorError> {
        let mut files = BTreeMap::new();
        let (language, template) = (self.language.as_str(), self.template.as_str());
        for layer in [
            "sdk/templates/common/shared".to_owned(),
            format!("sdk/templates/common/{template}"),
            format!("sdk/templates/{language}/shared"),
            format!("sdk/templates/{language}/{template}"),
        ] {
            for (name, content) in embedded::below(&layer) {
                files.insert(name.to_owned(), self.fill(content));
            }
        }
        for (path, content) in embedded::stands_on(self.language) {
            files.insert(format!("vendor/postern/{path}"), content.to_vec());
        }
        if self.language == Language::Rust {
            let workspace = super::rust::vendored_workspace(embedded::workspace())?;
            files.insert("vendor/postern/Cargo.toml".to_owned(), workspace.into_bytes());
            if let Some(lock) = files.get_mut("Cargo.lock") {
                *lock = super::rust::in_order(&String::from_utf8_lossy(lock)).into_bytes();
            }
        }
        Ok(files)
    }

    /// A file of a template with the skill's own words in it.
    fn fill(&self, content: &[u8]) -> Vec<u8> {
        let Ok(text) = std::str::from_utf8(content) else { return content.to_vec() };
        text.replace("{{name}}", self.id.as_str())
            .replace("{{snake}}", &self.snake())
            .replace("{{publisher}}", &self.publisher)
            .into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::parse_manifest;

    fn skill(name: &str, language: Language, template: Template) -> NewSkill {
        let id = name.parse().unwrap();
        NewSkill { id, publisher: "Shop & Söhne".to_owned(), language, template }
    }

    #[test]
    fn every_template_of_every_language_has_a_sound_manifest() {
        let folder = tempfile::tempdir().unwrap();
        for language in Language::ALL {
            for template in Template::ALL {
                let name = format!("{}-{}", language.as_str(), template.as_str());
                let made = skill(&name, language, template).make(folder.path()).unwrap();
                let text = fs::read_to_string(made.join("skill.toml")).unwrap();
                let manifest = parse_manifest("skill.toml", &text).unwrap();
                assert_eq!(manifest.skill.id.as_str(), name);
                assert_eq!(manifest.skill.publisher, "Shop & Söhne");
                for intent in &manifest.intents {
                    assert!(intent.examples.len() >= 15, "{name}: {}", intent.name);
                }
                assert!(made.join("policy.cedar").is_file(), "{name}");
                assert!(made.join("scenarios").is_dir(), "{name}");
                assert!(made.join("vendor/postern/wit/skill/skill.wit").is_file(), "{name}");
                assert!(made.join(".gitignore").is_file(), "{name}");
                assert_eq!(Language::of(&made).unwrap(), language);
                nothing_unfilled(&made);
            }
        }
    }

    fn nothing_unfilled(folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if !path.ends_with("vendor") {
                    nothing_unfilled(&path);
                }
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            for word in ["{{name}}", "{{snake}}", "{{publisher}}"] {
                assert!(!text.contains(word), "{}: {word}", path.display());
            }
        }
    }

    #[test]
    fn nothing_that_is_there_is_touched_and_nothing_is_left_half_made() {
        let folder = tempfile::tempdir().unwrap();
        let new = skill("parcels", Language::Rust, Template::Lookup);
        fs::create_dir(folder.path().join("parcels")).unwrap();
        fs::write(folder.path().join("parcels/mine.txt"), "mine").unwrap();
        let error = new.make(folder.path()).unwrap_err().to_string();
        assert!(error.contains("parcels") && error.contains("exists already"), "{error}");
        let here: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(here.len(), 1);
        assert_eq!(fs::read_to_string(folder.path().join("parcels/mine.txt")).unwrap(), "mine");
    }

    #[test]
    fn names_that_no_skill_can_have_are_refused_before_anything_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let check = |name: &str, expected: &str| {
            let new = skill(name, Language::Rust, Template::Lookup);
            let error = new.make(folder.path()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check("async", "word or a library of Rust");
        check("test", "word or a library of Rust");
        check("a-", "a hyphen at its end");
        check(&"a".repeat(49), "more than 48");
        let publisher = "two\nlines".to_owned();
        let new = NewSkill { publisher, ..skill("parcels", Language::JavaScript, Template::Http) };
        assert!(matches!(new.make(folder.path()), Err(AuthorError::Publisher)));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

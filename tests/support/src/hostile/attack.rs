//! What is attacked, as it stands beside the guests: `attacks.toml`.

use std::{collections::BTreeSet, path::Path};

use anyhow::{Context as _, Result, ensure};
use postern_domain::{Interface, Outcome, SkillFailure};
use postern_runtime::InvokeError;
use serde::Deserialize;
use serde_json::Value;

use super::probe::Probed;
use crate::paths;

/// All attacks of one folder.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// In which language its guests are written.
    language: String,
    attack: Vec<Entry>,
}

/// An attack as it is written down.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// Its name, unlike all others.
    pub(crate) name: String,
    /// What it tries.
    pub(crate) tries: String,
    /// What the host must do.
    pub(crate) must: String,
    /// The text or the made bytes that are the component. Guests with a manifest
    /// need none: they are their folder's.
    component: Option<String>,
    /// The capabilities that the manifest of such a component requests.
    #[serde(default = "usual")]
    pub(crate) requests: Vec<Interface>,
    /// What the operator grants.
    #[serde(default = "requested")]
    pub(crate) grant: String,
    /// The tool that attacks.
    #[serde(default = "attack")]
    pub(crate) tool: String,
    /// Its arguments. `{peer}` and the like stand for what is known at run time.
    #[serde(default)]
    pub(crate) arguments: serde_json::Map<String, Value>,
    /// The customer who is writing.
    pub(crate) customer: Option<String>,
    /// How often it is called in a row, each time with the same end.
    #[serde(default = "once")]
    pub(crate) times: u32,
    /// KiB that it may send to the host, if that shall be less than usual: moving
    /// much takes long where nothing is optimised.
    pub(crate) sent_kib: Option<u64>,
    /// Names of files that the folder of assets gets before it is installed.
    #[serde(default)]
    pub(crate) links: Vec<String>,
    /// How it must end.
    pub(crate) expect: Expect,
    /// Rules of which each must have refused one of its host calls.
    #[serde(default)]
    pub(crate) rules: Vec<String>,
    /// What must not be in its answer.
    #[serde(default)]
    withheld: Vec<String>,
}

fn usual() -> Vec<Interface> {
    vec![Interface::Kv, Interface::Log]
}

fn requested() -> String {
    "requested".to_owned()
}

fn attack() -> String {
    "attack".to_owned()
}

fn once() -> u32 {
    1
}

/// How an attack must end.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Expect {
    /// It cannot be installed, with these words in the reason.
    Install(String),
    /// This limit ends it.
    Limit(String),
    /// It traps, with these words in the reason.
    Trap(String),
    /// It fails in another way, with these words in the failure.
    Failure(String),
    /// It gets this far and no further: its whole answer.
    Answer(String),
    /// Every line of its answer begins like this.
    Lines(String),
}

/// An attack, ready to be tried.
#[derive(Clone, Debug)]
pub(crate) struct Attack {
    pub(crate) entry: Entry,
    /// In which language its guest is written.
    pub(crate) language: String,
    /// From where its guest comes.
    pub(crate) guest: Guest,
}

/// A guest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Guest {
    /// A skill with a manifest of its own, by its folder's name.
    Skill(String),
    /// A text in the folder `wat`.
    Text(String),
    /// Bytes that are put together at run time.
    Made(String),
}

impl Attack {
    /// The id of the skill that attacks.
    pub(crate) fn skill(&self) -> String {
        match &self.guest {
            Guest::Skill(name) => name.clone(),
            Guest::Text(_) | Guest::Made(_) => self.entry.name.clone(),
        }
    }

    /// Whether the attack ends before the skill is installed.
    pub(crate) fn is_refused_at_install(&self) -> bool {
        matches!(self.entry.expect, Expect::Install(_))
    }
}

/// All attacks, in order of their folders.
pub(crate) fn all() -> Result<Vec<Attack>> {
    let guests = paths::repository().join("tests").join("guests");
    let folders = std::fs::read_dir(&guests).with_context(|| guests.display().to_string())?;
    let mut folders: Vec<_> = folders.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.sort();
    let mut attacks = Vec::new();
    for folder in folders.iter().filter(|folder| folder.join("attacks.toml").is_file()) {
        attacks.extend(of_folder(folder)?);
    }
    let mut names = BTreeSet::new();
    for attack in &attacks {
        let name = &attack.entry.name;
        ensure!(names.insert(name), "two attacks are called {name:?}");
    }
    Ok(attacks)
}

fn of_folder(folder: &Path) -> Result<Vec<Attack>> {
    let path = folder.join("attacks.toml");
    let place = || path.display().to_string();
    let text = std::fs::read_to_string(&path).with_context(place)?;
    let file: File = toml::from_str(&text).with_context(place)?;
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let guest = |entry: &Entry| match (&entry.component, name) {
        (Some(component), "made") => Guest::Made(component.clone()),
        (Some(component), _) => Guest::Text(component.clone()),
        (None, "wat") => Guest::Text(entry.name.clone()),
        (None, "made") => Guest::Made(entry.name.clone()),
        (None, name) => Guest::Skill(name.to_owned()),
    };
    let ready = |entry| Attack { guest: guest(&entry), language: file.language.clone(), entry };
    Ok(file.attack.into_iter().map(ready).collect())
}

impl Entry {
    /// What is wrong with how a call ended, or what stopped the attack.
    pub(crate) fn judge(&self, probed: &Probed) -> Result<String, String> {
        let stopped = self.ended_as_expected(&probed.result)?;
        for rule in &self.rules {
            let refused = probed.calls.iter().any(|call| {
                call.decision == postern_domain::Decision::Deny && call.rules.contains(rule)
            });
            if !refused {
                let rules: Vec<_> = probed.calls.iter().flat_map(|call| &call.rules).collect();
                return Err(format!("rule {rule} refused no call; rules that spoke: {rules:?}"));
            }
        }
        let all = format!("{:?}", probed.result);
        match self.withheld.iter().find(|text| all.contains(text.as_str())) {
            Some(text) => Err(format!("it got {text:?}")),
            None => Ok(stopped),
        }
    }

    fn ended_as_expected(&self, ended: &Result<Outcome, InvokeError>) -> Result<String, String> {
        let other = || Err(format!("expected {:?}, but it came to {}", self.expect, shown(ended)));
        match (&self.expect, ended) {
            (Expect::Limit(name), Err(InvokeError::Skill(failure))) => match failure {
                SkillFailure::Limit { limit, .. } if limit == name => Ok(failure.to_string()),
                _ => other(),
            },
            (Expect::Trap(words), Err(InvokeError::Skill(failure))) => match failure {
                SkillFailure::Trap { message } if message.contains(words) => {
                    Ok(failure.to_string())
                }
                _ => other(),
            },
            (Expect::Failure(words), Err(InvokeError::Skill(failure))) => match failure {
                SkillFailure::Trap { .. } | SkillFailure::Limit { .. } => other(),
                failure if failure.to_string().contains(words) => Ok(failure.to_string()),
                _ => other(),
            },
            (Expect::Answer(answer), Ok(Outcome::Reply { text })) if text == answer => {
                Ok(format!("it got no more than {:?}", first_line(text)))
            }
            (Expect::Answer(answer), Ok(Outcome::Done)) if answer.is_empty() => {
                Ok("it got nothing".to_owned())
            }
            (Expect::Lines(start), Ok(Outcome::Reply { text }))
                if !text.is_empty() && text.lines().all(|line| line.starts_with(start)) =>
            {
                let lines = text.lines().count();
                Ok(format!("{lines} times {:?}", first_line(text)))
            }
            _ => other(),
        }
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(120).collect()
}

fn shown(ended: &Result<Outcome, InvokeError>) -> String {
    let text = match ended {
        Ok(outcome) => format!("{outcome:?}"),
        Err(error) => format!("{error:?}"),
    };
    text.chars().take(2_000).collect()
}

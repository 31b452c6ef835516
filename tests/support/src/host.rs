//! The real host: its data folder and its process.

mod faulty;
mod folder;

use std::{path::PathBuf, time::Duration};

pub use faulty::{Faulty, faulty_binary, run_faulty};
pub use folder::DataFolder;
use serde::Deserialize;
use tokio::process::Command;

use crate::{SupportError, operator::Operator, paths, process::Process};

/// Loading components that were compiled at installation is quick, but a busy
/// machine is slow.
const START_LIMIT: Duration = Duration::from_secs(60);

/// The name of the Telegram account and of the web chat's site in configurations
/// made here.
pub const ACCOUNT: &str = "main";

/// Where the host program is: the file in `POSTERN_BIN`, or the one built beside
/// the program that runs now.
///
/// # Errors
/// Where it has not been built.
pub fn binary() -> Result<PathBuf, SupportError> {
    if let Some(path) = std::env::var_os("POSTERN_BIN") {
        return Ok(path.into());
    }
    let name = format!("postern{}", std::env::consts::EXE_SUFFIX);
    let own = std::env::current_exe().map_err(SupportError::file("the current program"))?;
    // Tests run from `deps`, one folder further down.
    let beside = own.ancestors().skip(1).take(2).map(|folder| folder.join(&name));
    let mut places: Vec<PathBuf> = beside.collect();
    match places.iter().position(|place| place.is_file()) {
        Some(place) => Ok(places.swap_remove(place)),
        None => Err(SupportError::NotBuilt { path: places.remove(0), next: "cargo build" }),
    }
}

/// A skill as it is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkillFiles {
    /// The component.
    pub component: PathBuf,
    /// `skill.toml`.
    pub manifest: PathBuf,
}

/// The skills that come with Postern, in order of their names.
///
/// # Errors
/// Where they have not been built.
pub fn shipped_skills() -> Result<Vec<SkillFiles>, SupportError> {
    skills_in(&paths::repository().join("skills"))
}

/// The hostile components of the tests, in order of their names, without those in
/// languages that could not be built here.
///
/// # Errors
/// Where they have not been built.
pub fn guests() -> Result<Vec<SkillFiles>, SupportError> {
    skills_in(&paths::repository().join("tests").join("guests"))
}

/// Skills of a workspace: each folder with a manifest, and its component.
fn skills_in(workspace: &std::path::Path) -> Result<Vec<SkillFiles>, SupportError> {
    let built = workspace.join("target").join("wasm32-wasip2").join("release");
    let mut skills = Vec::new();
    for entry in std::fs::read_dir(workspace).map_err(SupportError::file(workspace))? {
        let folder = entry.map_err(SupportError::file(workspace))?.path();
        let manifest = folder.join("skill.toml");
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !manifest.is_file() {
            continue;
        }
        let component = built.join(format!("{}.wasm", name.replace('-', "_")));
        if !component.is_file() {
            // What is not made by cargo needs tools that may be missing here, as
            // `cargo xtask build-skills` told; tests of it skip themselves.
            if !folder.join("Cargo.toml").is_file() {
                continue;
            }
            let next = "cargo xtask build-skills";
            return Err(SupportError::NotBuilt { path: component, next });
        }
        skills.push(SkillFiles { component, manifest });
    }
    skills.sort_by(|a, b| a.manifest.cmp(&b.manifest));
    Ok(skills)
}

/// What the host prints when it is ready.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Ready {
    ready: bool,
    public: String,
    operator: String,
}

/// A serving host. It is killed when this is dropped.
#[derive(Debug)]
pub struct Host {
    process: Process,
    ready: Ready,
    token: String,
}

impl Host {
    /// Starts `postern serve` on a data folder and waits until it is ready.
    ///
    /// # Errors
    /// Where it ends instead, with the end of its log (`host.log` in the folder),
    /// or is not ready within a minute.
    pub async fn start(data: &DataFolder) -> Result<Self, SupportError> {
        let mut command = Command::new(binary()?);
        command.arg("--data").arg(data.path()).args(["serve", "--json"]);
        let (process, ready) = Process::start(
            "postern serve",
            command,
            data.path().join("host.log"),
            START_LIMIT,
            ready,
        )
        .await?;
        let token = data.operator_token()?;
        Ok(Self { process, ready, token })
    }

    /// Where webhooks and web chat are, without a slash at the end.
    pub fn public(&self) -> &str {
        &self.ready.public
    }

    /// Where the operator page is, without a slash at the end.
    pub fn operator_page(&self) -> &str {
        &self.ready.operator
    }

    /// The operator.
    pub fn operator(&self) -> Operator {
        Operator::new(&self.ready.operator, &self.token)
    }

    /// Ends it with `SIGKILL`, at whatever instruction it is.
    ///
    /// # Errors
    /// Where the system does not tell how it ended.
    pub async fn kill(mut self) -> Result<(), SupportError> {
        self.process.kill().await
    }

    /// Asks it to end, and kills it after ten seconds.
    ///
    /// # Errors
    /// Where the system does not tell how it ended.
    pub async fn stop(mut self) -> Result<(), SupportError> {
        self.process.stop(Duration::from_secs(10)).await
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// Where the system does not tell how it ended.
    pub async fn ended(&mut self) -> Result<(), SupportError> {
        self.process.ended().await
    }
}

/// The addresses, if the line is the one that tells them.
fn ready(line: &str) -> Option<Ready> {
    let mut ready: Ready = serde_json::from_str(line).ok()?;
    for url in [&mut ready.public, &mut ready.operator] {
        url.truncate(url.trim_end_matches('/').len());
    }
    ready.ready.then_some(ready)
}

#[cfg(test)]
mod tests {
    use super::ready;

    #[test]
    fn only_the_line_that_says_ready_is_taken() {
        let line = |whether| {
            format!(r#"{{"ready":{whether},"public":"http://a/","operator":"http://b"}}"#)
        };
        let taken = ready(&line(true)).unwrap();
        assert_eq!((taken.public.as_str(), taken.operator.as_str()), ("http://a", "http://b"));
        assert_eq!(ready(&line(false)), None);
        assert_eq!(ready("postern is starting"), None);
    }
}

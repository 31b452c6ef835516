//! The host that is attacked: a real data folder with the sample shop, one honest
//! skill, every hostile one, and rules that give the hostile ones all they ask for.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use toml_edit::value;

use super::{
    attack::{Attack, Guest},
    component,
    peers::{OPEN, Peers},
};
use crate::{
    exempt,
    host::{self, DataFolder, SkillFiles},
    notice, paths, shop,
};

/// A secret that only the host may know.
pub(crate) const TOKEN: &str = "s3cret-of-the-peer-0123456789";
/// The same for another server.
const OTHER_TOKEN: &str = "s3cret-of-another-9876543210";
/// What they are permitted, beside the rules that come with Postern.
const RULES: &str = "hostile.cedar";
/// The skill that must go on working.
const HONEST: &str = "order-status";
/// What a manifest says of a component that has none of its own.
const MANIFEST: &str = r#"[skill]
id = "{id}"
version = "0.1.0"
description = "A hostile skill for tests."
publisher = "postern tests"

[[settings]]
name = "one"
description = "Something that the host has to hand over in a list."
default = "a value"

[[tools]]
name = "attack"
description = "Attacks."
read_only = true
idempotent = true
reversible = false
arguments = { type = "object" }
"#;
/// The data folder.
pub(crate) struct World {
    pub(crate) data: DataFolder,
    guests: PathBuf,
}

/// Why an attack was not tried.
pub(crate) enum Prepared {
    /// It is installed.
    Ready,
    /// It could not be installed, for this reason.
    Refused(String),
    /// What is needed to build it is not here.
    Missing,
}

impl World {
    /// A folder with everything but the hostile skills.
    pub(crate) async fn build(peers: &Peers) -> Result<Self> {
        let data = DataFolder::temporary().await?;
        configure(&data, peers)?;
        let rules = paths::repository().join("tests/guests").join(RULES);
        fs::copy(rules, data.path().join("policies").join(RULES))?;
        exempt::from_duties_of_requests(data.path(), "smuggler")?;
        data.postern(["policy", "apply"]).await?;
        let honest = host::shipped_skills()?.into_iter().find(|skill| folder_is(skill, HONEST));
        data.install(&honest.context("the skill order-status is not built")?).await?;
        let mut records = shop::read(&paths::repository().join("skills/sample-shop.json"))?;
        let today = jiff::Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC).date();
        shop::settle_dates(&mut records, today);
        let file = data.path().join("shop-to-import.json");
        fs::write(&file, serde_json::to_vec(&records)?)?;
        data.import(&file).await?;
        let guests = data.path().join("hostile");
        fs::create_dir(&guests)?;
        Ok(Self { data, guests })
    }

    /// Tries to install the guest of an attack as an operator does.
    pub(crate) async fn install(&self, attack: &Attack) -> Result<Prepared> {
        let Some(files) = self.files(attack)? else { return Ok(Prepared::Missing) };
        let (component, manifest) =
            (files.component.display().to_string(), files.manifest.display().to_string());
        let grant = attack.entry.grant.as_str();
        let arguments = [
            "skill",
            "install",
            &component,
            "--manifest",
            &manifest,
            "--grant",
            grant,
            "--allow-unsigned",
        ];
        let ended = self.data.try_postern(arguments).await?;
        if ended.status.success() {
            return Ok(Prepared::Ready);
        }
        let complaint = String::from_utf8_lossy(&ended.stderr).into_owned();
        // A crash is no refusal.
        ensure!(ended.status.code() == Some(1), "{}: {complaint}", ended.status);
        Ok(Prepared::Refused(complaint))
    }

    /// Component and manifest of a guest; none if it is not built because what
    /// builds it is not here.
    fn files(&self, attack: &Attack) -> Result<Option<SkillFiles>> {
        let files = match &attack.guest {
            Guest::Skill(name) => match built(name)? {
                Some(files) => files,
                None => return Ok(None),
            },
            Guest::Text(name) => self.write(attack, &component::from_text(name)?)?,
            Guest::Made(name) => self.write(attack, &component::made(name)?)?,
        };
        if attack.entry.links.is_empty() {
            return Ok(Some(files));
        }
        // A folder of its own, whose assets are what the attack wants them to be.
        let folder = self.guests.join(&attack.entry.name);
        let assets = folder.join("assets");
        fs::create_dir_all(&assets)?;
        for link in &attack.entry.links {
            symlink("/etc/passwd", assets.join(link))?;
        }
        let manifest = folder.join("skill.toml");
        fs::copy(&files.manifest, &manifest)?;
        Ok(Some(SkillFiles { component: files.component, manifest }))
    }

    fn write(&self, attack: &Attack, bytes: &[u8]) -> Result<SkillFiles> {
        let folder = self.guests.join(&attack.entry.name);
        fs::create_dir_all(&folder)?;
        let files = SkillFiles {
            component: folder.join("component.wasm"),
            manifest: folder.join("skill.toml"),
        };
        fs::write(&files.component, bytes)?;
        let mut manifest = MANIFEST.replace("{id}", &attack.entry.name);
        for interface in &attack.entry.requests {
            manifest += &format!(
                "\n[[capabilities]]\ninterface = \"{interface}\"\nreason = \"It attacks.\"\n"
            );
        }
        fs::write(&files.manifest, manifest)?;
        Ok(files)
    }

    /// The number of the generation that is active.
    pub(crate) fn generation(&self) -> Result<String> {
        let path = self.data.path().join("skills").join("current");
        fs::read_to_string(&path).with_context(|| path.display().to_string())
    }

    /// The files outside of `secrets` in which a secret stands.
    pub(crate) fn leaks(&self) -> Result<BTreeSet<PathBuf>> {
        let mut found = BTreeSet::new();
        search(self.data.path(), &mut found)?;
        Ok(found)
    }
}

fn folder_is(skill: &SkillFiles, name: &str) -> bool {
    skill.manifest.parent().and_then(Path::file_name).is_some_and(|folder| folder == name)
}

/// A guest of a folder. Those that are not written in Rust need programs that not
/// every machine has.
fn built(name: &str) -> Result<Option<SkillFiles>> {
    let folder = paths::repository().join("tests").join("guests");
    let manifest = folder.join(name).join("skill.toml");
    let component = folder.join("target/wasm32-wasip2/release").join(format!("{name}.wasm"));
    if component.is_file() {
        return Ok(Some(SkillFiles { component, manifest }));
    }
    let rust = folder.join(name).join("Cargo.toml").is_file();
    ensure!(!rust, "{} is missing; run `cargo xtask build-skills` first", component.display());
    notice::skip(
        &format!("attacks of the guest {name}"),
        "`cargo xtask build-skills` says what it needs",
    );
    Ok(None)
}

fn configure(data: &DataFolder, peers: &Peers) -> Result<()> {
    data.write_secret("peer-token", TOKEN)?;
    data.write_secret("other-token", OTHER_TOKEN)?;
    let (peer, canary) = (peers.peer, peers.canary.port());
    data.edit_config(|config| {
        config["limits"]["cpu_ms"] = value(200);
        config["limits"]["wall_ms"] = value(3_000);
        // A small pool is one whose every place is used in the first round, so
        // that memory which grows later is memory that was lost.
        config["limits"]["concurrent_calls"] = value(4);
    })?;
    let path = data.path().join("postern.toml");
    let mut config = fs::read_to_string(&path)?;
    config += &format!(
        r#"
[endpoints.peer]
url = "http://{peer}{OPEN}/"
private = ["127.0.0.0/8"]
[endpoints.peer.grants.smuggler]
methods = ["GET", "POST"]
paths = ["*"]
secrets = ["peer-token"]
timeout_ms = 400
response_kib = 256

# A public name that turns out to be inside.
[endpoints.rebinder]
url = "https://rebind.example:{canary}/"
[endpoints.rebinder.grants.smuggler]
timeout_ms = 400

# A name that has always been inside.
[endpoints.inside]
url = "https://localhost:{canary}/"
[endpoints.inside.grants.smuggler]
timeout_ms = 400

[secrets.peer-token]
value = {{ file = "secrets/peer-token" }}
endpoint = "peer"
header = "authorization"
prefix = "Bearer "

[secrets.other-token]
value = {{ file = "secrets/other-token" }}
endpoint = "rebinder"
header = "authorization"
prefix = "Bearer "
"#
    );
    fs::write(&path, config)?;
    Ok(())
}

fn search(folder: &Path, found: &mut BTreeSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        // Where secrets belong, and what has been there before the attacks.
        if ["secrets", "skills", "hostile"].iter().any(|name| path.ends_with(name)) {
            continue;
        }
        if path.is_dir() {
            search(&path, found)?;
        } else if holds_secret(&fs::read(&path).with_context(|| path.display().to_string())?) {
            found.insert(path);
        }
    }
    Ok(())
}

/// Whether a secret stands in these bytes.
pub(crate) fn holds_secret(bytes: &[u8]) -> bool {
    forms(TOKEN)
        .iter()
        .chain(&forms(OTHER_TOKEN))
        .any(|form| bytes.windows(form.len()).any(|part| part == form.as_bytes()))
}

/// A secret as it is, and as somebody might write it to get it past a filter.
fn forms(secret: &str) -> [String; 5] {
    let each = |byte: fn(u8) -> String| secret.bytes().map(byte).collect::<String>();
    [
        secret.to_owned(),
        each(|byte| format!("{byte:02x}")),
        each(|byte| format!("{byte:02X}")),
        each(|byte| format!("%{byte:02X}")),
        each(|byte| format!("\\u{byte:04x}")),
    ]
}

/// Puts what is known at run time into the arguments of an attack.
pub(crate) fn fill(value: &Value, peers: &Peers) -> Value {
    match value {
        Value::String(text) => {
            let (head, tail) = TOKEN.split_at(TOKEN.len() / 2);
            let filled = text
                .replace("{peer}", &format!("http://{}{OPEN}", peers.peer))
                .replace("{peer-port}", &peers.peer.port().to_string())
                .replace("{canary}", &peers.canary.port().to_string())
                .replace("{token-head}", head)
                .replace("{token-tail}", tail);
            Value::String(filled)
        }
        Value::Array(items) => items.iter().map(|item| fill(item, peers)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, field)| (name.clone(), fill(field, peers))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

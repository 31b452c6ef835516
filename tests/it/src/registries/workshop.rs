//! A folder in which an author works, with credentials of its own.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use postern_test_support::host;
use tempfile::TempDir;
use tokio::process::Command;

use crate::setup::skill;

/// A command that should refuse something and does not would run on.
const LIMIT: Duration = Duration::from_secs(60);

pub(super) struct Workshop {
    folder: TempDir,
    docker: TempDir,
}

impl Workshop {
    pub(super) fn build() -> Result<Self> {
        Ok(Self { folder: tempfile::tempdir()?, docker: tempfile::tempdir()? })
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where the docker configuration lies, and credential helpers.
    pub(super) fn docker(&self) -> &Path {
        self.docker.path()
    }

    /// A skill that comes with Postern, as one file NAME.wasm.
    pub(super) async fn packed(&self, name: &str) -> Result<PathBuf> {
        let files = skill(name)?;
        let component = files.component.display().to_string();
        let manifest = files.manifest.display().to_string();
        let out = format!("{name}.wasm");
        self.succeeds(&["skill", "pack", &component, "--manifest", &manifest, "-o", &out]).await?;
        Ok(self.file(&out))
    }

    /// Signs with `author.key`, which is made.
    pub(super) async fn sign(&self, packed: &Path) -> Result<()> {
        self.succeeds(&["trust", "keygen", "author", "--no-password"]).await?;
        let packed = packed.display().to_string();
        self.succeeds(&["skill", "sign", &packed, "--key", "author.key"]).await?;
        Ok(())
    }

    /// What the manifest of a skill says under `[skill]`.
    pub(super) fn about(&self, name: &str, field: &str) -> Result<String> {
        let manifest: toml_edit::DocumentMut =
            fs::read_to_string(skill(name)?.manifest)?.parse()?;
        Ok(manifest["skill"][field].as_str().with_context(|| format!("no {field}"))?.to_owned())
    }

    /// A credential helper that says this for every registry, and a configuration with it.
    pub(super) fn helper(&self, says: &str) -> Result<()> {
        let program = self.docker().join("docker-credential-test");
        fs::write(&program, format!("#!/bin/sh\ncat >/dev/null\ncat <<'END'\n{says}\nEND\n"))?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
        fs::write(self.docker().join("config.json"), r#"{"credsStore": "test"}"#)?;
        Ok(())
    }

    /// Runs a command that must succeed, and answers what it printed.
    pub(super) async fn succeeds(&self, arguments: &[&str]) -> Result<String> {
        let (code, out, told) = self.run(arguments).await?;
        ensure!(code == Some(0), "postern {}: {code:?}: {told}", arguments.join(" "));
        Ok(out)
    }

    /// Runs a command that must fail with this reason and leave no file behind; answers
    /// all that it printed.
    pub(super) async fn refuses(&self, arguments: &[&str], reason: &str) -> Result<String> {
        let before = self.names()?;
        let (code, out, told) = self.run(arguments).await?;
        let what = arguments.join(" ");
        ensure!(code == Some(1), "postern {what}: {code:?}: {out}{told}");
        ensure!(told.contains(reason), "postern {what}: not {reason:?} but {told}");
        let after = self.names()?;
        ensure!(before == after, "postern {what} left {after:?}, not {before:?}");
        Ok(out + &told)
    }

    async fn run(&self, arguments: &[&str]) -> Result<(Option<i32>, String, String)> {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(host::binary()?);
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("DOCKER_CONFIG", self.docker())
            .env("PATH", format!("{}:{path}", self.docker().display()))
            .env_remove("POSTERN_DATA")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let ended = tokio::time::timeout(LIMIT, command.output()).await;
        let ended = ended.with_context(|| format!("postern {arguments:?} does not end"))??;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok((ended.status.code(), text(&ended.stdout), text(&ended.stderr)))
    }

    fn names(&self) -> Result<Vec<PathBuf>> {
        let entries = fs::read_dir(self.folder.path())?;
        let mut names = entries.map(|e| Ok(e?.path())).collect::<Result<Vec<_>>>()?;
        names.sort();
        Ok(names)
    }
}

/// The section that cargo-auditable leaves in what it builds: JSON in a zlib stream, here
/// with one stored block (RFC 1950 and 1951).
pub(super) fn built_from(json: &str) -> Vec<u8> {
    let name = b".dep-v0";
    let length = u16::try_from(json.len()).unwrap_or(u16::MAX);
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in json.bytes() {
        a = (a + u32::from(byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    let mut content = vec![u8::try_from(name.len()).unwrap_or_default()];
    content.extend(name);
    content.extend([0x78, 0x01, 0x01]);
    content.extend(length.to_le_bytes());
    content.extend((!length).to_le_bytes());
    content.extend(json.bytes());
    content.extend(((b << 16) | a).to_be_bytes());
    let mut section = vec![0];
    let mut rest = content.len();
    while rest > 127 {
        section.push(u8::try_from(rest & 127).unwrap_or_default() | 128);
        rest >>= 7;
    }
    section.push(u8::try_from(rest).unwrap_or_default());
    section.extend(content);
    section
}

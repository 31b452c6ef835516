//! Credentials for registries, from where docker and its like keep them:
//! `$DOCKER_CONFIG/config.json` or `~/.docker/config.json`.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{ErrorKind, Read as _},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose};
use serde::Deserialize;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::Command,
};

use super::SourceError;

/// Bytes of the file, and of what a helper says.
const MOST_BYTES: u64 = 1024 * 1024;
/// A helper may ask its keeper, but not for ever.
const PATIENCE: Duration = Duration::from_secs(30);
/// The user of an identity token, as helpers say it.
const TOKEN_USER: &str = "<token>";

/// Who we are to a registry.
#[derive(PartialEq, Eq)]
pub(super) enum Credentials {
    /// A user with a password.
    Password { user: String, password: String },
    /// A token that is exchanged for others (OAuth 2.0, refresh token).
    Identity(String),
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Config {
    auths: BTreeMap<String, Auth>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Auth {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Helped {
    username: String,
    secret: String,
}

/// What the docker configuration has for a registry; none if there is no file or nothing
/// in it.
pub(super) async fn find(registry: &str) -> Result<Option<Credentials>, SourceError> {
    let Some(file) = file() else { return Ok(None) };
    let wrong = |reason| SourceError::Credentials { registry: registry.to_owned(), reason };
    let Some(text) = read(&file).map_err(|reason| wrong(in_file(&file, reason)))? else {
        return Ok(None);
    };
    // An error of the parser would quote from the file.
    let config: Config = serde_json::from_slice(&text)
        .map_err(|error| wrong(in_file(&file, format!("line {} makes no sense", error.line()))))?;
    match config.of(registry) {
        Ok(Found::Helper { program, server }) => ask(&program, &server).await.map_err(wrong),
        Ok(Found::Here(credentials)) => Ok(Some(credentials)),
        Ok(Found::Nothing) => Ok(None),
        Err(reason) => Err(wrong(in_file(&file, reason.to_owned()))),
    }
}

fn file() -> Option<PathBuf> {
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".docker"));
    let folder = std::env::var_os("DOCKER_CONFIG").filter(|folder| !folder.is_empty());
    Some(folder.map(PathBuf::from).or_else(home)?.join("config.json"))
}

fn in_file(file: &Path, reason: String) -> String {
    format!("{}: {reason}", file.display())
}

fn read(file: &Path) -> Result<Option<Vec<u8>>, String> {
    let mut text = Vec::new();
    match File::open(file).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut text)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
        Ok(_) if text.len() as u64 > MOST_BYTES => Err(format!("more than {MOST_BYTES} bytes")),
        Ok(_) => Ok(Some(text)),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Found {
    Helper { program: String, server: String },
    Here(Credentials),
    Nothing,
}

impl Config {
    /// In the order in which docker looks: a helper for the registry, the file itself, the
    /// store of all.
    fn of(mut self, registry: &str) -> Result<Found, &'static str> {
        let is = |key: &str| host_of(key) == host_of(registry);
        // Docker Hub's credentials have a name of their own.
        let server = match host_of(registry) {
            "index.docker.io" => "https://index.docker.io/v1/".to_owned(),
            _ => registry.to_owned(),
        };
        let helper = self.cred_helpers.iter().find(|(key, name)| is(key) && !name.is_empty());
        if let Some((_, program)) = helper {
            return Ok(Found::Helper { program: program.clone(), server });
        }
        let exact = self.auths.remove(registry);
        let auth = exact.or_else(|| self.auths.into_iter().find(|(key, _)| is(key)).map(|a| a.1));
        if let Some(credentials) = auth.map(Auth::credentials).transpose()?.flatten() {
            return Ok(Found::Here(credentials));
        }
        if self.creds_store.is_empty() {
            return Ok(Found::Nothing);
        }
        Ok(Found::Helper { program: self.creds_store, server })
    }
}

/// `https://registry.example/v2/` and `registry.example` are one; so are the names of Docker Hub.
fn host_of(key: &str) -> &str {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
    let host = bare.unwrap_or(key).split('/').next().unwrap_or_default();
    match host {
        "docker.io" | "registry-1.docker.io" => "index.docker.io",
        host => host,
    }
}

impl Auth {
    fn credentials(self) -> Result<Option<Credentials>, &'static str> {
        if !self.identitytoken.is_empty() {
            return Ok(Some(Credentials::Identity(self.identitytoken)));
        }
        if !self.auth.is_empty() {
            let padding = base64::engine::DecodePaddingMode::Indifferent;
            let any =
                general_purpose::GeneralPurposeConfig::new().with_decode_padding_mode(padding);
            let engine = general_purpose::GeneralPurpose::new(&base64::alphabet::STANDARD, any);
            let decoded = engine.decode(self.auth).ok().and_then(|b| String::from_utf8(b).ok());
            let pair = decoded.as_deref().and_then(|pair| pair.split_once(':'));
            let (user, password) = pair.ok_or("its auth is not base64 of user:password")?;
            // Some tools fill what they take from C with zeros.
            let (user, password) = (user.to_owned(), password.trim_end_matches('\0').to_owned());
            return Ok(Some(Credentials::Password { user, password }));
        }
        if !self.username.is_empty() && !self.password.is_empty() {
            let (user, password) = (self.username, self.password);
            return Ok(Some(Credentials::Password { user, password }));
        }
        Ok(None)
    }
}

/// Asks `docker-credential-NAME` (the protocol of docker-credential-helpers): the server's
/// name goes in, JSON comes out.
async fn ask(name: &str, server: &str) -> Result<Option<Credentials>, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !name.chars().all(plain) {
        return Err("the name of a credential helper is letters, digits, dots, _ and -".to_owned());
    }
    let program = format!("docker-credential-{name}");
    match tokio::time::timeout(PATIENCE, talk(&program, server)).await {
        Err(_) => Err(format!("{program} did not answer within {} s", PATIENCE.as_secs())),
        Ok(Err(error)) => Err(format!("{program}: {error}")),
        Ok(Ok(Said::Failed)) => Err(format!("{program} fails")),
        Ok(Ok(Said::Nothing)) => Ok(None),
        Ok(Ok(Said::This(said))) => {
            let helped: Helped = serde_json::from_slice(&said)
                .map_err(|_| format!("{program} does not answer as a credential helper"))?;
            let (user, secret) = (helped.username, helped.secret);
            Ok(Some(if user == TOKEN_USER {
                Credentials::Identity(secret)
            } else {
                Credentials::Password { user, password: secret }
            }))
        }
    }
}

enum Said {
    This(Vec<u8>),
    Nothing,
    Failed,
}

async fn talk(program: &str, server: &str) -> std::io::Result<Said> {
    let mut child = Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that does not read it says so by how it ends.
        let _unread = stdin.write_all(server.as_bytes()).await;
    }
    let mut said = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(MOST_BYTES).read_to_end(&mut said).await?;
    }
    if child.wait().await?.success() {
        return Ok(Said::This(said));
    }
    // The words of all helpers when they have nothing (docker-credential-helpers, error.go).
    let nothing = String::from_utf8_lossy(&said).contains("credentials not found");
    Ok(if nothing { Said::Nothing } else { Said::Failed })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(config: &str, registry: &str) -> Result<Found, &'static str> {
        serde_json::from_str::<Config>(config).unwrap().of(registry)
    }

    fn password(user: &str, password: &str) -> Found {
        Found::Here(Credentials::Password { user: user.into(), password: password.into() })
    }

    #[test]
    fn credentials_are_found_under_all_names_that_a_registry_has() {
        // "me:geheim" with and without padding.
        let config = r#"{"auths": {"registry.example": {"auth": "bWU6Z2VoZWlt"},
            "https://quay.io/v2/": {"auth": "bWU6eA"},
            "https://index.docker.io/v1/": {"username": "me", "password": "hub"},
            "empty.example": {}, "bad.example": {"auth": "????"},
            "token.example": {"identitytoken": "t", "auth": "bWU6eA"}}, "other": 1}"#;
        assert_eq!(found(config, "registry.example"), Ok(password("me", "geheim")));
        assert_eq!(found(config, "quay.io"), Ok(password("me", "x")));
        assert_eq!(found(config, "docker.io"), Ok(password("me", "hub")));
        assert_eq!(found(config, "empty.example"), Ok(Found::Nothing));
        assert_eq!(found(config, "registry.example.example"), Ok(Found::Nothing));
        assert!(found(config, "bad.example").is_err());
        let token = Found::Here(Credentials::Identity("t".into()));
        assert_eq!(found(config, "token.example"), Ok(token));
    }

    #[test]
    fn helpers_come_before_the_file_and_the_store_after_it() {
        let config = r#"{"auths": {"a.example": {"auth": "bWU6eA=="}, "b.example": {}},
            "credHelpers": {"a.example": "gcloud"}, "credsStore": "pass"}"#;
        let helper = |program: &str, server: &str| {
            Ok(Found::Helper { program: program.into(), server: server.into() })
        };
        assert_eq!(found(config, "a.example"), helper("gcloud", "a.example"));
        assert_eq!(found(config, "b.example"), helper("pass", "b.example"));
        assert_eq!(found(config, "docker.io"), helper("pass", "https://index.docker.io/v1/"));
    }

    #[test]
    fn credentials_are_never_printed() {
        let secret = Credentials::Password { user: "me".into(), password: "geheim".into() };
        assert_eq!(format!("{secret:?}"), "[redacted]");
    }

    #[tokio::test]
    async fn a_helper_is_a_program_and_not_a_path() {
        assert!(ask("../../bin/sh", "x").await.unwrap_err().contains("the name of a credential"));
        assert!(ask("not-here", "x").await.unwrap_err().starts_with("docker-credential-not-here"));
    }
}

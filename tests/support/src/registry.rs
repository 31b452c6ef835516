//! OCI registries: the real one of Debian, and one that lies.

mod lying;

use std::{fs, path::Path, time::Duration};

use postern_domain::Digest;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

pub use self::lying::{Lie, Lying};
use crate::{
    SupportError,
    http::{checked, http_client},
    notice,
    process::Process,
};

/// Who may use a registry that asks.
pub const USER: &str = "author";
/// Their password.
pub const PASSWORD: &str = "registry-password";
/// bcrypt of it, with few rounds because tests wait for them.
const HTPASSWD: &str = "author:$2b$05$b1Cgync/9fMqXPp6k799UO4qnUlvPhnkdB50hx/ErhXr5Zh5pAp0K\n";

/// The `docker-registry` of Debian, on loopback, with a folder of its own. It ends when
/// this is dropped.
#[derive(Debug)]
pub struct Registry {
    address: String,
    client: reqwest::Client,
    password: bool,
    _process: Process,
    _folder: TempDir,
}

impl Registry {
    /// Starts one that takes anybody; `None` where the program is missing, after
    /// [`notice::skip`].
    ///
    /// # Errors
    /// Where it does not start.
    ///
    /// # Panics
    /// Where it is missing in CI.
    pub async fn start() -> Result<Option<Self>, SupportError> {
        Self::with(false).await
    }

    /// Starts one that takes only [`USER`] with [`PASSWORD`].
    ///
    /// # Errors
    /// As [`Registry::start`].
    ///
    /// # Panics
    /// As [`Registry::start`].
    pub async fn start_with_password() -> Result<Option<Self>, SupportError> {
        Self::with(true).await
    }

    async fn with(password: bool) -> Result<Option<Self>, SupportError> {
        let there = std::process::Command::new("docker-registry").arg("--version").output();
        if !there.is_ok_and(|output| output.status.success()) {
            notice::skip("tests against a registry", "install docker-registry");
            return Ok(None);
        }
        let folder = tempfile::tempdir().map_err(SupportError::file(std::env::temp_dir()))?;
        let config = configure(folder.path(), password)?;
        // It tells where it listens on standard error.
        let mut command = Command::new("sh");
        command.args(["-c", "exec docker-registry serve \"$0\" 2>&1"]).arg(config);
        let (process, address) = Process::start(
            "docker-registry",
            command,
            folder.path().join("log"),
            Duration::from_secs(30),
            |line| {
                let from = line.split_once("listening on ")?.1;
                Some(from.split(['"', ' ']).next()?.to_owned())
            },
        )
        .await?;
        let client = http_client();
        Ok(Some(Self { address, client, password, _process: process, _folder: folder }))
    }

    /// `127.0.0.1:PORT`, as it stands in references.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Writes a docker configuration with credentials for it into a folder.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn docker_config(&self, folder: &Path, password: &str) -> Result<(), SupportError> {
        use base64::Engine as _;
        let pair = format!("{USER}:{password}");
        let auth = base64::engine::general_purpose::STANDARD.encode(pair);
        let config = serde_json::json!({ "auths": { self.address(): { "auth": auth } } });
        let path = folder.join("config.json");
        fs::write(&path, config.to_string()).map_err(SupportError::file(path))
    }

    /// Puts a blob there, whatever it is, and answers its descriptor.
    ///
    /// # Errors
    /// Where the registry does not take it.
    pub async fn put_blob(
        &self,
        repository: &str,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Value, SupportError> {
        let digest = Digest::of_bytes(bytes).to_string();
        let what = "POST blobs/uploads";
        let url = format!("http://{}/v2/{repository}/blobs/uploads/", self.address);
        let begun = checked(self.as_user(self.client.post(url)), what).await?;
        let to = begun.headers().get("location").and_then(|to| to.to_str().ok());
        let to = to.unwrap_or_default().to_owned();
        let put = self.client.put(to).query(&[("digest", &digest)]).body(bytes.to_vec());
        checked(self.as_user(put), "PUT blobs/uploads").await?;
        Ok(serde_json::json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() }))
    }

    /// Puts a manifest there, whatever it says.
    ///
    /// # Errors
    /// Where the registry does not take it.
    pub async fn put_manifest(
        &self,
        repository: &str,
        tag: &str,
        manifest: &Value,
    ) -> Result<(), SupportError> {
        let url = format!("http://{}/v2/{repository}/manifests/{tag}", self.address);
        let media_type = manifest["mediaType"].as_str().unwrap_or_default().to_owned();
        let put = self.client.put(url).header("content-type", media_type);
        checked(self.as_user(put.body(manifest.to_string())), "PUT manifests").await.map(drop)
    }

    /// A manifest as it lies there.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn manifest(&self, repository: &str, tag: &str) -> Result<Value, SupportError> {
        let url = format!("http://{}/v2/{repository}/manifests/{tag}", self.address);
        let get = self.client.get(url).header(
            "accept",
            "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json",
        );
        let answer = checked(self.as_user(get), "GET manifests").await?;
        answer.json().await.map_err(SupportError::http("GET manifests"))
    }

    fn as_user(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        if self.password { request.basic_auth(USER, Some(PASSWORD)) } else { request }
    }
}

/// Its configuration (JSON is YAML, too).
fn configure(folder: &Path, password: bool) -> Result<std::path::PathBuf, SupportError> {
    let mut config = serde_json::json!({
        "version": "0.1",
        "log": { "level": "info", "formatter": "text", "accesslog": { "disabled": true } },
        "storage": { "filesystem": { "rootdirectory": folder.join("blobs") } },
        "http": { "addr": "127.0.0.1:0", "secret": "of a test" },
    });
    if password {
        let users = folder.join("htpasswd");
        fs::write(&users, HTPASSWD).map_err(SupportError::file(&users))?;
        config["auth"] = serde_json::json!({ "htpasswd": { "realm": "test", "path": users } });
    }
    let path = folder.join("config.yml");
    fs::write(&path, config.to_string()).map_err(SupportError::file(&path))?;
    Ok(path)
}

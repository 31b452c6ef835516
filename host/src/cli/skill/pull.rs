//! `postern skill pull`

use std::{
    fs::{self, File, Permissions},
    io::{ErrorKind, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use clap::Args;
use postern_domain::Digest;
use serde_json::json;
use tempfile::NamedTempFile;

use crate::{
    cli::{Context, output, output::out},
    redaction,
    registry::Source,
    source::{FetchLimits, Fetched, Location, fetch},
};

/// Arguments of `postern skill pull`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Pull {
    /// `oci://registry/repository:tag`, the same with `@sha256:…`, or `https://…`.
    source: Location,
    /// The file; by default the name in the source, in this folder.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The digest that the component must have; needed for https.
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    sha256: Option<Digest>,
    /// Also write what it was built from (CycloneDX), if the registry has that.
    #[arg(long)]
    sbom: bool,
    /// Replace files that are there.
    #[arg(long)]
    force: bool,
    /// Seconds that it may take altogether.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
}

impl Pull {
    pub(in crate::cli) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let file = match &self.out {
            Some(file) => file.clone(),
            None => PathBuf::from(name(&self.source)?),
        };
        let limits = FetchLimits { wall: Duration::from_secs(self.timeout), ..Default::default() };
        if !context.json {
            redaction::tell(&format!("· fetching {}", self.source));
        }
        let fetched = fetch(&self.source, self.sha256, &limits).await?;
        let written = write(&file, &fetched, self.sbom, self.force)?;
        self.told(context, &fetched, &written)
    }

    fn told(&self, context: &Context, fetched: &Fetched, written: &Written) -> anyhow::Result<()> {
        let digest = Digest::of_bytes(&fetched.bytes);
        let from = match (&self.source, &fetched.source) {
            (Location::Oci(reference), Source::Oci { manifest, .. }) => {
                reference.at(*manifest).to_string()
            }
            (source, _) => source.to_string(),
        };
        if context.json {
            return output::json(&json!({
                "source": from,
                "file": written.component,
                "digest": digest,
                "bytes": fetched.bytes.len(),
                "signature": written.signature,
                "sbom": written.sbom,
            }));
        }
        let file = written.component.display();
        out!("Pulled {from}");
        out!("{file}: {} bytes, {digest}", fetched.bytes.len());
        match &written.signature {
            Some(signature) => out!("{}: its signature, not judged yet", signature.display()),
            None => out!("It is not signed."),
        }
        match &written.sbom {
            Some(sbom) => out!("{}: what it was built from", sbom.display()),
            None if self.sbom => out!("It does not say what it was built from."),
            None => {}
        }
        out!("Next: postern skill install {file}");
        Ok(())
    }
}

/// A digest with or without `sha256:`, as tools print it.
pub(in crate::cli) fn digest(text: &str) -> Result<Digest, String> {
    let whole = if text.contains(':') { text.to_owned() } else { format!("sha256:{text}") };
    whole.to_lowercase().parse().map_err(|error| format!("{error}"))
}

/// The last part of the source's name.
fn name(source: &Location) -> anyhow::Result<String> {
    let last = match source {
        Location::Path(path) => {
            anyhow::bail!("{} is a path: there is nothing to pull", path.display())
        }
        Location::Oci(reference) => reference.repository().rsplit('/').next().unwrap_or_default(),
        Location::Https(url) => url.path().rsplit('/').next().unwrap_or_default(),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let base = last.strip_suffix(".wasm").unwrap_or(last);
    anyhow::ensure!(
        !base.is_empty() && !base.starts_with('.') && base.chars().all(plain),
        "{source} names no file; say where to write it with --out"
    );
    Ok(format!("{base}.wasm"))
}

struct Written {
    component: PathBuf,
    signature: Option<PathBuf>,
    sbom: Option<PathBuf>,
}

/// All files, or none: each is whole on disk before the first gets its name, and the
/// component gets its name last.
fn write(file: &Path, fetched: &Fetched, sbom: bool, force: bool) -> anyhow::Result<Written> {
    let mut signature_file = file.as_os_str().to_owned();
    signature_file.push(".minisig");
    let signature_file = PathBuf::from(signature_file);
    let sbom_file = file.with_extension("cdx.json");
    let sbom = fetched.sbom.as_ref().filter(|_| sbom).map(ToString::to_string);
    let signature = fetched.signature.as_ref();
    let parts: Vec<(&Path, &[u8])> = [
        sbom.as_ref().map(|sbom| (sbom_file.as_path(), sbom.as_bytes())),
        signature.map(|signature| (signature_file.as_path(), signature.as_bytes())),
        Some((file, fetched.bytes.as_slice())),
    ]
    .into_iter()
    .flatten()
    .collect();
    // Another component's signature must not stand beside this one.
    for path in [signature_file.as_path(), file].into_iter().chain(parts.iter().map(|p| p.0)) {
        anyhow::ensure!(
            force || !path.exists(),
            "{} is there already; name another file with --out, or replace it with --force",
            path.display()
        );
    }
    let staged: Vec<_> =
        parts.iter().map(|part| stage(part.0, part.1)).collect::<Result<_, _>>()?;
    if signature.is_none() && force {
        match fs::remove_file(&signature_file) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| signature_file.display().to_string());
            }
            _ => {}
        }
    }
    let mut named: Vec<&Path> = Vec::new();
    for (staged, (path, _)) in staged.into_iter().zip(&parts) {
        let done = if force { staged.persist(path) } else { staged.persist_noclobber(path) };
        if let Err(error) = done {
            if !force {
                // They were not there before.
                named.iter().for_each(|path| drop(fs::remove_file(path)));
            }
            return Err(error.error).with_context(|| path.display().to_string());
        }
        named.push(path);
    }
    File::open(folder(file)).and_then(|folder| folder.sync_all())?;
    Ok(Written {
        component: file.to_owned(),
        signature: signature.map(|_| signature_file.clone()),
        sbom: sbom.map(|_| sbom_file.clone()),
    })
}

fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A file without a name of its own, which is gone if nobody gives it one.
fn stage(path: &Path, bytes: &[u8]) -> anyhow::Result<NamedTempFile> {
    let write = || {
        // As any file that a program writes: what the umask leaves of it.
        let mut staged = tempfile::Builder::new()
            .prefix(".postern-pull-")
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder(path))?;
        staged.write_all(bytes)?;
        staged.as_file().sync_all()?;
        Ok::<_, std::io::Error>(staged)
    };
    write().with_context(|| format!("cannot write beside {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetched(signature: Option<&str>) -> Fetched {
        Fetched {
            bytes: b"\0asm".to_vec(),
            signature: signature.map(str::to_owned),
            sbom: Some(json!({})),
            source: Source::Https { url: "https://example.com/a.wasm".to_owned() },
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
        let mut names: Vec<_> = entries.map(|entry| name(entry.unwrap())).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_named_after_the_last_part_of_the_source() {
        let named = |text: &str| name(&text.parse().unwrap()).ok();
        assert_eq!(named("oci://a.example/b/orders:1").as_deref(), Some("orders.wasm"));
        assert_eq!(named("https://a.example/x/orders.wasm").as_deref(), Some("orders.wasm"));
        assert_eq!(named("https://a.example/"), None);
        assert_eq!(named("https://a.example/%2e%2e%2fx"), None);
        assert_eq!(named("https://a.example/.bashrc"), None);
    }

    #[test]
    fn all_files_are_written_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.wasm");
        write(&file, &fetched(Some("signed")), true, false).unwrap();
        assert_eq!(names(folder.path()), ["a.cdx.json", "a.wasm", "a.wasm.minisig"]);

        let told = write(&file, &fetched(None), false, false).err().unwrap().to_string();
        assert!(told.contains("is there already"), "{told}");
        fs::remove_file(&file).unwrap();
        let told = write(&file, &fetched(None), false, false).err().unwrap().to_string();
        assert!(told.contains("a.wasm.minisig is there already"), "{told}");
        assert_eq!(names(folder.path()), ["a.cdx.json", "a.wasm.minisig"]);

        // Replaced, and nobody else's signature is left beside it.
        write(&file, &fetched(None), false, true).unwrap();
        assert_eq!(names(folder.path()), ["a.cdx.json", "a.wasm"]);
        assert!(write(&folder.path().join("no/a.wasm"), &fetched(None), false, false).is_err());
        assert_eq!(names(folder.path()), ["a.cdx.json", "a.wasm"]);
    }

    #[test]
    fn digests_are_taken_as_tools_print_them() {
        let digest_of = Digest::of_bytes(b"x");
        assert_eq!(digest(&digest_of.hex().to_uppercase()), Ok(digest_of));
        assert_eq!(digest(&digest_of.to_string()), Ok(digest_of));
        assert!(digest("md5:12").is_err());
    }
}

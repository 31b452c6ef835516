//! `postern skill pack`: a skill as one file.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use postern_runtime::Bounds;

use crate::{
    cli::{Context, output, output::out},
    config::Config,
    durable::Folder,
    registry::{Candidate, read_folder_or_file},
    trust::Statement,
};

/// Arguments of `postern skill pack`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Pack {
    /// A skill's folder that was built, or a component (.wasm).
    skill: PathBuf,
    /// The manifest; by default skill.toml beside the component, or the one that it carries.
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// The file to write; by default ID-VERSION.wasm here.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Pack {
    pub(in crate::cli) fn run(self, context: &Context) -> anyhow::Result<()> {
        let skill = read(context, &self.skill, self.manifest.as_deref())?;
        let Statement { id, version, digest } = Statement::of(&skill.manifest, skill.digest());
        let out = self.out.unwrap_or_else(|| PathBuf::from(format!("{id}-{version}.wasm")));
        write(&out, skill.bytes())?;
        let (file, size) = (out.display(), skill.bytes().len());
        if context.json {
            return output::json(&serde_json::json!({
                "id": id,
                "version": version,
                "file": out,
                "size": size,
                "digest": digest,
            }));
        }
        out!("Packed {id}@{version} into {file}: {size} bytes, {digest}");
        out!("Sign it with: postern skill sign {file} --key KEY");
        Ok(())
    }
}

/// A skill from this machine, packed.
pub(super) fn read(
    context: &Context,
    skill: &Path,
    manifest: Option<&Path>,
) -> anyhow::Result<Candidate> {
    Ok(read_folder_or_file(skill, manifest, &bounds(context)?)?)
}

/// What the host of the data folder accepts, or any host if there is none.
pub(super) fn bounds(context: &Context) -> anyhow::Result<Bounds> {
    Ok(if has_folder(context) { Config::load(&context.data)?.bounds() } else { Bounds::default() })
}

/// Authors need no data folder.
pub(super) fn has_folder(context: &Context) -> bool {
    context.data.join(crate::config::FILE_NAME).is_file()
}

/// Writes a file whole or not at all.
pub(super) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let shown = || path.display().to_string();
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .with_context(|| format!("{} is no name of a file", shown()))?;
    Folder::open(folder.unwrap_or(Path::new(".")), &[])
        .and_then(|folder| folder.write(name, bytes))
        .with_context(shown)
}

//! `postern skill build`

use std::{path::PathBuf, time::Duration};

use anyhow::Context as _;
use clap::Args;

use crate::{
    author::{self, BUILD_WALL, BuildOptions, Built, Stop},
    cli::{Context, output, output::out, serve::interrupted},
    redaction,
};

/// Options of a build.
#[derive(Debug, Args)]
pub(in crate::cli) struct Build {
    /// The skill's folder.
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Build quicker: larger, slower, easier to debug.
    #[arg(long)]
    debug: bool,
    /// Fail if the lock file does not fit, instead of bringing it up to date.
    #[arg(long)]
    locked: bool,
    /// Seconds that each program may take.
    #[arg(long, value_name = "SECONDS", default_value_t = BUILD_WALL.as_secs())]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
}

impl Build {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let options = BuildOptions {
            debug: self.debug,
            locked: self.locked,
            wall: Duration::from_secs(self.timeout),
            stop: Stop::default(),
        };
        let built = build(self.folder, options).await?;
        if context.json {
            return output::json(&serde_json::json!({
                "file": built.file, "skill": built.manifest.skill.id, "bytes": built.bytes,
                "version": built.manifest.skill.version, "digest": built.digest,
                "language": built.language.as_str(),
            }));
        }
        let Built { file, manifest, digest, bytes, .. } = built;
        out!("{} {}: {}", manifest.skill.id, manifest.skill.version, file.display());
        out!("{bytes} bytes, {digest}");
        Ok(())
    }
}

/// Ends a build that nobody waits for any more.
struct EndsWith(Stop);

impl Drop for EndsWith {
    fn drop(&mut self) {
        self.0.now();
    }
}

/// Builds off the threads that answer; an interrupt ends it with everything that it
/// started.
pub(super) async fn build(folder: PathBuf, options: BuildOptions) -> anyhow::Result<Built> {
    let stop = options.stop.clone();
    let _ends = EndsWith(stop.clone());
    let mut building = tokio::task::spawn_blocking(move || {
        author::build(&folder, &options, &|what| redaction::tell(&format!("· {what}")))
    });
    let built = tokio::select! {
        built = &mut building => built,
        interrupt = interrupted() => {
            interrupt?;
            stop.now();
            building.await
        }
    };
    Ok(built.context("the build did not end as it should")??)
}

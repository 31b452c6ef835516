//! `postern skill new`

use std::path::PathBuf;

use clap::Args;
use postern_domain::SkillId;

use crate::{
    author::{Language, NewSkill, Template},
    cli::{Context, output, output::out},
};

/// Options of a new skill.
#[derive(Debug, Args)]
pub(in crate::cli) struct New {
    /// The skill's id and its folder's name: lower-case letters, digits and hyphens.
    name: SkillId,
    /// The language: rust, js (JavaScript or TypeScript) or python.
    #[arg(long, default_value = "rust", value_name = "LANGUAGE")]
    lang: Language,
    /// What it does at first. lookup: read a record of the customer and answer. http: ask
    /// another server. action: change something after the customer's yes. escalation: open
    /// a ticket and hand over to a person.
    #[arg(long, default_value = "lookup")]
    template: Template,
    /// Who answers for the skill, as operators see it.
    #[arg(long, default_value = "Example Shop")]
    publisher: String,
    /// The folder in which the skill's folder is made.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
}

impl New {
    pub(super) fn run(self, context: &Context) -> anyhow::Result<()> {
        let Self { name: id, lang: language, template, publisher, dir } = self;
        let folder = NewSkill { id, publisher, language, template }.make(&dir)?;
        if context.json {
            return output::json(&serde_json::json!({
                "folder": folder, "language": language.as_str(), "template": template.as_str(),
            }));
        }
        let shown = folder.strip_prefix(".").unwrap_or(&folder).display();
        out!("Made {shown}. Try it:");
        out!("  cd {shown}");
        out!("  postern skill test");
        out!("  postern skill dev --init-only");
        out!("  postern --data .postern chat");
        out!("and say: {}", template.first_words());
        // What is missing is said now rather than by the first build.
        if let Err(error) = language.toolchain().check(&folder) {
            out!("\nBefore that: {error}");
        }
        Ok(())
    }
}

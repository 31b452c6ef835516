//! Skills in JavaScript, TypeScript and Python, from `postern skill new` to an answer.
//!
//! The tools are fetched once, into the target folder. What cannot be made here is
//! skipped with a message, and a failure in CI.

mod types;
mod workshop;

use std::{fs, time::Instant};

use anyhow::{Context as _, Result, ensure};
use postern_test_support::host::DataFolder;
use toml_edit::{DocumentMut, Item, Table};

use self::workshop::{Language, Workshop};

/// Who asks for a booking has to say who they are first.
const LINES: &str = "What about my booking B-1001?\nada@example.com\n";
const ANSWER: &str = "Booking B-1001: ";

/// Makes a skill of a template and holds what its own tests and scenarios say.
async fn made(language: Language, template: &str) -> Result<Option<Workshop>> {
    let Some(workshop) = Workshop::new(language, template).await? else { return Ok(None) };
    if !workshop.build().await? {
        return Ok(None);
    }
    workshop.own_tests().await?;
    workshop.postern(&["skill", "test", "--no-build"]).await?;
    Ok(Some(workshop))
}

/// The same with a conversation in the author's own world and one at an operator's.
async fn answers(language: Language) -> Result<Option<Workshop>> {
    let Some(workshop) = Workshop::new(language, "lookup").await? else { return Ok(None) };
    if !workshop.build().await? {
        return Ok(None);
    }
    let began = Instant::now();
    workshop.postern(&["skill", "dev", "--init-only"]).await?;
    let said = workshop.chat(LINES).await?;
    eprintln!(
        "{}: from `postern skill new` to an answer {:.1} s, of which {:.1} s for tools and a first \
         build",
        language.name(),
        workshop.age().as_secs_f64(),
        workshop.age().as_secs_f64() - began.elapsed().as_secs_f64(),
    );
    ensure!(said.contains(ANSWER), "{said}");
    workshop.own_tests().await?;
    workshop.postern(&["skill", "test", "--no-build"]).await?;
    at_an_operators(&workshop).await?;
    Ok(Some(workshop))
}

/// What an operator does with one file and the author's proposals.
async fn at_an_operators(workshop: &Workshop) -> Result<()> {
    let data = DataFolder::temporary().await?;
    let (skill, name) = (workshop.folder(), workshop.name());
    let wanted: DocumentMut = fs::read_to_string(skill.join("dev/host.toml"))?.parse()?;
    data.edit_config(|config| merge(config.as_table_mut(), wanted.as_table()))?;
    data.import(&skill.join("dev/records.json")).await?;
    let rules = data.path().join("policies").join(format!("{name}.cedar"));
    fs::copy(skill.join("policy.cedar"), rules)?;
    data.postern(["policy", "apply"]).await?;
    let packed = skill.join("target/skill").join(format!("{name}.wasm"));
    let packed = packed.to_str().context("a path that is no text")?;
    let install = ["skill", "install", packed, "--grant", "requested", "--allow-unsigned"];
    data.postern(install).await?;
    let said = data.postern_with_input(["chat"], LINES).await?;
    ensure!(said.contains(ANSWER), "{said}");
    Ok(())
}

/// Puts in what is wanted, tables of tables one by one.
fn merge(into: &mut Table, wanted: &Table) {
    for (name, item) in wanted {
        match (into.get_mut(name).and_then(Item::as_table_mut), item.as_table()) {
            (Some(into), Some(wanted)) => merge(into, wanted),
            _ => {
                into.insert(name, item.clone());
            }
        }
    }
}

/// What the build says of a skill that it cannot make.
async fn refusal(workshop: &Workshop) -> Result<String> {
    let output = workshop.try_postern(&["skill", "build"]).await?;
    ensure!(!output.status.success(), "it was built");
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Takes a capability out of the manifest of an escalation.
fn take_out(workshop: &Workshop, capability: &str) -> Result<()> {
    let path = workshop.folder().join("skill.toml");
    let mut manifest: DocumentMut = fs::read_to_string(&path)?.parse()?;
    let capabilities = manifest["capabilities"].as_array_of_tables_mut().context("capabilities")?;
    capabilities.retain(|table| table["interface"].as_str() != Some(capability));
    fs::write(&path, manifest.to_string())?;
    Ok(())
}

#[tokio::test]
async fn a_lookup_in_javascript_answers_its_author_and_an_operator() -> Result<()> {
    let Some(_) = answers(Language::JavaScript).await? else { return Ok(()) };
    types::of_javascript().await
}

#[tokio::test]
async fn a_lookup_in_python_answers_its_author_and_an_operator() -> Result<()> {
    let Some(_) = answers(Language::Python).await? else { return Ok(()) };
    Ok(())
}

#[tokio::test]
async fn a_request_in_javascript_does_as_the_one_in_rust() -> Result<()> {
    made(Language::JavaScript, "http").await.map(drop)
}

#[tokio::test]
async fn a_request_in_python_does_as_the_one_in_rust() -> Result<()> {
    made(Language::Python, "http").await.map(drop)
}

#[tokio::test]
async fn an_action_in_javascript_does_as_the_one_in_rust() -> Result<()> {
    made(Language::JavaScript, "action").await.map(drop)
}

#[tokio::test]
async fn an_action_in_python_does_as_the_one_in_rust() -> Result<()> {
    let Some(workshop) = made(Language::Python, "action").await? else { return Ok(()) };
    types::of_python(&workshop).await
}

#[tokio::test]
async fn an_escalation_in_typescript_is_checked_and_does_as_the_one_in_rust() -> Result<()> {
    let Some(workshop) = Workshop::new(Language::JavaScript, "escalation").await? else {
        return Ok(());
    };
    let source = workshop.folder().join("src/skill.ts");
    fs::rename(workshop.folder().join("src/skill.js"), &source)?;
    if !workshop.build().await? {
        return Ok(());
    }
    workshop.postern(&["skill", "test", "--no-build"]).await?;

    let written = fs::read_to_string(&source)?;
    fs::write(&source, format!("{written}\nexport const wrong: number = 'a text';\n"))?;
    let said = refusal(&workshop).await?;
    ensure!(said.contains("skill.ts") && said.contains("TS2322"), "{said}");

    fs::write(&source, written)?;
    take_out(&workshop, "ticket")?;
    let said = refusal(&workshop).await?;
    ensure!(said.contains("uses `postern/ticket`, but skill.toml does not ask for it"), "{said}");
    ensure!(said.contains("interface = \"ticket\""), "{said}");
    Ok(())
}

#[tokio::test]
async fn an_escalation_in_python_does_as_the_one_in_rust() -> Result<()> {
    let Some(workshop) = made(Language::Python, "escalation").await? else { return Ok(()) };
    take_out(&workshop, "ticket")?;
    let said = refusal(&workshop).await?;
    ensure!(said.contains("uses `postern.ticket`, but skill.toml does not ask for it"), "{said}");
    ensure!(said.contains("File \"src/skill.py\"") && !said.contains("Stack backtrace"), "{said}");
    Ok(())
}

#[tokio::test]
async fn what_is_missing_is_named_with_what_to_install() -> Result<()> {
    for (language, program, install) in [
        (Language::JavaScript, "`node` is missing", "Node.js 20 or newer with npm"),
        (Language::Python, "`python3` is missing", "apt-get install python3 python3-venv"),
    ] {
        let Some(workshop) = Workshop::without_programs(language).await? else { continue };
        let said = refusal(&workshop).await?;
        ensure!(said.contains(program) && said.contains(install), "{said}");
    }
    Ok(())
}

#[tokio::test]
async fn the_libraries_pass_their_own_tests() -> Result<()> {
    for language in [Language::JavaScript, Language::Python] {
        if language.is_here().await {
            language.test(&language.library()).await?;
        }
    }
    Ok(())
}

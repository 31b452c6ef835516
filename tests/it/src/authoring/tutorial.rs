//! The tutorial, done as it says.
//!
//! Blocks of `sh` are run line by line, and must succeed (`sh fails`: the last line must
//! not). A `text` block after one holds what is said: each line stands in the output,
//! `…` for anything; lines with `you>` are typed. Blocks of `toml FILE` are written,
//! `diff` ones are applied.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, Result, bail, ensure};
use postern_test_support::{host, paths};
use tokio::{io::AsyncWriteExt as _, process::Command};

use super::bench::prepared;

/// One block of code.
struct Block {
    line: usize,
    info: String,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in page.lines().enumerate() {
        match (line.strip_prefix("```"), open.as_mut()) {
            (Some(info), None) => {
                open = Some(Block { line: number + 1, info: info.to_owned(), text: String::new() });
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    found
}

/// Somebody who does what the page says.
struct Reader {
    folder: PathBuf,
    path: String,
}

impl Reader {
    async fn run(&self, line: &str, input: &str) -> Result<(bool, String)> {
        let mut shell = Command::new("sh");
        prepared(&mut shell).args(["-c", &format!("{line} 2>&1")]).current_dir(&self.folder);
        shell.env("PATH", &self.path).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = shell.spawn()?;
        let mut stdin = child.stdin.take().context("no standard input")?;
        // Most commands read nothing.
        let _unread = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        let output = child.wait_with_output().await?;
        Ok((output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned()))
    }

    /// Runs a block of commands and answers what they said together.
    async fn commands(&mut self, block: &Block, input: &str) -> Result<String> {
        let mut all = String::new();
        let lines: Vec<&str> = block.text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            if let Some(folder) = line.strip_prefix("cd ") {
                self.folder.push(folder);
                continue;
            }
            let last = number + 1 == lines.len();
            let (succeeded, said) = self.run(line, if last { input } else { "" }).await?;
            let wanted = !(block.info == "sh fails" && last);
            ensure!(
                succeeded == wanted,
                "line {}: `{line}` said:\n{said}",
                block.line + number + 1
            );
            all.push_str(&said);
        }
        Ok(all)
    }
}

/// Whether a line has these parts in their order, whatever `…` stands for.
fn fits(wanted: &str, line: &str) -> bool {
    let mut rest = line;
    wanted.split('…').map(str::trim).filter(|part| !part.is_empty()).all(|part| {
        let found = rest.find(part).map(|at| &rest[at + part.len()..]);
        found.inspect(|left| rest = left).is_some()
    })
}

fn holds(block: &Block, said: &str) -> Result<()> {
    for wanted in block.text.lines().filter(|line| !line.starts_with("you> ")) {
        // The prompt stands before what is said to typed lines that nobody sees.
        let wanted = wanted.trim_start_matches("postern> ");
        let found =
            said.lines().any(|line| fits(wanted, line)) || fits(wanted, &said.replace('\n', " "));
        ensure!(found, "line {}: {wanted:?} is not in:\n{said}", block.line);
    }
    Ok(())
}

#[tokio::test]
async fn the_tutorial_does_what_it_says() -> Result<()> {
    let page = fs::read_to_string(paths::repository().join("docs/tutorial.md"))?;
    let temporary = tempfile::tempdir()?;
    let program = host::binary()?;
    let beside = program.parent().context("the program lies nowhere")?;
    let path = format!("{}:{}", beside.display(), env::var("PATH").unwrap_or_default());
    let mut reader = Reader { folder: temporary.path().to_owned(), path };
    let blocks = blocks(&page);
    ensure!(blocks.len() > 15, "only {} blocks were found", blocks.len());
    for (number, block) in blocks.iter().enumerate() {
        let words: Vec<&str> = block.info.split(' ').collect();
        match words[..] {
            ["sh"] | ["sh", "fails"] => {
                let next = blocks.get(number + 1).filter(|next| next.info == "text");
                let typed = next.map_or("", |next| next.text.as_str()).lines();
                let typed: String = typed
                    .filter_map(|line| line.strip_prefix("you> "))
                    .map(|line| format!("{line}\n"))
                    .collect();
                let said = reader.commands(block, &typed).await?;
                if let Some(next) = next {
                    holds(next, &said)?;
                }
            }
            ["text"] => {}
            ["toml", file] => fs::write(reader.folder.join(file), &block.text)?,
            ["diff"] => apply(&reader, block).await?,
            _ => bail!("line {}: nobody knows what to do with `{}`", block.line, block.info),
        }
    }
    Ok(())
}

/// Applies a difference; it must fit where it says.
async fn apply(reader: &Reader, block: &Block) -> Result<()> {
    let file = reader.folder.join("change.diff");
    fs::write(&file, &block.text)?;
    let (done, said) = reader.run("git apply change.diff", "").await?;
    ensure!(done, "line {}: {said}", block.line);
    Ok(fs::remove_file(Path::new(&file))?)
}

#[test]
fn dots_stand_for_anything() {
    assert!(fits("… e-mail address …", "tell me the e-mail address that you use"));
    assert!(fits("a … c", "a b c") && !fits("c … a", "a b c"));
}

//! Skills in Rust, from `postern skill new` to an answer at an operator's.
//!
//! They are compiled into one folder below `target`, so that what they share is compiled
//! once. There, cargo tells skills apart by their names alone, so each has its own.

mod bench;
mod dev;
mod tutorial;

use std::fs;

use anyhow::{Context as _, Result, ensure};
use postern_test_support::{host::DataFolder, paths};

use self::bench::{Bench, merge_config, run};

/// A conversation with a template's skill, and what is said in it.
struct Talk {
    template: &'static str,
    lines: &'static str,
    /// In the author's own world.
    answer: &'static str,
    /// At an operator's, where no server stands in for another.
    at_an_operators: &'static str,
}

const LOOKUP: Talk = Talk {
    template: "lookup",
    lines: "What about my booking B-1001?\nada@example.com\n",
    answer: "Booking B-1001: a bicycle service, Friday at ten. It is confirmed.",
    at_an_operators: "Booking B-1001: a bicycle service, Friday at ten. It is confirmed.",
};

const HTTP: Talk = Talk {
    template: "http",
    lines: "Is there an outage in the south?\n",
    answer: "There is an outage in the south, and we are working on it. A cable was cut",
    at_an_operators: "I cannot see at the moment how the service stands.",
};

const ACTION: Talk = Talk {
    template: "action",
    lines: "Please pause my subscription S-1001\nada@example.com\nyes\n",
    answer: "Done. Subscription S-1001 (a vegetable box) is paused.",
    at_an_operators: "Done. Subscription S-1001 (a vegetable box) is paused.",
};

const ESCALATION: Talk = Talk {
    template: "escalation",
    lines: "The heating in my flat is broken\n",
    answer: "I have reported the heating. A person will answer you here within two hours.",
    at_an_operators: "I have reported the heating. A person will answer you here within two hours.",
};

/// All that the author does, and then the operator.
async fn holds(talk: Talk) -> Result<()> {
    let bench = Bench::new(talk.template).await?;
    let built = bench.postern(&["skill", "build", "--locked"]).await.context(
        "if the lock file does not fit: make a skill, run `cargo update --workspace` in it, and \
         copy its Cargo.lock to sdk/templates/rust/shared",
    )?;
    ensure!(built.contains("target/skill/") && built.contains(" bytes, "), "{built}");
    bench.postern(&["skill", "dev", "--init-only"]).await?;
    let said = bench.chat(talk.lines).await?;
    eprintln!("rust, {}: {:.1} s from nothing to an answer", talk.template, bench.age());
    ensure!(said.contains(talk.answer), "{said}");

    bench.postern(&["skill", "test", "--no-build"]).await?;
    bench.cargo(&["test", "--quiet"]).await?;
    bench.cargo(&["fmt", "--check"]).await?;
    at_an_operators(&bench, &talk).await
}

/// What an operator does with one file and the author's proposals.
async fn at_an_operators(bench: &Bench, talk: &Talk) -> Result<()> {
    let data = DataFolder::temporary().await?;
    let skill = bench.folder();
    merge_config(&data, &skill.join("dev/host.toml"))?;
    data.import(&skill.join("dev/records.json")).await?;
    let rules = data.path().join("policies").join(format!("{}.cedar", bench.name()));
    fs::copy(skill.join("policy.cedar"), rules)?;
    data.postern(["policy", "apply"]).await?;
    let packed = skill.join("target/skill").join(format!("{}.wasm", bench.name()));
    let packed = packed.to_str().context("a path that is no text")?;
    let install = ["skill", "install", packed, "--grant", "requested", "--allow-unsigned"];
    data.postern(install).await?;
    let said = data.postern_with_input(["chat"], talk.lines).await?;
    ensure!(said.contains(talk.at_an_operators), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_lookup_in_rust_answers_its_author_and_an_operator() -> Result<()> {
    holds(LOOKUP).await
}

#[tokio::test]
async fn a_request_in_rust_answers_its_author_and_an_operator() -> Result<()> {
    holds(HTTP).await
}

#[tokio::test]
async fn an_action_in_rust_answers_its_author_and_an_operator() -> Result<()> {
    holds(ACTION).await
}

#[tokio::test]
async fn an_escalation_in_rust_answers_its_author_and_an_operator() -> Result<()> {
    holds(ESCALATION).await
}

#[tokio::test]
async fn the_same_source_makes_the_same_bytes_wherever_it_lies() -> Result<()> {
    let (one, other) =
        (Bench::named("twin", "lookup").await?, Bench::named("twin", "lookup").await?);
    let mut made = Vec::new();
    // What one build left must not be taken for the other: cargo names both alike.
    for (bench, target) in [(&one, "authoring"), (&other, "authoring-twin")] {
        let target = paths::repository().join("target").join(target);
        // What steers other builds must not steer this one.
        let mut build = bench.command(&["skill", "build", "--locked"])?;
        build
            .env("RUSTFLAGS", format!("--cfg=x{}", made.len()))
            .env("CARGO_PROFILE_RELEASE_LTO", "off");
        build.env("CARGO_TARGET_DIR", target);
        run(build.current_dir(bench.folder())).await?;
        made.push(fs::read(bench.folder().join("target/skill/twin.wasm"))?);
    }
    ensure!(made[0] == made[1], "{} and {} bytes differ", made[0].len(), made[1].len());
    let folder = one.folder();
    let path = folder.to_str().context("a path that is no text")?;
    ensure!(!String::from_utf8_lossy(&made[0]).contains(path), "{path} is in the component");
    Ok(())
}

#[tokio::test]
async fn what_is_missing_is_said_with_the_command_that_installs_it() -> Result<()> {
    let bench = Bench::new("lookup").await?;
    let build = |path: &std::path::Path| {
        let mut command = bench.command(&["skill", "build"])?;
        command.env("PATH", path).current_dir(bench.folder());
        anyhow::Ok(command)
    };
    let nothing = paths::repository().join("tests/it/src");
    let said = run(&mut build(&nothing)?).await.unwrap_err().to_string();
    ensure!(said.contains("no Rust compiler") && said.contains("rustup.rs"), "{said}");

    // A compiler that knows no target but its own.
    let programs = bench.folder().join("programs");
    fs::create_dir(&programs)?;
    let fake =
        "#!/bin/sh\ncase \"$1\" in --version) echo 'rustc 1.99.0';; *) echo /nowhere;; esac\n";
    bench::write_program(&programs.join("rustc"), fake)?;
    let said = run(&mut build(&programs)?).await.unwrap_err().to_string();
    ensure!(said.contains("rustup target add wasm32-wasip2"), "{said}");
    Ok(())
}

#[tokio::test]
async fn errors_of_the_compiler_are_shown_as_they_are_and_change_nothing() -> Result<()> {
    let bench = Bench::named("mistaken", "escalation").await?;
    bench.postern(&["skill", "build"]).await?;
    let file = bench.folder().join("target/skill").join(format!("{}.wasm", bench.name()));
    let before = fs::read(&file)?;
    let source = bench.folder().join("src/lib.rs");
    let text = fs::read_to_string(&source)?;
    fs::write(&source, format!("{text}\nfn wrong() -> u32 {{ \"a text\" }}\n"))?;
    let said = bench.postern(&["skill", "build"]).await.unwrap_err().to_string();
    ensure!(said.contains("error[E0308]") && said.contains("src/lib.rs:"), "{said}");
    ensure!(said.contains("compiling failed"), "{said}");
    ensure!(fs::read(&file)? == before, "the last build is gone");
    Ok(())
}

#[tokio::test]
async fn a_skill_that_is_there_is_not_written_over() -> Result<()> {
    let bench = Bench::new("lookup").await?;
    let again = ["skill", "new", bench.name(), "--dir", ".."];
    let said = bench.postern(&again).await.unwrap_err().to_string();
    ensure!(said.contains("exists already"), "{said}");
    let said = bench.postern(&["skill", "new", "Two Words"]).await.unwrap_err().to_string();
    ensure!(said.contains("lower-case letters"), "{said}");
    let said = bench.postern(&["skill", "new", "x", "--lang", "cobol"]).await.unwrap_err();
    ensure!(said.to_string().contains("choose rust, js or python"), "{said}");
    Ok(())
}

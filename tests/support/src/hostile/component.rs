//! Components that no compiler makes: written as text, or put together here.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::paths;

/// Where a guest's own file stands in for a part of the frame.
const FRAME: &str = "frame.wat";
const MEMORY: &str = "memory.wat";

/// The folder of guests that are written as text.
pub(crate) fn folder() -> PathBuf {
    paths::repository().join("tests").join("guests").join("wat")
}

/// The component of a text: the text itself if it is a whole component, otherwise
/// put into the frame.
pub(crate) fn from_text(name: &str) -> Result<Vec<u8>> {
    let folder = folder();
    let path = folder.join(format!("{name}.wat"));
    let text = read(&path)?;
    let text = if text.contains("(component") { text } else { framed(&folder, &text)? };
    wat::parse_str(&text).with_context(|| path.display().to_string())
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| path.display().to_string())
}

fn framed(folder: &Path, guest: &str) -> Result<String> {
    let memory = match guest.contains("(core module $memory") {
        true => String::new(),
        false => read(&folder.join(MEMORY))?,
    };
    let encoding = if guest.contains(";; strings: utf16") { "utf16" } else { "utf8" };
    let frame = read(&folder.join(FRAME))?;
    Ok(frame
        .replace("{{memory}}", &memory)
        .replace("{{guest}}", guest)
        .replace("{{encoding}}", encoding))
}

/// Bytes that are made here, because as text they would be too long.
pub(crate) fn made(name: &str) -> Result<Vec<u8>> {
    let honest = || from_text("honest");
    Ok(match name {
        "no-wasm" => b"#!/bin/sh\nrm -rf /\n".to_vec(),
        "core-module" => wat::parse_str("(module (func (export \"call\")))")?,
        "cut-off" => {
            let mut bytes = honest()?;
            bytes.truncate(bytes.len() / 2);
            bytes
        }
        "too-large" => {
            let mut bytes = honest()?;
            custom_section(&mut bytes, 40 << 20);
            bytes
        }
        "custom-sections" => {
            let mut bytes = honest()?;
            for _ in 0..30 {
                custom_section(&mut bytes, 1 << 20);
            }
            bytes
        }
        "many-sections" => {
            let mut bytes = honest()?;
            for _ in 0..200_000 {
                custom_section(&mut bytes, 1);
            }
            bytes
        }
        "length-lies" => {
            let mut bytes = honest()?;
            // A custom section of 4 GiB less one byte, of which nothing is there.
            bytes.extend_from_slice(&[0, 0xff, 0xff, 0xff, 0xff, 0x0f]);
            bytes
        }
        "nested" => nested(2_000)?,
        "many-imports" => {
            let imports =
                (0..5_000).map(|n| format!("(import \"wasi:io/poll@0.2.{n}\" (instance))\n"));
            wat::parse_str(format!("(component {})", imports.collect::<String>()))?
        }
        "many-exports" => {
            let exports = (0..5_000).map(|n| format!("(export \"e{n}\" (instance $none))\n"));
            let exports: String = exports.collect();
            wat::parse_str(format!("(component (instance $none) {exports})"))?
        }
        "many-modules" => {
            let modules = "(core module)\n".repeat(5_000);
            wat::parse_str(format!("(component {modules})"))?
        }
        "long-name" => {
            let name = "x".repeat(90_000);
            wat::parse_str(format!("(component (import \"{name}\" (instance)))"))?
        }
        "slow-to-compile" => slow_to_compile()?,
        other => bail!("nothing called {other:?} is made here"),
    })
}

/// Appends a length as WebAssembly writes it: seven bits a byte.
fn length(bytes: &mut Vec<u8>, mut length: usize) {
    while length > 0x7f {
        bytes.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
}

/// Appends a custom section with this many bytes of content.
fn custom_section(bytes: &mut Vec<u8>, size: usize) {
    bytes.push(0);
    // Its name has one byte, and so has the length of the name.
    length(bytes, size + 2);
    bytes.extend_from_slice(b"\x01z");
    bytes.resize(bytes.len() + size, 0);
}

/// A component in a component in a component.
fn nested(depth: usize) -> Result<Vec<u8>> {
    let mut inner = wat::parse_str("(component)")?;
    for _ in 0..depth {
        let mut outer = inner[..8].to_vec();
        outer.push(4);
        length(&mut outer, inner.len());
        outer.extend_from_slice(&inner);
        inner = outer;
    }
    Ok(inner)
}

/// One function whose code takes far longer to compile than its size suggests:
/// each of many values lives from the function's beginning to its end, across a
/// great number of branches.
fn slow_to_compile() -> Result<Vec<u8>> {
    let text = read(&folder().join("honest.wat"))?;
    let locals = 8_000;
    let sets: String = (0..locals)
        .map(|n| format!("(local.set {n} (i32.load (i32.const {})))\n", n * 4))
        .collect();
    let branches: String = (0..6_000)
        .map(|n| {
            let (a, b) = (n % locals, (n * 7 + 13) % locals);
            format!(
                "(block (br_if 0 (local.get {a})) (local.set {b} (i32.add (local.get {a}) \
                 (local.get {b}))))\n"
            )
        })
        .collect();
    let sums: String = (0..locals)
        .map(|n| format!("(i32.store (i32.const {}) (local.get {n}))\n", n * 4))
        .collect();
    let kinds = "i32 ".repeat(locals);
    let function = format!(
        "  (func (export \"slow\") (local {kinds})\n{sets}(loop {branches}(br_if 0 (local.get 1)))\n{sums})\n"
    );
    let module = text.rfind(')').context("honest.wat ends with a bracket")?;
    let text = format!("{}{function})", &text[..module]);
    wat::parse_str(framed(&folder(), &text)?).context("the function that is slow to compile")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_and_everything_made_is_what_it_says() {
        for entry in std::fs::read_dir(folder()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().and_then(|name| name.to_str()).unwrap();
            let is_text = path.extension().is_some_and(|extension| extension == "wat");
            if is_text && !["frame", "memory"].contains(&name) {
                let bytes = from_text(name).unwrap();
                assert_eq!(bytes[..8], *b"\0asm\x0d\0\x01\0", "{name}");
            }
        }
        assert!(made("custom-sections").unwrap().len() > 30 << 20);
        assert!(made("nothing").is_err());
    }
}

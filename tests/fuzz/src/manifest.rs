//! The reader of `skill.toml`: never panics, tells what is wrong in bounded words,
//! and what it accepts can be kept and used.

use anyhow::ensure;
use fastrand::Rng;
use postern::registry::{check_usable, parse_manifest};
use postern_domain::Manifest;
use postern_runtime::Limits;

use crate::{
    mutate::mutate,
    runner::{Ending, Target},
    seeds,
};

/// Bytes of an error. One may repeat a line of the file, bounded.
const MOST_ERROR_BYTES: usize = 4_096;

const WORDS: [&[u8]; 26] = [
    b"[[tools]]\n",
    b"[[intents]]\n",
    b"[[capabilities]]\n",
    b"[[settings]]\n",
    b"[limits]\n",
    b"[limits.interface_calls]\n",
    b"name = \"x\"\n",
    b"interface = \"http\"\n",
    b"reason = \"x\"\n",
    b"memory_mib = 4294967295\n",
    b"cpu_ms = -1\n",
    b"wall_ms = 99999999999999999999\n",
    b"pattern = \"(a+)+$\"\n",
    b"pattern = \"((((((((((a{99}){99}){99}\"\n",
    b"arguments = { type = \"object\", properties = {} }\n",
    b"{ \"$ref\" = \"#\" }",
    b"\"$ref\" = \"https://example.com/schema\",",
    b"pattern = \"^(([a-z])+.)+[A-Z]([a-z])+$\",",
    b"version = \"1.0.0-\xf0\x9f\xa6\x80\"\n",
    b"\"\"\"",
    b"[[[[[[[[",
    b"{{{{{{{{",
    b"\\u0000",
    b"\xe2\x80\xae",
    b"1e999",
    b"0000-00-00T00:00:00Z",
];

/// Values at which readers go wrong.
const VALUES: [&[u8]; 17] = [
    b" 0",
    b" -1",
    b" 4294967295",
    b" 4294967296",
    b" 1e308",
    b" nan",
    b" true",
    b" \"\"",
    b" \"\\u0000\"",
    b" \"\\u001B[2J\"",
    b" []",
    b" {}",
    b" [[], [], {}]",
    b" \"..\"",
    b" \"http\"",
    b" \"(a+)+$\"",
    b" { type = \"object\", properties = { a = { pattern = \"(a*)*b\" } }, required = [\"a\"] }",
];

pub(crate) struct Manifests(Vec<Vec<u8>>);

impl Manifests {
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self(seeds::manifests()?))
    }
}

impl Target for Manifests {
    fn name(&self) -> &'static str {
        "manifest"
    }

    fn input(&mut self, random: &mut Rng, kept: &[Vec<u8>]) -> anyhow::Result<Vec<u8>> {
        let from = if random.u8(..4) == 0 && !kept.is_empty() { kept } else { &self.0 };
        let mut bytes = from[random.usize(..from.len())].clone();
        let other = &self.0[random.usize(..self.0.len())];
        if random.u8(..3) > 0 {
            bytes = by_lines(random, &bytes, other);
        }
        if random.bool() {
            mutate(random, &mut bytes, other, &WORDS);
        }
        Ok(bytes)
    }

    fn attempt(&mut self, input: &[u8]) -> anyhow::Result<Ending> {
        // A file that is no text does not get as far as the parser.
        let text = String::from_utf8_lossy(input);
        let manifest = match parse_manifest("skill.toml", &text) {
            Ok(manifest) => manifest,
            Err(error) => return refused(&error.to_string()),
        };
        if let Err(error) = check_usable(&manifest) {
            return refused(&error.to_string());
        }
        let ceilings = Limits::default();
        let limits = Limits::for_manifest(&manifest.limits, &ceilings);
        ensure!(
            limits.memory_bytes <= ceilings.memory_bytes
                && limits.cpu <= ceilings.cpu
                && limits.wall <= ceilings.wall
                && limits.host_calls <= ceilings.host_calls,
            "a manifest got more than the ceilings: {limits:?}"
        );
        // A generation keeps manifests as JSON.
        let kept = serde_json::to_string(&manifest)?;
        let again: Manifest = serde_json::from_str(&kept)?;
        ensure!(again == manifest, "a manifest is another one after it was kept");
        Ok(Ending::accepted(format!(
            "{} tools, {} intents, {} capabilities",
            manifest.tools.len(),
            manifest.intents.len(),
            manifest.capabilities.len()
        )))
    }
}

/// Moves whole lines and values about, so that most of what comes out is still TOML.
fn by_lines(random: &mut Rng, bytes: &[u8], other: &[u8]) -> Vec<u8> {
    let split = |bytes: &[u8]| -> Vec<Vec<u8>> {
        bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
    };
    let (mut lines, others) = (split(bytes), split(other));
    for _ in 0..random.usize(1..5) {
        if lines.is_empty() || others.is_empty() {
            break;
        }
        let at = random.usize(..lines.len());
        let line = match random.u8(..4) {
            0 => {
                lines.remove(at);
                continue;
            }
            1 => others[random.usize(..others.len())].clone(),
            2 => lines[random.usize(..lines.len())].clone(),
            _ => {
                // The name of this line with a value from elsewhere.
                let new = match random.u8(..3) {
                    0 if random.u8(..8) == 0 => long(random),
                    0 => VALUES[random.usize(..VALUES.len())].to_vec(),
                    _ => value(&others[random.usize(..others.len())]).to_vec(),
                };
                let name = lines[at].len() - value(&lines[at]).len();
                let mut line = lines.remove(at)[..name].to_vec();
                line.extend(new);
                line.push(b'\n');
                line
            }
        };
        lines.insert(at.min(lines.len()), line);
    }
    lines.concat()
}

/// A text that fills many screens.
fn long(random: &mut Rng) -> Vec<u8> {
    let piece: &[u8] = [&b"x"[..], b"\\u001B[2J", b"\\u202E", b"a|", b"(a"][random.usize(..5)];
    [b" \"", &piece.repeat(random.usize(..10_000))[..], b"\""].concat()
}

/// What stands after the equals sign of a line; nothing if there is none.
fn value(line: &[u8]) -> &[u8] {
    line.iter().position(|byte| *byte == b'=').map_or(&[], |at| &line[at + 1..])
}

fn refused(words: &str) -> anyhow::Result<Ending> {
    ensure!(words.len() <= MOST_ERROR_BYTES, "an error of {} bytes", words.len());
    ensure!(
        !words.contains(|c: char| c.is_control() && c != '\n'),
        "an error with control characters: {words:?}"
    );
    Ok(Ending::refused(words))
}

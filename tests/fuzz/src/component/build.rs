//! Components that no toolchain would make.

use anyhow::Context as _;
use arbitrary::Unstructured;
use fastrand::Rng;
use wasm_smith::{Component, Config, Module};
use wasmparser::{Parser, Payload};

use crate::{
    mutate::{leb128, mutate, noise},
    seeds,
};

/// Bytes from which one module or component is generated.
const MOST_NOISE: usize = 16 << 10;

/// What the module of a guest imports and exports, as `frame.wat` wants it.
const GUEST: &str = r#"(module
    (import "memory" "memory" (memory 2))
    (import "host" "kv-get" (func (param i32 i32 i32)))
    (import "host" "kv-set" (func (param i32 i32 i32 i32 i32 i32)))
    (import "host" "log" (func (param i32 i32 i32 i32 i32)))
    (import "host" "get-stdout" (func (result i32)))
    (import "host" "check-write" (func (param i32 i32)))
    (import "host" "subscribe" (func (param i32) (result i32)))
    (import "host" "block" (func (param i32)))
    (import "host" "drop-stream" (func (param i32)))
    (import "host" "drop-pollable" (func (param i32)))
    (func (export "call")
        (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
        unreachable)
    (func (export "post") (param i32)))"#;

/// The same of the module with the memory and its allocator.
const MEMORY: &str = r#"(module
    (memory (export "memory") 2)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable))"#;

/// Pieces that mean something to whoever reads a component.
const WORDS: [&[u8]; 12] = [
    b"\0asm\x01\0\0\0",
    b"\0asm\x0d\0\x01\0",
    b"\x00\x02\x01z",
    b"\x01\x08\0asm\x01\0\0\0",
    b"\x04\x08\0asm\x0d\0\x01\0",
    b"\xff\xff\xff\xff\x0f",
    b"@0.1.0",
    b"@0.1.1",
    b"@999999.0.0",
    b"postern:http/client",
    b"wasi:sockets/tcp@0.2.0",
    b"memory",
];

pub(super) struct Builder {
    /// Components that toolchains made.
    built: Vec<Vec<u8>>,
    /// A guest that behaves, in the frame for guests that are written as text.
    honest: Vec<u8>,
    guest: Vec<u8>,
    memory: Vec<u8>,
}

impl Builder {
    pub(super) fn new() -> anyhow::Result<Self> {
        let part = |name: &str| seeds::text(&format!("tests/guests/wat/{name}.wat"));
        let text = part("frame")?
            .replace("{{memory}}", &part("memory")?)
            .replace("{{guest}}", &part("honest")?)
            .replace("{{encoding}}", "utf8");
        Ok(Self {
            built: seeds::components()?,
            honest: wat::parse_str(&text).context("tests/guests/wat/frame.wat")?,
            guest: wat::parse_str(GUEST)?,
            memory: wat::parse_str(MEMORY)?,
        })
    }

    pub(super) fn honest(&self) -> Vec<u8> {
        self.honest.clone()
    }

    /// Some component, or something that looks like one.
    pub(super) fn any(&self, random: &mut Rng, kept: &[Vec<u8>]) -> anyhow::Result<Vec<u8>> {
        let noise = noise(random, 0, MOST_NOISE);
        let u = &mut Unstructured::new(&noise);
        let generated = match random.u8(..16) {
            // A skill with random code inside.
            0..6 => self.guest(random, u, false),
            6 | 7 => self.guest(random, u, true),
            8 | 9 => Component::new(config(random), u).map(|component| component.to_bytes()),
            10 => Module::new(config(random), u).map(|module| module.to_bytes()),
            11 if !kept.is_empty() => {
                let from = &kept[random.usize(..kept.len())];
                Ok(self.damaged(random, from, &self.honest))
            }
            12 | 13 => Ok(self.damaged(random, &self.honest, &self.built[0])),
            _ => {
                let from = &self.built[random.usize(..self.built.len())];
                Ok(self.damaged(random, from, &self.honest))
            }
        };
        // Generators run out of noise; then there is only noise.
        let Ok(mut bytes) = generated else { return Ok(noise) };
        if random.u8(..10) == 0 {
            mutate(random, &mut bytes, &self.honest, &WORDS);
        }
        Ok(bytes)
    }

    /// The frame with a random module for the guest, or for its memory.
    fn guest(
        &self,
        random: &mut Rng,
        u: &mut Unstructured<'_>,
        memory: bool,
    ) -> arbitrary::Result<Vec<u8>> {
        let shape = if memory { &self.memory } else { &self.guest };
        let config = Config {
            module_shape: Some(shape.clone()),
            exceptions_enabled: false,
            gc_enabled: false,
            // The engine has no references but those to functions.
            reference_types_enabled: false,
            threads_enabled: false,
            memory64_enabled: false,
            compact_imports_enabled: false,
            custom_page_sizes_enabled: false,
            wide_arithmetic_enabled: false,
            tail_call_enabled: random.bool(),
            max_memory32_bytes: 4 << 20,
            max_table_elements: 20_000,
            max_instructions: random.usize(10..600),
            max_funcs: 40,
            ..Config::default()
        };
        let module = Module::new(config, u)?;
        Ok(with_module(&self.honest, usize::from(!memory), &module.to_bytes()))
    }

    fn damaged(&self, random: &mut Rng, bytes: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        mutate(random, &mut bytes, other, &WORDS);
        bytes
    }
}

/// What random modules and components may be made of: sometimes only what the
/// engine takes, sometimes anything.
fn config(random: &mut Rng) -> Config {
    let anything = random.u8(..4) == 0;
    Config {
        exceptions_enabled: anything,
        gc_enabled: anything,
        reference_types_enabled: anything,
        threads_enabled: anything,
        memory64_enabled: anything,
        compact_imports_enabled: anything,
        custom_page_sizes_enabled: anything,
        wide_arithmetic_enabled: anything,
        generate_custom_sections: true,
        max_nesting_depth: random.usize(1..12),
        max_instructions: 200,
        max_memories: random.usize(1..8),
        max_tables: random.usize(1..8),
        ..Config::default()
    }
}

/// A component with its nth core module replaced.
fn with_module(component: &[u8], nth: usize, module: &[u8]) -> Vec<u8> {
    let mut bytes = component[..8].to_vec();
    let mut section = |id: u8, content: &[u8]| {
        bytes.push(id);
        bytes.extend(leb128(content.len() as u64));
        bytes.extend_from_slice(content);
    };
    let (mut modules, mut depth) = (0, 0);
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload.expect("the component was made here and is valid");
        if depth == 0
            && let Some((id, range)) = payload.as_section()
        {
            let is_module = matches!(payload, Payload::ModuleSection { .. });
            let replace = is_module && modules == nth;
            section(id, if replace { module } else { &component[range] });
            modules += usize::from(is_module);
        }
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            _ => {}
        }
    }
    bytes
}

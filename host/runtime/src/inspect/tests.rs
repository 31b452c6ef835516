use super::*;

fn look(bytes: &[u8]) -> Result<ComponentInfo, InspectError> {
    inspect(bytes, &Bounds::default())
}

/// A component with this text inside.
fn component(inside: &str) -> Vec<u8> {
    wat::parse_str(format!("(component {inside})")).unwrap()
}

/// Checks that a component is refused for having more than `most` of something.
#[track_caller]
fn too_much(bytes: &[u8], bounds: &Bounds, expect: Bound, most: u64) {
    match inspect(bytes, bounds) {
        Err(InspectError::TooMuch { bound, found, most: told }) => {
            assert_eq!((bound, told), (expect, most));
            assert!(found > most, "{found}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_no_component_is_refused() {
    assert!(matches!(look(b""), Err(InspectError::Malformed { .. })));
    assert!(matches!(look(b"#!/bin/sh"), Err(InspectError::Malformed { .. })));
    let module = b"\0asm\x01\0\0\0";
    assert!(matches!(look(module), Err(InspectError::CoreModule)));
    let empty = b"\0asm\x0d\0\x01\0";
    assert!(matches!(look(empty), Err(InspectError::NoTools)));
    assert!(matches!(look(&empty[..6]), Err(InspectError::Malformed { .. })));
}

#[test]
fn size_is_looked_at_before_anything_else() {
    let bounds = Bounds { component_bytes: 10, ..Bounds::default() };
    let error = inspect(&[0; 11], &bounds).unwrap_err().to_string();
    assert_eq!(
        error,
        "the component has 11 bytes; at most 10 are accepted; build it smaller, or raise \
         `component_mib` under [limits] in postern.toml"
    );
    assert!(matches!(inspect(&[0; 10], &bounds), Err(InspectError::Malformed { .. })));
}

#[test]
fn imports_and_exports_are_counted() {
    // Names that the host serves: what it does not is refused at the first one.
    let import = |n: usize| {
        let interface = ["poll", "error", "streams"][n % 3];
        format!(r#"(import "wasi:io/{interface}@0.2.{}" (instance))"#, n / 3 % 13)
    };
    let many: String = (0..39).map(import).collect();
    let bounds = Bounds { imports: 38, ..Bounds::default() };
    too_much(&component(&many), &bounds, Bound::Imports, 38);
    assert!(matches!(look(&component(&many)), Err(InspectError::NoTools)));
    let export = |n| format!(r#"(export "a{n}" (type $t))"#);
    let many: String = (0..257).map(export).collect();
    let many = component(&format!("(type $t u8) {many}"));
    too_much(&many, &Bounds::default(), Bound::Exports, 256);
}

#[test]
fn nesting_is_bounded() {
    let nested = |levels| {
        (0..levels).fold(b"\0asm\x0d\0\x01\0".to_vec(), |inner, _| {
            // The length of the section, in a form that has four bytes at any size.
            let part = |n: usize| u8::try_from(inner.len() >> (7 * n) & 0x7f).unwrap();
            let length = [part(0) | 0x80, part(1) | 0x80, part(2) | 0x80, part(3)];
            [b"\0asm\x0d\0\x01\0\x04", &length[..], &inner].concat()
        })
    };
    assert!(matches!(look(&nested(8)), Err(InspectError::NoTools)));
    too_much(&nested(9), &Bounds::default(), Bound::Nesting, 8);
    // Far deeper than any recursion could follow.
    too_much(&nested(1_000), &Bounds::default(), Bound::Nesting, 8);
}

#[test]
fn modules_and_components_are_counted_at_any_level() {
    let modules = "(core module)".repeat(33);
    let both = component(&format!("{modules} (component {modules})"));
    too_much(&both, &Bounds::default(), Bound::Modules, 64);
    let components = component(&"(component)".repeat(129));
    too_much(&components, &Bounds::default(), Bound::Components, 128);
}

#[test]
fn functions_and_definitions_are_counted_over_all_modules() {
    let module = "(core module (func) (func) (type (func (param i32))))";
    let bounds = Bounds { functions: 3, ..Bounds::default() };
    let two = component(&module.repeat(2));
    too_much(&two, &bounds, Bound::Functions, 3);
    assert!(matches!(look(&two), Err(InspectError::NoTools)));
    let bounds = Bounds { definitions: 3, ..Bounds::default() };
    too_much(&two, &bounds, Bound::Definitions, 3);
}

#[test]
fn custom_sections_are_weighed_wherever_they_are() {
    let bounds = Bounds { custom_bytes: 1_000, ..Bounds::default() };
    let section = |bytes: usize| format!(r#"(@custom "x" "{}")"#, "x".repeat(bytes));
    assert!(matches!(inspect(&component(&section(900)), &bounds), Err(InspectError::NoTools)));
    too_much(&component(&section(1_001)), &bounds, Bound::CustomBytes, 1_000);
    let split = format!("{} (core module {})", section(600), section(600));
    too_much(&component(&split), &bounds, Bound::CustomBytes, 1_000);
    too_much(&component(&section(0).repeat(513)), &Bounds::default(), Bound::CustomSections, 512);
}

#[test]
fn memory_and_tables_from_the_start_are_added_up() {
    let memories = "(core module (memory 513))".repeat(2);
    too_much(&component(&memories), &Bounds::default(), Bound::Memory, 64 << 20);
    let wide = component("(core module (memory i64 0xffffffffffff))");
    too_much(&wide, &Bounds::default(), Bound::Memory, 64 << 20);
    let tables = "(core module (table 50001 funcref))".repeat(2);
    too_much(&component(&tables), &Bounds::default(), Bound::Tables, 100_000);
}

#[test]
fn a_section_that_claims_more_than_it_holds_is_refused() {
    // A module inside with a table section that claims 2^32 - 1 tables.
    let module = b"\0asm\x01\0\0\0\x04\x05\xff\xff\xff\xff\x0f";
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    bytes.push(1);
    bytes.push(u8::try_from(module.len()).unwrap());
    bytes.extend_from_slice(module);
    assert!(matches!(look(&bytes), Err(InspectError::Malformed { .. })));
}

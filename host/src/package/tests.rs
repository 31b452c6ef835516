use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;
use wasm_encoder::{Component, CustomSection, Module, ModuleSection, NestedComponentSection};

use super::*;

fn manifest() -> Manifest {
    toml::from_str(
        r#"
        [skill]
        id = "order-status"
        version = "1.2.0"
        description = "Says where orders are."
        publisher = "Shop"
        [[tools]]
        name = "find_order"
        description = "Finds an order."
        read_only = true
        idempotent = true
        reversible = true
        arguments = { type = "object", properties = { z = {}, a = {} } }
        "#,
    )
    .unwrap()
}

fn assets(files: &[(&str, &str)]) -> Assets {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
    Assets::new(files.collect()).unwrap()
}

fn files(assets: &Assets) -> BTreeMap<String, Vec<u8>> {
    assets.files().map(|(name, content)| (name.to_owned(), content.to_vec())).collect()
}

fn custom<'a>(name: &'a str, data: &'a [u8]) -> CustomSection<'a> {
    CustomSection { name: name.into(), data: data.into() }
}

/// A component in which a module and a component lie that have these sections, too.
fn component(outer: &[(&str, &[u8])], inner: &[(&str, &[u8])]) -> Vec<u8> {
    let mut module = Module::new();
    let mut nested = Component::new();
    for (name, data) in inner {
        module.section(&custom(name, data));
        nested.section(&custom(name, data));
    }
    let mut component = Component::new();
    component.section(&ModuleSection(&module));
    for (name, data) in outer {
        component.section(&custom(name, data));
    }
    component.section(&NestedComponentSection(&nested));
    component.finish()
}

#[test]
fn a_package_has_what_was_packed_and_is_made_in_one_way() {
    let bare = component(&[("producers", b"somebody")], &[]);
    let (manifest, assets) = (manifest(), assets(&[("b/texts.txt", "two"), ("a", "")]));
    assert!(unpack(&bare).unwrap().is_none());
    let packed = pack(&bare, &manifest, &assets).unwrap();
    let package = unpack(&packed).unwrap().unwrap();
    assert_eq!(package.manifest, manifest);
    assert_eq!(files(&package.assets), files(&assets));
    assert_eq!(pack(&bare, &manifest, &assets).unwrap(), packed);
    assert_eq!(pack(&packed, &manifest, &assets).unwrap(), packed);
    // What was there goes; the rest is what it was.
    let other = pack(&packed, &manifest, &Assets::default()).unwrap();
    assert_eq!(other, pack(&bare, &manifest, &Assets::default()).unwrap());
    assert!(unpack(&other).unwrap().unwrap().assets.is_empty());
    assert!(packed.starts_with(&bare));
    wasmparser::Validator::new().validate_all(&packed).unwrap();
}

#[test]
fn the_order_of_keys_in_a_manifest_makes_no_other_bytes() {
    let bare = component(&[], &[]);
    let of = |arguments| {
        let mut manifest = manifest();
        manifest.tools[0].arguments = arguments;
        manifest
    };
    let one = of(json!({ "type": "object", "properties": { "z": {}, "a": {} } }));
    let other = of(json!({ "properties": { "a": {}, "z": {} }, "type": "object" }));
    assert_ne!(one.tools[0].arguments.to_string(), other.tools[0].arguments.to_string());
    let packed = |manifest| pack(&bare, manifest, &Assets::default()).unwrap();
    assert_eq!(packed(&other), packed(&one));
}

#[test]
fn sections_inside_say_nothing_and_doubled_ones_are_refused() {
    let inside = component(&[], &[(MANIFEST, b"{}"), (ASSETS, b"x")]);
    assert!(unpack(&inside).unwrap().is_none());
    let packed = pack(&inside, &manifest(), &Assets::default()).unwrap();
    assert!(unpack(&packed).unwrap().is_some());
    for section in [MANIFEST, ASSETS] {
        let twice = component(&[(section, b"{}"), (section, b"{}")], &[]);
        let error = unpack(&twice).unwrap_err();
        assert!(error.to_string().contains(&format!("two sections {section:?}")), "{error}");
        // Packed again it has one.
        assert!(unpack(&pack(&twice, &manifest(), &Assets::default()).unwrap()).is_ok());
    }
}

#[test]
fn what_is_no_package_is_told() {
    let refused = |bytes: &[u8], reason: &str| {
        let error = unpack(bytes).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    };
    refused(b"", "not a WebAssembly component");
    refused(b"#!/bin/sh", "not a WebAssembly component");
    refused(&Module::new().finish(), "core module");
    let with = |json: &[u8]| component(&[(MANIFEST, json)], &[]);
    refused(&with(b"{"), "embedded manifest cannot be read");
    refused(&with(b"{\"skill\": 1}"), "embedded manifest cannot be read");
    refused(&with(&vec![b' '; MOST_MANIFEST_BYTES + 1]), "manifest has 262145 bytes");
    let mut json = serde_json::to_value(manifest()).unwrap();
    json["colour"] = "red".into();
    refused(&with(json.to_string().as_bytes()), "unknown field `colour`");
    json.as_object_mut().unwrap().remove("colour");
    json["tools"] = json!([]);
    refused(&with(json.to_string().as_bytes()), "tools: a skill needs at least one tool");
    let good = serde_json::to_vec(&manifest()).unwrap();
    refused(&component(&[(MANIFEST, &good), (ASSETS, b"files")], &[]), "files are damaged");

    let mut senseless = manifest();
    senseless.tools.clear();
    assert!(pack(&component(&[], &[]), &senseless, &Assets::default()).is_err());
    let mut large = manifest();
    large.tools[0].arguments["x"] = "x".repeat(MOST_MANIFEST_BYTES).into();
    let error = pack(&component(&[], &[]), &large, &Assets::default()).unwrap_err();
    assert!(matches!(error, PackageError::TooBig { part: "manifest", .. }), "{error}");
}

/// What cargo-auditable writes of these packages.
fn auditable(packages: &serde_json::Value) -> Vec<u8> {
    let json = json!({ "packages": packages }).to_string();
    miniz_oxide::deflate::compress_to_vec_zlib(json.as_bytes(), 6)
}

#[test]
fn what_a_component_was_built_from_is_told_in_cyclonedx() {
    assert_eq!(sbom(&component(&[], &[])).unwrap(), None);
    let packages = json!([
        { "name": "order-status", "version": "1.2.0", "source": "local", "root": true,
          "dependencies": [1, 2] },
        { "name": "serde", "version": "1.0.1", "source": "crates.io" },
        { "name": "cc", "version": "1.2.3+more", "source": "git", "kind": "build" },
    ]);
    let bytes = component(&[], &[(".dep-v0", &auditable(&packages))]);
    let own = "pkg:cargo/order-status@1.2.0?download_url=redacted";
    let cc = "pkg:cargo/cc@1.2.3%2Bmore?vcs_url=redacted";
    let serde = "pkg:cargo/serde@1.0.1";
    let wanted = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": { "component": { "type": "application", "bom-ref": own,
            "name": "order-status", "version": "1.2.0", "purl": own } },
        "components": [
            { "type": "library", "bom-ref": cc, "name": "cc", "version": "1.2.3+more",
              "purl": cc, "scope": "excluded" },
            { "type": "library", "bom-ref": serde, "name": "serde", "version": "1.0.1",
              "purl": serde, "scope": "required" },
        ],
        "dependencies": [
            { "ref": cc, "dependsOn": [] },
            { "ref": own, "dependsOn": [cc, serde] },
            { "ref": serde, "dependsOn": [] },
        ],
    });
    assert_eq!(sbom(&bytes).unwrap().unwrap(), wanted);
}

#[test]
fn too_much_or_unreadable_dependencies_are_refused() {
    let refused = |data: &[u8], reason: &str| {
        let error = sbom(&component(&[], &[(".dep-v0", data)])).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    };
    let zlib = |bytes: &[u8]| miniz_oxide::deflate::compress_to_vec_zlib(bytes, 6);
    let package = json!({ "name": "a", "version": "1.0.0", "source": "local" });
    refused(b"not zlib", "cannot be read");
    // 20 KB that would be 20 MB.
    refused(&zlib(&vec![b' '; 20 << 20]), "cannot be read");
    refused(&zlib(b"{}"), "missing field `packages`");
    refused(&auditable(&json!(vec![&package; 10_001])), "more than 10000 packages");
    let mut other = package.clone();
    other["dependencies"] = json!([1]);
    refused(&auditable(&json!([other])), "not in the list");
    other["dependencies"] = json!(vec![0; 100_001]);
    refused(&auditable(&json!([other])), "more than 100000 dependencies");
    other["dependencies"] = json!([]);
    other["name"] = "x".repeat(257).into();
    refused(&auditable(&json!([other])), "more than 256 bytes");
    let good = auditable(&json!([package]));
    let many: Vec<_> = (0..9).map(|_| (".dep-v0", &good[..])).collect();
    let error = sbom(&component(&[], &many)).unwrap_err().to_string();
    assert!(error.contains("more than 16 modules"), "{error}");
}

proptest! {
    #[test]
    fn whatever_is_packed_comes_back(
        description in "[^\\p{C}]{1,40}[a-z]",
        arguments in proptest::collection::btree_map("[a-z_]{1,8}", any::<i64>(), 0..5),
        others in proptest::collection::vec(("[a-z:.-]{0,12}", any::<Vec<u8>>()), 0..4),
        contents in proptest::collection::btree_map("[a-z]{1,4}(/[a-z0-9.]{1,4}x)?", any::<Vec<u8>>(), 0..4),
    ) {
        let mut manifest = manifest();
        manifest.skill.description = description;
        for (name, value) in arguments {
            manifest.tools[0].arguments["properties"][name] = json!({ "default": value });
        }
        let others: Vec<_> = others.iter().map(|(name, data)| (&name[..], &data[..])).collect();
        let bare = component(&others, &others);
        // A file and a folder cannot have one name.
        let Ok(assets) = Assets::new(contents) else { return Ok(()) };
        let packed = pack(&bare, &manifest, &assets).unwrap();
        let package = unpack(&packed).unwrap().unwrap();
        prop_assert_eq!(&package.manifest, &manifest);
        prop_assert_eq!(files(&package.assets), files(&assets));
        prop_assert_eq!(pack(&packed, &package.manifest, &package.assets).unwrap(), packed.clone());
        prop_assert_eq!(sections::without(&packed, &[MANIFEST, ASSETS]).unwrap(), bare);
    }

    #[test]
    fn damaged_packages_are_refused_or_another_package(
        at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>(),
    ) {
        let bare = component(&[("producers", b"somebody")], &[("name", b"x")]);
        let packed = pack(&bare, &manifest(), &assets(&[("a", "1")])).unwrap();
        let mut changed = packed.clone();
        let at = at.index(changed.len());
        changed[at] = byte;
        for bytes in [&changed[..], &packed[..cut.index(packed.len())]] {
            let read = (unpack(bytes), sbom(bytes));
            if let (Ok(Some(package)), Ok(_)) = read {
                prop_assert!(pack(bytes, &package.manifest, &package.assets).is_ok());
            }
        }
    }
}

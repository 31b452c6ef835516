//! What a component was built from, as it says itself.

use std::collections::{BTreeMap, BTreeSet};

use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use serde::Deserialize;
use serde_json::{Value, json};
use wasmparser::{Parser, Payload};

use super::PackageError;
use crate::config::bounded;

/// The section that cargo-auditable writes: JSON behind zlib.
/// <https://github.com/rust-secure-code/cargo-auditable/blob/master/PARSING.md>
const SECTION: &str = ".dep-v0";

/// Bytes of what such a section says.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// Packages that one component may name.
const MOST_PACKAGES: usize = 10_000;

/// Dependencies between them.
const MOST_DEPENDENCIES: usize = 100_000;

/// Bytes of a name.
const MOST_NAME: usize = 256;

/// Modules of one component that say it. Each was built by itself.
const MOST_SECTIONS: usize = 16;

/// One list of packages. What we do not need may change.
#[derive(Deserialize)]
struct List {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: semver::Version,
    source: String,
    #[serde(default)]
    kind: Kind,
    /// Places in the list.
    #[serde(default)]
    dependencies: Vec<usize>,
    #[serde(default)]
    root: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Build,
    #[default]
    Runtime,
}

fn unreadable(reason: impl ToString) -> PackageError {
    // Names of somebody else's choosing stand in it.
    PackageError::Sbom { reason: bounded(&reason.to_string()) }
}

/// A CycloneDX document of what the component was built from, if it says so: cargo-auditable
/// writes it into core modules. Nobody checks whether it is true.
///
/// # Errors
/// It says so in a way that cannot be read, or says too much.
pub fn sbom(bytes: &[u8]) -> Result<Option<Value>, PackageError> {
    let mut lists = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload
            .map_err(|error| PackageError::NotComponent { reason: bounded(&error.to_string()) })?;
        let Payload::CustomSection(section) = payload else { continue };
        if section.name() != SECTION {
            continue;
        }
        if lists.len() == MOST_SECTIONS {
            return Err(unreadable(format_args!("more than {MOST_SECTIONS} modules say it")));
        }
        lists.push(read(section.data())?);
    }
    Ok(if lists.is_empty() { None } else { Some(document(&lists)) })
}

fn read(data: &[u8]) -> Result<List, PackageError> {
    let json = decompress_to_vec_zlib_with_limit(data, MOST_BYTES).map_err(unreadable)?;
    let list: List = serde_json::from_slice(&json).map_err(unreadable)?;
    if list.packages.len() > MOST_PACKAGES {
        return Err(unreadable(format_args!("more than {MOST_PACKAGES} packages")));
    }
    let places = list.packages.len();
    let mut dependencies = 0;
    for package in &list.packages {
        if package.name.len() > MOST_NAME || package.version.to_string().len() > MOST_NAME {
            return Err(unreadable(format_args!("a name of more than {MOST_NAME} bytes")));
        }
        if package.dependencies.iter().any(|at| *at >= places) {
            return Err(unreadable("a package depends on one that is not in the list"));
        }
        dependencies += package.dependencies.len();
    }
    if dependencies > MOST_DEPENDENCIES {
        return Err(unreadable(format_args!("more than {MOST_DEPENDENCIES} dependencies")));
    }
    Ok(list)
}

/// What a package is called wherever packages are compared.
/// <https://github.com/package-url/purl-spec>
fn purl(package: &Package) -> String {
    let named: String = url::form_urlencoded::byte_serialize(package.name.as_bytes()).collect();
    let version = package.version.to_string().replace('+', "%2B");
    let from = match package.source.as_str() {
        "crates.io" => "",
        // Where it came from instead is not said.
        "git" => "?vcs_url=redacted",
        "local" => "?download_url=redacted",
        _ => "?repository_url=redacted",
    };
    format!("pkg:cargo/{named}@{version}{from}")
}

/// The same lists make the same document: it has neither time nor serial number.
fn document(lists: &[List]) -> Value {
    let mut components = BTreeMap::new();
    let mut needs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut root = None;
    for list in lists {
        let purls: Vec<String> = list.packages.iter().map(purl).collect();
        for (package, purl) in list.packages.iter().zip(&purls) {
            let mut component = json!({
                "type": if package.root { "application" } else { "library" },
                "bom-ref": purl,
                "name": package.name,
                "version": package.version,
                "purl": purl,
            });
            if package.root && root.is_none() {
                root = Some(component);
            } else {
                let scope = if package.kind == Kind::Build { "excluded" } else { "required" };
                component["scope"] = scope.into();
                // What is needed at run time in one module is so for all.
                let known = components.entry(purl.clone()).or_insert_with(|| component.clone());
                if scope == "required" {
                    *known = component;
                }
            }
            let on = package.dependencies.iter().filter_map(|at| purls.get(*at)).cloned();
            needs.entry(purl.clone()).or_default().extend(on);
        }
    }
    if let Some(own) = root.as_ref().and_then(|root| root["purl"].as_str()) {
        components.remove(own);
    }
    let mut document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {},
        "components": components.into_values().collect::<Vec<_>>(),
        "dependencies": needs
            .into_iter()
            .map(|(purl, on)| json!({ "ref": purl, "dependsOn": on }))
            .collect::<Vec<_>>(),
    });
    if let Some(root) = root {
        document["metadata"]["component"] = root;
    }
    document
}

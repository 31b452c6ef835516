//! Names of imports and exports, and which of them this host serves.

use postern_domain::Interface;
use semver::Version;

use crate::InspectError;

/// What an import asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Import {
    /// A capability.
    Capability(Interface, Version),
    /// The types of `postern:skill`, which give nothing.
    SkillTypes,
    /// An interface of WASI 0.2, which is inert here.
    Wasi,
}

/// The version of `postern:skill` that this host serves.
const SKILL: Version = Version::new(0, 1, 0);

/// The version of WASI that `wasmtime-wasi` links.
const WASI_VERSION: Version = Version::new(0, 2, 12);

/// The export that makes a component a skill, without its version.
pub(crate) const TOOLS: &str = "postern:skill/tools";

const SKILL_TYPES: &str = "postern:skill/types";

/// What `wasmtime-wasi` links of `wasi:cli/imports` at 0.2.
const WASI: [&str; 27] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

/// The WIT interface behind a capability, and the version of its package that this
/// host serves. Packages are versioned by themselves.
const fn served(interface: Interface) -> (&'static str, Version) {
    match interface {
        Interface::Log => ("postern:log/logging", Version::new(0, 1, 0)),
        Interface::Records => ("postern:records/store", Version::new(0, 1, 0)),
        Interface::Http => ("postern:http/client", Version::new(0, 1, 0)),
        Interface::Kv => ("postern:kv/state", Version::new(0, 1, 0)),
        Interface::Ticket => ("postern:ticket/tickets", Version::new(0, 1, 0)),
        Interface::Knowledge => ("postern:knowledge/search", Version::new(0, 1, 0)),
        Interface::Model => ("postern:model/completion", Version::new(0, 1, 0)),
        Interface::Message => ("postern:message/sending", Version::new(0, 1, 0)),
        Interface::Handover => ("postern:handover/people", Version::new(0, 1, 0)),
        Interface::Schedule => ("postern:schedule/timer", Version::new(0, 1, 0)),
    }
}

/// What an import asks for, if this host serves it.
pub(crate) fn classify(name: &str) -> Result<Import, InspectError> {
    let unknown = || InspectError::UnknownImport { import: shown(name) };
    let (path, version) = split(name).ok_or_else(unknown)?;
    for interface in Interface::ALL {
        let (own, host) = served(interface);
        if own == path {
            serves(name, &host, &version)?;
            return Ok(Import::Capability(interface, version));
        }
    }
    if path == SKILL_TYPES {
        serves(name, &SKILL, &version)?;
        return Ok(Import::SkillTypes);
    }
    if WASI.contains(&path) {
        serves(name, &WASI_VERSION, &version)?;
        return Ok(Import::Wasi);
    }
    Err(unknown())
}

/// Whether an export is the one that every skill has, in a version that this host
/// can call.
pub(crate) fn is_tools(name: &str) -> Result<bool, InspectError> {
    match split(name) {
        Some((TOOLS, version)) => serves(name, &SKILL, &version).map(|()| true),
        Some(_) | None => Ok(false),
    }
}

/// `postern:http/client@0.1.0` as its path and its version.
fn split(name: &str) -> Option<(&str, Version)> {
    let (path, version) = name.split_once('@')?;
    Some((path, Version::parse(version).ok()?))
}

/// Refuses a name in a version that this host cannot serve. The engine's linker
/// does not: it ignores minor versions.
fn serves(name: &str, host: &Version, wanted: &Version) -> Result<(), InspectError> {
    if is_compatible(host, wanted) {
        Ok(())
    } else {
        Err(InspectError::Version { name: shown(name), host: host.clone() })
    }
}

/// Whether a host has all of what was asked for: as Cargo reads semver, below 1.0
/// the minor version breaks and the patch version adds.
fn is_compatible(host: &Version, wanted: &Version) -> bool {
    let line = |version: &Version| match version.major {
        0 => (0, version.minor),
        major => (major, 0),
    };
    wanted.pre.is_empty() && line(host) == line(wanted) && wanted.cmp_precedence(host).is_le()
}

/// A name fit for an error: bounded, and nothing that moves a terminal's cursor.
fn shown(name: &str) -> String {
    name.chars().take(200).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, wanted: Result<Import, &str>) {
        let found = classify(name).map_err(|error| error.to_string());
        assert_eq!(found, wanted.map_err(str::to_owned), "{name}");
    }

    #[test]
    fn only_what_the_host_serves_is_known() {
        let http = Import::Capability(Interface::Http, Version::new(0, 1, 0));
        check("postern:http/client@0.1.0", Ok(http));
        check("postern:skill/types@0.1.0", Ok(Import::SkillTypes));
        check("wasi:io/poll@0.2.6", Ok(Import::Wasi));
        for name in [
            "wasi:http/outgoing-handler@0.2.6",
            "wasi:clocks/timezone@0.2.0",
            "postern:http/server@0.1.0",
            "postern:http/client",
            "postern:http/client@x",
            "env",
            "",
        ] {
            let error = format!(
                "the component imports {name}, which this host does not have; remove the import, \
                 or build for wasm32-wasip2 and the interfaces in wit/"
            );
            check(name, Err(&error));
        }
    }

    #[test]
    fn versions_that_the_host_cannot_serve_are_refused_with_both_named() {
        for wanted in ["0.1.1", "0.2.0", "0.0.9", "1.0.0", "0.1.0-rc.1"] {
            let error = format!(
                "postern:kv/state@{wanted} is not served by this host, which has 0.1.0; \
                 build the skill against the host's WIT files, or upgrade the host"
            );
            check(&format!("postern:kv/state@{wanted}"), Err(&error));
        }
        for wanted in ["0.2.13", "0.3.0", "0.1.9"] {
            let error = format!(
                "wasi:io/poll@{wanted} is not served by this host, which has 0.2.12; \
                 build the skill against the host's WIT files, or upgrade the host"
            );
            check(&format!("wasi:io/poll@{wanted}"), Err(&error));
        }
        assert!(is_tools("postern:skill/tools@0.2.0").is_err());
        assert_eq!(is_tools("postern:skill/tools@0.1.0").ok(), Some(true));
        assert_eq!(is_tools("run").ok(), Some(false));
    }

    #[test]
    fn a_host_serves_what_is_not_newer_and_not_of_another_line() {
        for (host, wanted, serves) in [
            ("0.1.2", "0.1.2", true),
            ("0.1.2", "0.1.0", true),
            ("0.1.2", "0.1.3", false),
            ("0.2.0", "0.1.0", false),
            ("1.2.0", "1.1.9", true),
            ("1.2.0", "1.2.1", false),
            ("1.2.0", "1.3.0", false),
            ("2.0.0", "1.2.0", false),
        ] {
            let found = is_compatible(&host.parse().unwrap(), &wanted.parse().unwrap());
            assert_eq!(found, serves, "{host} {wanted}");
        }
    }

    #[test]
    fn a_hostile_name_is_shown_bounded_and_escaped() {
        let name = format!("\u{1b}[2J{}", "x".repeat(10_000));
        let error = classify(&name).unwrap_err().to_string();
        assert!(error.len() < 500, "{}", error.len());
        assert!(!error.contains('\u{1b}'));
    }
}

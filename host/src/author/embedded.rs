//! Files of the repository that are part of the program.

use super::Language;

/// Path in the repository, and content.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The files below a folder, by their names from there, in the order of names.
pub(super) fn below(folder: &str) -> impl Iterator<Item = (&'static str, &'static [u8])> {
    let prefix = format!("{folder}/");
    FILES.iter().filter_map(move |(path, content)| Some((path.strip_prefix(&prefix)?, *content)))
}

/// What skills of a language stand on, by names from the root of the repository.
pub(super) fn stands_on(language: Language) -> impl Iterator<Item = (&'static str, &'static [u8])> {
    let folders: &[&str] = match language {
        Language::Rust => &["sdk/rust/", "sdk/scenario/", "wit/"],
        Language::JavaScript => &["sdk/js/", "wit/"],
        Language::Python => &["sdk/python/", "wit/"],
    };
    let wanted = |path: &str| folders.iter().any(|folder| path.starts_with(folder));
    FILES.iter().copied().filter(move |(path, _)| wanted(path))
}

/// The manifest of the repository's workspace, from which the SDK's crates inherit.
pub(super) fn workspace() -> &'static str {
    let manifest = FILES.iter().find(|(path, _)| *path == "Cargo.toml");
    manifest.and_then(|(_, content)| std::str::from_utf8(content).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_what_it_stands_on_and_nothing_that_tools_left() {
        for language in Language::ALL {
            assert!(
                stands_on(language).any(|(path, _)| path == "wit/skill/skill.wit"),
                "{language:?}"
            );
        }
        assert!(stands_on(Language::Rust).any(|(path, _)| path == "sdk/rust/src/lib.rs"));
        let left = |path: &str| {
            path.split('/').any(|part| ["target", "node_modules", "__pycache__"].contains(&part))
        };
        assert!(FILES.iter().all(|(path, _)| !left(path)));
    }
}

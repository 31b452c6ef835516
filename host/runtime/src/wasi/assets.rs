//! A skill's own files: what it was installed with, in memory and never changed.

use std::collections::BTreeMap;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

/// Files that a skill may bring.
pub const MAX_ASSETS: usize = 256;

/// Bytes of one file.
pub const MAX_ASSET_BYTES: usize = 1 << 20;

/// Bytes of all files of a skill.
pub const MAX_ASSETS_BYTES: usize = 8 << 20;

/// Bytes of a name with its folders, such as `templates/hello.txt`.
const MAX_NAME_BYTES: usize = 200;

/// Parts of a name: folders and the file itself.
const MAX_DEPTH: usize = 8;

/// Why files cannot be the assets of a skill.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssetError {
    /// Too many files.
    #[error("there are more than {MAX_ASSETS} assets; put several into one file")]
    TooMany,
    /// One is too large.
    #[error("asset {name:?} has more than {MAX_ASSET_BYTES} bytes; make it smaller or split it")]
    FileTooBig {
        /// Its name.
        name: String,
    },
    /// All together are too large.
    #[error("the assets have more than {MAX_ASSETS_BYTES} bytes together; leave some out")]
    TooBig,
    /// A name that nothing may have.
    #[error("asset {name:?}: its name {reason}; rename it")]
    Name {
        /// The name, cut where it is too long.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// One name is a file and also the folder of another.
    #[error("asset {name:?} is a file, and other assets lie in a folder of that name; rename one")]
    FileAndFolder {
        /// The name.
        name: String,
    },
}

/// The files of a skill, by their names below its folder `assets`. They belong to
/// what was installed: every call sees the same ones, with the same metadata.
#[derive(Debug)]
pub struct Assets {
    files: BTreeMap<String, Bytes>,
    /// The folder of all, and whatever lies in it.
    nodes: Vec<Node>,
}

impl Default for Assets {
    /// No files.
    fn default() -> Self {
        Self { files: BTreeMap::new(), nodes: vec![Node::folder("")] }
    }
}

/// The place of a node among its `Assets`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodeId(usize);

/// The folder in which everything lies.
pub(super) const ROOT: NodeId = NodeId(0);

#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// Says which file or folder this is, and what is in it.
    pub(super) hash: [u64; 2],
}

#[derive(Debug)]
pub(super) enum Kind {
    File(Bytes),
    /// Sorted by name.
    Folder(Vec<(String, NodeId)>),
}

impl Assets {
    /// Files by their names: parts that `/` separates, none of them empty, `.` or
    /// `..`.
    ///
    /// # Errors
    /// A name is not acceptable, or there are too many files or bytes.
    pub fn new(files: BTreeMap<String, Vec<u8>>) -> Result<Self, AssetError> {
        if files.len() > MAX_ASSETS {
            return Err(AssetError::TooMany);
        }
        let mut total = 0;
        for (name, content) in &files {
            Self::check_name(name)?;
            if content.len() > MAX_ASSET_BYTES {
                return Err(AssetError::FileTooBig { name: name.clone() });
            }
            total += content.len();
        }
        if total > MAX_ASSETS_BYTES {
            return Err(AssetError::TooBig);
        }
        let files: BTreeMap<_, _> =
            files.into_iter().map(|(name, content)| (name, Bytes::from(content))).collect();
        let mut assets = Self::default();
        for (name, content) in &files {
            assets.place(name, content)?;
        }
        assets.files = files;
        assets.hash(ROOT);
        Ok(assets)
    }

    /// Whether a file may have this name.
    ///
    /// # Errors
    /// It may not; the error says why.
    pub fn check_name(name: &str) -> Result<(), AssetError> {
        let wrong = |reason| {
            let name = name.chars().take(MAX_NAME_BYTES).collect();
            Err(AssetError::Name { name, reason })
        };
        if name.len() > MAX_NAME_BYTES {
            return wrong("has more than 200 bytes");
        }
        if name.split('/').count() > MAX_DEPTH {
            return wrong("lies more than 8 folders deep");
        }
        if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return wrong("has a part that is empty, `.` or `..`");
        }
        if name.chars().any(|c| c.is_control() || c == '\\') {
            return wrong("has a control character or a backslash");
        }
        Ok(())
    }

    /// The files in the order of their names.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(name, content)| (name.as_str(), content.as_ref()))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    pub(super) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// Puts a file where its name says, and makes the folders on the way.
    fn place(&mut self, name: &str, content: &Bytes) -> Result<(), AssetError> {
        let mut folder = ROOT;
        let mut end = 0;
        for part in name.split('/') {
            end += part.len();
            let path = &name[..end];
            end += 1;
            let is_file = path.len() == name.len();
            let next = NodeId(self.nodes.len());
            let Kind::Folder(children) = &mut self.nodes[folder.0].kind else {
                let name = path[..path.len() - part.len() - 1].to_owned();
                return Err(AssetError::FileAndFolder { name });
            };
            folder = match children.binary_search_by(|(known, _)| known.as_str().cmp(part)) {
                Ok(at) => children[at].1,
                Err(at) => {
                    children.insert(at, (part.to_owned(), next));
                    self.nodes.push(if is_file {
                        Node::file(path, content.clone())
                    } else {
                        Node::folder(path)
                    });
                    next
                }
            };
        }
        Ok(())
    }

    /// Makes the hash of a folder depend on everything in it.
    fn hash(&mut self, id: NodeId) -> [u64; 2] {
        let node = &self.nodes[id.0];
        let Kind::Folder(children) = &node.kind else { return node.hash };
        let own = node.hash;
        let mut inside = Vec::with_capacity(16 * children.len());
        for child in children.iter().map(|(_, id)| *id).collect::<Vec<_>>() {
            inside.extend(self.hash(child).map(u64::to_be_bytes).concat());
        }
        let hash = digest(&[own.map(u64::to_be_bytes).concat().as_slice(), &inside]);
        self.nodes[id.0].hash = hash;
        hash
    }
}

impl Node {
    fn file(path: &str, content: Bytes) -> Self {
        let hash = digest(&[b"file", path.as_bytes(), &content]);
        Self { kind: Kind::File(content), hash }
    }

    fn folder(path: &str) -> Self {
        let hash = digest(&[b"folder", path.as_bytes()]);
        Self { kind: Kind::Folder(Vec::new()), hash }
    }
}

fn digest(parts: &[&[u8]]) -> [u64; 2] {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update((part.len() as u64).to_be_bytes());
        sha.update(part);
    }
    let bytes = sha.finalize();
    let number = |from: usize| bytes[from..from + 8].iter().fold(0, |n, b| n << 8 | u64::from(*b));
    [number(0), number(8)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assets(files: &[(&str, &str)]) -> Result<Assets, AssetError> {
        Assets::new(files.iter().map(|(n, c)| ((*n).to_owned(), c.as_bytes().to_vec())).collect())
    }

    #[test]
    fn files_lie_in_sorted_folders() {
        let assets = assets(&[("b/z.txt", "1"), ("b-a", "2"), ("b/a/x", "3"), ("a", "4")]).unwrap();
        let names = |id: NodeId| match &assets.node(id).kind {
            Kind::Folder(children) => children.clone(),
            Kind::File(_) => panic!("a file"),
        };
        let root = names(ROOT);
        let shown: Vec<_> = root.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(shown, ["a", "b", "b-a"]);
        let shown: Vec<_> = names(root[1].1).into_iter().map(|(name, _)| name).collect();
        assert_eq!(shown, ["a", "z.txt"]);
    }

    #[test]
    fn names_and_sizes_are_bounded_and_the_error_names_the_file() {
        let long = "x".repeat(201);
        let deep = ["d"; 9].join("/");
        for (name, reason) in [
            ("", "empty"),
            ("/etc/passwd", "empty"),
            ("a//b", "empty"),
            ("a/", "empty"),
            ("./a", "`.`"),
            ("a/../../b", "`..`"),
            ("a\0b", "control"),
            ("a\u{1b}[2Jb", "control"),
            ("..\\b", "backslash"),
            (&long, "200 bytes"),
            (&deep, "8 folders"),
        ] {
            let error = assets(&[(name, "")]).unwrap_err().to_string();
            assert!(error.contains(reason) && !error.contains('\u{1b}'), "{name:?}: {error}");
        }
        let clash = assets(&[("a", "1"), ("a/b", "2")]).unwrap_err();
        assert_eq!(clash, AssetError::FileAndFolder { name: "a".to_owned() });

        let many = (0..=MAX_ASSETS).map(|n| (n.to_string(), vec![])).collect();
        assert_eq!(Assets::new(many).unwrap_err(), AssetError::TooMany);
        let big = BTreeMap::from([("big".to_owned(), vec![0; MAX_ASSET_BYTES + 1])]);
        let name = "big".to_owned();
        assert_eq!(Assets::new(big).unwrap_err(), AssetError::FileTooBig { name });
        let full =
            |files: usize| (0..files).map(|n| (n.to_string(), vec![0; MAX_ASSET_BYTES])).collect();
        assert!(Assets::new(full(8)).is_ok());
        assert_eq!(Assets::new(full(9)).unwrap_err(), AssetError::TooBig);
    }

    #[test]
    fn the_hash_of_a_folder_depends_on_what_is_in_it() {
        let root = |files: &[(&str, &str)]| assets(files).unwrap().node(ROOT).hash;
        let first = root(&[("a/b", "1"), ("c", "2")]);
        assert_eq!(first, root(&[("c", "2"), ("a/b", "1")]));
        assert_ne!(first, root(&[("a/b", "2"), ("c", "2")]));
        assert_ne!(first, root(&[("a/d", "1"), ("c", "2")]));
        assert_ne!(root(&[]), first);
    }
}

//! `wasi:filesystem` over the assets of a skill: one folder, `/`, that can only be
//! read. Nothing here touches a file system, so there is nothing to escape to.

use std::sync::Arc;

use bytes::Bytes;
use wasmtime::component::{HasData, Resource, ResourceTable};
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, FsError, FsResult, InputStream, Pollable, StreamError,
    StreamResult,
    bindings::{
        clocks::wall_clock::Datetime,
        filesystem::{
            preopens,
            types::{
                self, Advice, Descriptor, DescriptorFlags, DescriptorStat, DescriptorType,
                DirectoryEntry, DirectoryEntryStream, ErrorCode, MetadataHashValue, NewTimestamp,
                OpenFlags, PathFlags,
            },
        },
    },
};

use super::assets::{Assets, Kind, Node, NodeId, ROOT};

/// Where a guest finds its assets.
const MOUNT: &str = "/";

/// Bytes that a guest reads at a time.
const READ_BYTES: usize = 64 << 10;

/// Nothing has a time: it would say when the skill was installed here.
const NO_TIME: Datetime = Datetime { seconds: 0, nanoseconds: 0 };

/// The files as the bindings want them.
pub(super) struct FilesView<'a> {
    pub(super) assets: Option<&'a Arc<Assets>>,
    pub(super) table: &'a mut ResourceTable,
}

/// Says that the bindings work on a [`FilesView`].
pub(super) struct Files;

impl HasData for Files {
    type Data<'a> = FilesView<'a>;
}

/// An open file or folder.
struct Opened(NodeId);

/// How far a folder has been listed.
struct Listing {
    folder: NodeId,
    next: usize,
}

/// The bindings name the library's types for handles. The table keeps ours under
/// the same numbers and checks their type whenever it is asked.
fn opened(fd: &Resource<Descriptor>) -> Resource<Opened> {
    Resource::new_borrow(fd.rep())
}

impl FilesView<'_> {
    fn assets(&self) -> Result<&Arc<Assets>, FsError> {
        self.assets.ok_or_else(|| ErrorCode::BadDescriptor.into())
    }

    fn id(&self, fd: &Resource<Descriptor>) -> Result<NodeId, FsError> {
        Ok(self.table.get(&opened(fd))?.0)
    }

    fn node(&self, fd: &Resource<Descriptor>) -> Result<&Node, FsError> {
        Ok(self.assets()?.node(self.id(fd)?))
    }

    fn content(&self, fd: &Resource<Descriptor>) -> Result<&Bytes, FsError> {
        match &self.node(fd)?.kind {
            Kind::File(content) => Ok(content),
            Kind::Folder(_) => Err(ErrorCode::IsDirectory.into()),
        }
    }

    /// What lies at `path`, seen from a folder.
    fn find(&self, from: &Resource<Descriptor>, path: &str) -> Result<NodeId, FsError> {
        Ok(walk(self.assets()?, self.id(from)?, path)?)
    }

    /// Refuses what would change something.
    fn read_only<T>(&self, fd: &Resource<Descriptor>) -> FsResult<T> {
        self.node(fd)?;
        Err(ErrorCode::ReadOnly.into())
    }

    fn open(&mut self, id: NodeId) -> FsResult<Resource<Descriptor>> {
        let opened = self.table.push(Opened(id))?;
        Ok(Resource::new_own(opened.rep()))
    }
}

/// Follows a path through folders. There are no links to follow, and no way up:
/// `..` is refused even where it would stay inside.
fn walk(assets: &Assets, from: NodeId, path: &str) -> Result<NodeId, ErrorCode> {
    if path.is_empty() {
        return Err(ErrorCode::NoEntry);
    }
    if path.starts_with('/') || path.split('/').any(|part| part == "..") {
        return Err(ErrorCode::NotPermitted);
    }
    let mut at = from;
    for part in path.split('/') {
        let Kind::Folder(children) = &assets.node(at).kind else {
            return Err(ErrorCode::NotDirectory);
        };
        if matches!(part, "" | ".") {
            continue;
        }
        let found = children.binary_search_by(|(name, _)| name.as_str().cmp(part));
        at = children[found.map_err(|_| ErrorCode::NoEntry)?].1;
    }
    Ok(at)
}

fn stat(node: &Node) -> DescriptorStat {
    DescriptorStat {
        type_: type_of(node),
        link_count: 1,
        size: match &node.kind {
            Kind::File(content) => content.len() as u64,
            Kind::Folder(_) => 0,
        },
        data_access_timestamp: Some(NO_TIME),
        data_modification_timestamp: Some(NO_TIME),
        status_change_timestamp: Some(NO_TIME),
    }
}

fn type_of(node: &Node) -> DescriptorType {
    match node.kind {
        Kind::File(_) => DescriptorType::RegularFile,
        Kind::Folder(_) => DescriptorType::Directory,
    }
}

fn hash(node: &Node) -> MetadataHashValue {
    MetadataHashValue { lower: node.hash[0], upper: node.hash[1] }
}

/// The content from an offset on; beyond the end it is empty.
fn from_offset(content: &Bytes, offset: u64) -> Bytes {
    let start = usize::try_from(offset).map_or(content.len(), |n| n.min(content.len()));
    content.slice(start..)
}

impl preopens::Host for FilesView<'_> {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        if self.assets.is_none() {
            return Ok(Vec::new());
        }
        let root = self.table.push(Opened(ROOT))?;
        Ok(vec![(Resource::new_own(root.rep()), MOUNT.to_owned())])
    }
}

impl types::Host for FilesView<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        error.downcast()
    }

    fn filesystem_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        self.table.get(&error)?;
        Ok(None)
    }
}

impl types::HostDescriptor for FilesView<'_> {
    fn read_via_stream(
        &mut self,
        fd: Resource<Descriptor>,
        offset: u64,
    ) -> FsResult<Resource<DynInputStream>> {
        let rest = from_offset(self.content(&fd)?, offset);
        let stream: DynInputStream = Box::new(Content(rest));
        Ok(self.table.push(stream)?)
    }

    fn write_via_stream(
        &mut self,
        fd: Resource<Descriptor>,
        _offset: u64,
    ) -> FsResult<Resource<DynOutputStream>> {
        self.read_only(&fd)
    }

    fn append_via_stream(
        &mut self,
        fd: Resource<Descriptor>,
    ) -> FsResult<Resource<DynOutputStream>> {
        self.read_only(&fd)
    }

    async fn advise(
        &mut self,
        fd: Resource<Descriptor>,
        _offset: u64,
        _length: u64,
        _advice: Advice,
    ) -> FsResult<()> {
        self.content(&fd).map(drop)
    }

    async fn sync_data(&mut self, fd: Resource<Descriptor>) -> FsResult<()> {
        self.node(&fd).map(drop)
    }

    async fn sync(&mut self, fd: Resource<Descriptor>) -> FsResult<()> {
        self.node(&fd).map(drop)
    }

    async fn get_flags(&mut self, fd: Resource<Descriptor>) -> FsResult<DescriptorFlags> {
        self.node(&fd)?;
        Ok(DescriptorFlags::READ)
    }

    async fn get_type(&mut self, fd: Resource<Descriptor>) -> FsResult<DescriptorType> {
        self.node(&fd).map(type_of)
    }

    async fn set_size(&mut self, fd: Resource<Descriptor>, _size: u64) -> FsResult<()> {
        self.read_only(&fd)
    }

    async fn set_times(
        &mut self,
        fd: Resource<Descriptor>,
        _accessed: NewTimestamp,
        _modified: NewTimestamp,
    ) -> FsResult<()> {
        self.read_only(&fd)
    }

    async fn read(
        &mut self,
        fd: Resource<Descriptor>,
        length: u64,
        offset: u64,
    ) -> FsResult<(Vec<u8>, bool)> {
        let rest = from_offset(self.content(&fd)?, offset);
        let most = usize::try_from(length).map_or(READ_BYTES, |n| n.min(READ_BYTES));
        let read = &rest[..most.min(rest.len())];
        Ok((read.to_vec(), read.len() == rest.len()))
    }

    async fn write(
        &mut self,
        fd: Resource<Descriptor>,
        _bytes: Vec<u8>,
        _offset: u64,
    ) -> FsResult<u64> {
        self.read_only(&fd)
    }

    async fn read_directory(
        &mut self,
        fd: Resource<Descriptor>,
    ) -> FsResult<Resource<DirectoryEntryStream>> {
        let folder = self.id(&fd)?;
        if matches!(self.node(&fd)?.kind, Kind::File(_)) {
            return Err(ErrorCode::NotDirectory.into());
        }
        let listing = self.table.push(Listing { folder, next: 0 })?;
        Ok(Resource::new_own(listing.rep()))
    }

    async fn create_directory_at(
        &mut self,
        fd: Resource<Descriptor>,
        _path: String,
    ) -> FsResult<()> {
        self.read_only(&fd)
    }

    async fn stat(&mut self, fd: Resource<Descriptor>) -> FsResult<DescriptorStat> {
        self.node(&fd).map(stat)
    }

    async fn stat_at(
        &mut self,
        fd: Resource<Descriptor>,
        _flags: PathFlags,
        path: String,
    ) -> FsResult<DescriptorStat> {
        let found = self.find(&fd, &path)?;
        Ok(stat(self.assets()?.node(found)))
    }

    async fn set_times_at(
        &mut self,
        fd: Resource<Descriptor>,
        _flags: PathFlags,
        _path: String,
        _accessed: NewTimestamp,
        _modified: NewTimestamp,
    ) -> FsResult<()> {
        self.read_only(&fd)
    }

    async fn link_at(
        &mut self,
        fd: Resource<Descriptor>,
        _old_flags: PathFlags,
        _old_path: String,
        new: Resource<Descriptor>,
        _new_path: String,
    ) -> FsResult<()> {
        self.node(&new)?;
        self.read_only(&fd)
    }

    async fn open_at(
        &mut self,
        fd: Resource<Descriptor>,
        _flags: PathFlags,
        path: String,
        how: OpenFlags,
        wanted: DescriptorFlags,
    ) -> FsResult<Resource<Descriptor>> {
        let id = match walk(self.assets()?, self.id(&fd)?, &path) {
            // Nothing is made here, whether or not the name is free.
            Err(ErrorCode::NoEntry) if how.contains(OpenFlags::CREATE) => {
                return Err(ErrorCode::ReadOnly.into());
            }
            found => found?,
        };
        if how.contains(OpenFlags::CREATE | OpenFlags::EXCLUSIVE) {
            return Err(ErrorCode::Exist.into());
        }
        if how.contains(OpenFlags::TRUNCATE)
            || wanted.intersects(DescriptorFlags::WRITE | DescriptorFlags::MUTATE_DIRECTORY)
        {
            return Err(ErrorCode::ReadOnly.into());
        }
        if how.contains(OpenFlags::DIRECTORY)
            && matches!(self.assets()?.node(id).kind, Kind::File(_))
        {
            return Err(ErrorCode::NotDirectory.into());
        }
        self.open(id)
    }

    async fn readlink_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<String> {
        self.find(&fd, &path)?;
        // It exists, and nothing here is a link.
        Err(ErrorCode::Invalid.into())
    }

    async fn remove_directory_at(
        &mut self,
        fd: Resource<Descriptor>,
        _path: String,
    ) -> FsResult<()> {
        self.read_only(&fd)
    }

    async fn rename_at(
        &mut self,
        fd: Resource<Descriptor>,
        _old_path: String,
        new: Resource<Descriptor>,
        _new_path: String,
    ) -> FsResult<()> {
        self.node(&new)?;
        self.read_only(&fd)
    }

    async fn symlink_at(
        &mut self,
        fd: Resource<Descriptor>,
        _old_path: String,
        _new_path: String,
    ) -> FsResult<()> {
        self.read_only(&fd)
    }

    async fn unlink_file_at(&mut self, fd: Resource<Descriptor>, _path: String) -> FsResult<()> {
        self.read_only(&fd)
    }

    async fn is_same_object(
        &mut self,
        one: Resource<Descriptor>,
        other: Resource<Descriptor>,
    ) -> wasmtime::Result<bool> {
        Ok(self.table.get(&opened(&one))?.0 == self.table.get(&opened(&other))?.0)
    }

    async fn metadata_hash(&mut self, fd: Resource<Descriptor>) -> FsResult<MetadataHashValue> {
        self.node(&fd).map(hash)
    }

    async fn metadata_hash_at(
        &mut self,
        fd: Resource<Descriptor>,
        _flags: PathFlags,
        path: String,
    ) -> FsResult<MetadataHashValue> {
        let found = self.find(&fd, &path)?;
        Ok(hash(self.assets()?.node(found)))
    }

    fn drop(&mut self, fd: Resource<Descriptor>) -> wasmtime::Result<()> {
        self.table.delete(Resource::<Opened>::new_own(fd.rep()))?;
        Ok(())
    }
}

impl types::HostDirectoryEntryStream for FilesView<'_> {
    async fn read_directory_entry(
        &mut self,
        stream: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        let assets = Arc::clone(self.assets()?);
        let listing = self.table.get_mut(&Resource::<Listing>::new_borrow(stream.rep()))?;
        let Kind::Folder(children) = &assets.node(listing.folder).kind else {
            return Err(ErrorCode::NotDirectory.into());
        };
        let Some((name, id)) = children.get(listing.next) else { return Ok(None) };
        listing.next += 1;
        Ok(Some(DirectoryEntry { type_: type_of(assets.node(*id)), name: name.clone() }))
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        self.table.delete(Resource::<Listing>::new_own(stream.rep()))?;
        Ok(())
    }
}

/// The rest of a file.
struct Content(Bytes);

#[async_trait::async_trait]
impl Pollable for Content {
    async fn ready(&mut self) {}
}

impl InputStream for Content {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if self.0.is_empty() {
            return Err(StreamError::Closed);
        }
        Ok(self.0.split_to(size.min(READ_BYTES).min(self.0.len())))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use preopens::Host as _;
    use types::{HostDescriptor as _, HostDirectoryEntryStream as _};

    use super::*;

    fn assets() -> Arc<Assets> {
        let files = ["a.txt", "b/c.txt", "b/d/e.txt"];
        let files = files.map(|name| (name.to_owned(), name.as_bytes().to_vec()));
        Arc::new(Assets::new(BTreeMap::from(files)).unwrap())
    }

    /// The same handle once more: a guest may use one as often as it likes.
    fn again(fd: &Resource<Descriptor>) -> Resource<Descriptor> {
        Resource::new_borrow(fd.rep())
    }

    fn code<T>(result: FsResult<T>) -> ErrorCode {
        result.err().expect("an error").downcast().expect("no trap")
    }

    fn is_trap<T>(result: FsResult<T>) -> bool {
        result.is_err_and(|error| error.downcast().is_err())
    }

    async fn check(
        view: &mut FilesView<'_>,
        root: &Resource<Descriptor>,
        path: &str,
        wanted: Result<(DescriptorType, u64), ErrorCode>,
    ) {
        for flags in [PathFlags::empty(), PathFlags::SYMLINK_FOLLOW] {
            let found = match view.stat_at(again(root), flags, path.to_owned()).await {
                Ok(stat) => Ok((stat.type_, stat.size)),
                Err(error) => Err(error.downcast().expect("no trap")),
            };
            assert_eq!(found, wanted, "{path:?}");
            let (path, how) = (path.to_owned(), OpenFlags::empty());
            let opened = view.open_at(again(root), flags, path, how, DescriptorFlags::READ).await;
            assert_eq!(opened.is_ok(), wanted.is_ok());
        }
    }

    #[tokio::test]
    async fn paths_lead_to_assets_or_nowhere() {
        let assets = assets();
        let mut table = ResourceTable::new();
        let mut view = FilesView { assets: Some(&assets), table: &mut table };
        let (root, mount) = view.get_directories().unwrap().remove(0);
        assert_eq!(mount, "/");
        let file = |size| Ok((DescriptorType::RegularFile, size));
        let folder = Ok((DescriptorType::Directory, 0));
        for (path, wanted) in [
            ("a.txt", file(5)),
            ("./b/..a/../c.txt", Err(ErrorCode::NotPermitted)),
            ("b/./d//e.txt", file(9)),
            (".", folder),
            ("b/", folder),
            ("a.txt/", Err(ErrorCode::NotDirectory)),
            ("a.txt/.", Err(ErrorCode::NotDirectory)),
            ("", Err(ErrorCode::NoEntry)),
            ("a.txt\0", Err(ErrorCode::NoEntry)),
            ("\0", Err(ErrorCode::NoEntry)),
            ("a.txt\0/../..", Err(ErrorCode::NotPermitted)),
            ("..", Err(ErrorCode::NotPermitted)),
            ("b/..", Err(ErrorCode::NotPermitted)),
            ("../../etc/passwd", Err(ErrorCode::NotPermitted)),
            ("/", Err(ErrorCode::NotPermitted)),
            ("/a.txt", Err(ErrorCode::NotPermitted)),
            ("//a.txt", Err(ErrorCode::NotPermitted)),
            ("..\\a.txt", Err(ErrorCode::NoEntry)),
            ("A.TXT", Err(ErrorCode::NoEntry)),
            ("a.txt ", Err(ErrorCode::NoEntry)),
            ("\u{ff41}.txt", Err(ErrorCode::NoEntry)),
            ("%2e%2e/a.txt", Err(ErrorCode::NoEntry)),
        ] {
            check(&mut view, &root, path, wanted).await;
        }
    }

    #[tokio::test]
    async fn offsets_and_lengths_at_every_border_are_fine() {
        let assets = assets();
        let mut table = ResourceTable::new();
        let mut view = FilesView { assets: Some(&assets), table: &mut table };
        let (root, _) = view.get_directories().unwrap().remove(0);
        let file = view
            .open_at(
                again(&root),
                PathFlags::empty(),
                "a.txt".to_owned(),
                OpenFlags::empty(),
                DescriptorFlags::READ,
            )
            .await
            .unwrap();
        for (length, offset, bytes, end) in [
            (u64::MAX, 0, "a.txt", true),
            (2, 0, "a.", false),
            (3, 2, "txt", true),
            (0, 0, "", false),
            (1, 5, "", true),
            (u64::MAX, u64::MAX, "", true),
        ] {
            let read = view.read(again(&file), length, offset).await.unwrap();
            assert_eq!(read, (bytes.as_bytes().to_vec(), end), "{length} from {offset}");
        }
        assert_eq!(code(view.read(again(&root), 1, 0).await), ErrorCode::IsDirectory);
        assert_eq!(code(view.read_via_stream(again(&root), 0)), ErrorCode::IsDirectory);
        assert_eq!(code(view.read_directory(again(&file)).await), ErrorCode::NotDirectory);
        assert_eq!(code(view.write(again(&file), vec![1], 0).await), ErrorCode::ReadOnly);
        assert_eq!(code(view.append_via_stream(again(&file))), ErrorCode::ReadOnly);
        assert_eq!(code(view.write_via_stream(again(&file), u64::MAX)), ErrorCode::ReadOnly);
        let other = view.metadata_hash(again(&root)).await.unwrap();
        assert_ne!(view.metadata_hash(file).await.unwrap().lower, other.lower);
    }

    #[tokio::test]
    async fn a_handle_of_another_kind_or_of_nothing_is_a_trap() {
        let assets = assets();
        let mut table = ResourceTable::new();
        table.set_max_capacity(3);
        let mut view = FilesView { assets: Some(&assets), table: &mut table };
        let (root, _) = view.get_directories().unwrap().remove(0);
        let listing = view.read_directory(again(&root)).await.unwrap();
        let forged = Resource::new_borrow(listing.rep());
        assert!(is_trap(view.stat(forged).await));
        let forged = Resource::new_borrow(root.rep());
        assert!(is_trap(view.read_directory_entry(forged).await));
        assert!(is_trap(view.stat(Resource::new_borrow(99)).await));

        view.get_directories().unwrap();
        assert!(view.get_directories().is_err(), "the table is full");
        types::HostDescriptor::drop(&mut view, again(&root)).unwrap();
        assert!(types::HostDescriptor::drop(&mut view, again(&root)).is_err());
        assert!(is_trap(view.stat(root).await));
    }

    #[tokio::test]
    async fn a_stream_gives_what_is_left_in_pieces() {
        let mut content = Content(Bytes::from(vec![1; READ_BYTES + 5]));
        assert_eq!(content.read(0).unwrap().len(), 0);
        assert_eq!(content.read(usize::MAX).unwrap().len(), READ_BYTES);
        assert_eq!(content.read(3).unwrap().len(), 3);
        assert_eq!(content.read(3).unwrap().len(), 2);
        assert!(matches!(content.read(3), Err(StreamError::Closed)));
    }
}

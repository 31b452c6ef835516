//! Components that are tried out, outside of any generation that serves.

use postern_domain::{Digest, Timestamp};

use super::{Candidate, Installed, Registry, RegistryError, load};

impl Registry {
    /// The packed component of a digest, as it was installed.
    ///
    /// # Errors
    /// Its file is missing or damaged.
    pub(crate) fn packed(&self, component: Digest) -> Result<Vec<u8>, RegistryError> {
        self.files.component(component)
    }

    /// Puts a candidate into the store of components with everything that it requests,
    /// and answers how a generation lists it. It is compiled when it is loaded, unless
    /// that was done before.
    ///
    /// # Errors
    /// The skill cannot be used, or the store cannot be written.
    pub(crate) fn try_out(
        &self,
        candidate: &Candidate,
        now: Timestamp,
    ) -> Result<Installed, RegistryError> {
        load::check_usable(&candidate.manifest)?;
        let digest = candidate.digest();
        if !self.files.has_blob(digest, "wasm")? {
            self.files.keep_component(digest, candidate.bytes())?;
        }
        let assets = self.files.keep_assets(&candidate.assets)?;
        let manifest = candidate.manifest.clone();
        let grants = manifest.requested();
        let (source, signed_by) = (None, None);
        Ok(Installed { manifest, digest, assets, grants, installed_at: now, source, signed_by })
    }
}

//! Components in OCI registries: the Wasm OCI artifact of the CNCF's TAG Runtime, over the
//! OCI distribution specification 1.1.
//!
//! A client of our own, over reqwest: it is a handful of requests, and the known client
//! reads manifests, errors and tokens of any size and follows redirects to anywhere.

mod artifact;
mod bill;
mod pull;
mod push;
mod session;

pub(super) use self::{pull::fetch, push::push};

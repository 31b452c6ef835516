//! The way to other servers, over real connections on loopback.

mod answers;
mod fixture;
mod limits;
mod names;
mod requests;
mod tls;

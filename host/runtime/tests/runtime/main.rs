//! Real components in the real engine, with a host that is played by the test.

mod assets;
mod calls;
mod frozen;
mod hostile;
mod languages;
mod limits;
mod load;
#[path = "../../../../tests/support/src/notice.rs"]
#[expect(unreachable_pub, reason = "it is a file of another package")]
mod notice;
mod outcome;
mod refusals;
mod support;
mod world;
mod young;

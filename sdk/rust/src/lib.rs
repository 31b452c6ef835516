//! Write Postern skills in Rust.
//!
//! A skill is a set of tools. Each tool is a function that takes typed arguments
//! and the [`Context`] of the call, and comes to an [`Outcome`] or fails with an
//! [`Error`]. [`skill!`] makes a component of them.
//!
//! ```
//! use postern_sdk::{Context, Outcome, Result, records, skill};
//!
//! #[derive(serde::Deserialize)]
//! struct Args {
//!     order_id: String,
//! }
//!
//! #[derive(serde::Deserialize)]
//! struct Order {
//!     status: String,
//! }
//!
//! fn order_status(args: Args, _context: &Context) -> Result<Outcome> {
//!     let order = records::get::<Order>("orders", &args.order_id)?.body;
//!     Ok(Outcome::reply(format!("Your order is {}.", order.status)))
//! }
//!
//! skill! { "order_status" => order_status }
//!
//! # fn main() {
//! let host = postern_sdk::fake::Host::new();
//! host.set_record("orders", "#W1", serde_json::json!({ "status": "delivered" }));
//! let answer = call_tool("order_status", r##"{"order_id":"#W1"}"##, &Context::example());
//! assert_eq!(answer, Ok(Outcome::reply("Your order is delivered.")));
//! # }
//! ```
//!
//! A component imports only the capabilities whose functions the skill calls,
//! and `postern:log`, which this crate uses itself. Natively, calls go to the
//! [`fake`] host, so that `cargo test` needs neither a server nor a component.

mod arguments;
mod context;
mod error;
#[cfg(not(target_arch = "wasm32"))]
pub mod fake;
pub mod handover;
pub mod http;
mod json;
pub mod knowledge;
pub mod kv;
mod logging;
pub mod message;
pub mod model;
mod outcome;
pub mod records;
#[cfg(not(target_arch = "wasm32"))]
pub mod scenario;
pub mod schedule;
pub mod ticket;

#[cfg(target_arch = "wasm32")]
mod component;
#[cfg(target_arch = "wasm32")]
use component as host;
#[cfg(not(target_arch = "wasm32"))]
use fake::port as host;

pub use arguments::NoArguments;
pub use context::{Context, Customer, IdentityLevel};
pub use error::{Error, HostError, HostErrorKind, Result, Retry};
pub use outcome::{Failure, Outcome, Severity};

/// Compiles the examples of the page for authors.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/skill-authors.md")]
struct AuthorsPage;

/// Runs the patterns of the cookbook.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/cookbook.md")]
struct Cookbook;

/// What [`skill!`] expands to needs these; they are no part of the interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::arguments::{run, unknown_tool};
    #[cfg(target_arch = "wasm32")]
    pub use crate::component::{bindings, bindings::export, guest};
    pub use crate::logging::install as install_logger;
}

/// Makes a skill of functions: `skill! { "tool_name" => function, … }`.
///
/// Each function is `fn(Arguments, &Context) -> Result<Outcome>`, where
/// `Arguments` implements [`serde::Deserialize`]. The macro stands at the root
/// of the crate, once. It adds a function `call_tool(tool, arguments, &context)`
/// that runs a tool by name as the host does, which tests use too, and, in a
/// component, the export of `postern:skill/tools`.
#[macro_export]
macro_rules! skill {
    ($($name:literal => $tool:path),+ $(,)?) => {
        /// Runs the tool of this name with a JSON object of arguments.
        ///
        /// # Errors
        /// There is no such tool, the arguments do not fit it, or it failed.
        pub fn call_tool(
            tool: &str,
            arguments: &str,
            context: &$crate::Context,
        ) -> ::core::result::Result<$crate::Outcome, $crate::Failure> {
            $crate::__private::install_logger();
            match tool {
                $($name => $crate::__private::run($tool, arguments, context),)+
                other => Err($crate::__private::unknown_tool(other, &[$($name),+])),
            }
        }

        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, reason = "exports have C linkage, which Rust counts as unsafe")]
        mod postern_component {
            struct Component;

            impl $crate::__private::guest::Guest for Component {
                fn call(
                    tool: String,
                    arguments: String,
                    context: $crate::__private::guest::Context,
                ) -> Result<$crate::__private::guest::Outcome, $crate::__private::guest::Failure> {
                    super::call_tool(&tool, &arguments, &context.into())
                        .map(Into::into)
                        .map_err(Into::into)
                }
            }

            $crate::__private::export!(Component with_types_in $crate::__private::bindings);
        }
    };
}

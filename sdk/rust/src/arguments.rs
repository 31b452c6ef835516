//! Arguments: from the host's JSON to the types of a tool.

use serde::{Deserialize, de::DeserializeOwned};

use crate::{Context, Error, Failure, Outcome, Result, json};

/// The arguments of a tool that takes none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoArguments {}

/// Reads the arguments, runs the tool and turns an error into a failure.
///
/// # Errors
/// The arguments do not fit, or the tool failed.
pub fn run<A: DeserializeOwned>(
    tool: impl FnOnce(A, &Context) -> Result<Outcome>,
    arguments: &str,
    context: &Context,
) -> Result<Outcome, Failure> {
    let arguments = json::read(arguments.as_bytes()).map_err(Error::InvalidArguments);
    arguments.and_then(|arguments| tool(arguments, context)).map_err(|error| {
        log::warn!("{error}");
        error.into()
    })
}

/// The failure for a name that stands for no tool.
pub fn unknown_tool(name: &str, known: &[&str]) -> Failure {
    let name: String = name.chars().take(64).collect();
    Failure::InvalidArguments(format!("no tool {name:?}; this skill has {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_arguments_means_none() {
        let tool = |_: NoArguments, _: &Context| Ok(Outcome::Done);
        let context = Context::example();
        assert_eq!(run(tool, "{}", &context), Ok(Outcome::Done));
        let failure = run(tool, r#"{"a":1}"#, &context).unwrap_err();
        assert!(matches!(failure, Failure::InvalidArguments(text) if text.contains("`a`")));
    }

    #[test]
    fn an_unknown_tool_is_named_with_the_known_ones() {
        let failure = unknown_tool("fly", &["walk", "swim"]);
        let text = "no tool \"fly\"; this skill has walk, swim";
        assert_eq!(failure, Failure::InvalidArguments(text.into()));
    }
}

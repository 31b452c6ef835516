//! Says in its answers and records which version of it made them. Tests make other
//! versions of the component by writing another number over [`MARK`].

wit_bindgen::generate!({
    inline: "package test:versioned;
        world versioned {
            import postern:kv/state@0.1.0;
            import postern:log/logging@0.1.0;
            import postern:records/store@0.1.0;
            export postern:skill/tools@0.1.0;
        }",
    path: ["../../../wit/kv", "../../../wit/log", "../../../wit/records", "../../../wit/skill"],
    generate_all,
});

use exports::postern::skill::tools::{Context, Failure, Guest, Outcome};
use postern::{
    kv::state,
    log::logging::{self, Level},
    records::store::{self, Expected, Put, Step},
};
use serde_json::{Value, json};

/// The last character is the version.
static MARK: &str = "postern-test-version:1";

struct Versioned;

export!(Versioned);

impl Guest for Versioned {
    fn call(_tool: String, arguments: String, _context: Context) -> Result<Outcome, Failure> {
        let given: Value = serde_json::from_str(&arguments)
            .map_err(|error| Failure::InvalidArguments(error.to_string()))?;
        let visit = given["visit"].as_str().unwrap_or_default();
        // Read at run time: what is written over it must count.
        let version = std::hint::black_box(MARK).chars().last().unwrap_or_default().to_string();
        logging::log(Level::Info, &format!("version {version}"), &[]);
        // One that is broken, so that a trial of it is aborted.
        assert_ne!(version, "9", "this version does not work");
        let kv = |failure: state::Failure| Failure::Unavailable(failure.message);
        let records = |failure: store::Failure| Failure::Unavailable(failure.message);
        state::set("version", version.as_bytes(), 60).map_err(kv)?;
        let body = json!({ "version": version, "step": 1 }).to_string();
        let put = |body, expected| {
            Step::Put(Put { collection: "visits".into(), key: visit.into(), body, expected })
        };
        store::write(&[put(body, Expected::Absent)]).map_err(records)?;
        let kept = state::get("version").map_err(kv)?.unwrap_or_default();
        let written = store::get("visits", visit).map_err(records)?;
        let body: Value = serde_json::from_str(&written.body)
            .map_err(|error| Failure::Internal(error.to_string()))?;
        let first = body["version"].as_str().unwrap_or_default();
        let second = json!({ "version": first, "then": version, "step": 2 }).to_string();
        store::write(&[put(second, Expected::Version(written.version))]).map_err(records)?;
        Ok(Outcome::Reply(format!(
            "Visit {visit} by version {version}, kept {}, written {first}.",
            String::from_utf8_lossy(&kept)
        )))
    }
}

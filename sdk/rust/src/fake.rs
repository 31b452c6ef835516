//! A small host for tests of skills, one for each thread.
//!
//! It keeps records, values and tickets in memory, answers requests as it was
//! told, and remembers every call. It has no policy: what the rules would refuse,
//! a test says with [`Host::fail_when`].

mod call;
mod edge;
pub(crate) mod port;
mod scene;
mod state;

use std::marker::PhantomData;

use serde_json::Value;

pub use call::Call;
pub(crate) use scene::{Scene, since};

use crate::{
    Context, Customer, HostError, IdentityLevel,
    http::{Method, Response},
    knowledge::Passage,
    model,
};

/// The fake host of this thread. It forgets everything when it is dropped; a
/// second one on the same thread takes the place of the first.
#[derive(Debug)]
pub struct Host {
    // The state belongs to the thread, so the handle stays on it.
    thread: PhantomData<*const ()>,
}

impl Host {
    /// A host that knows nothing, in the place of this thread's earlier one.
    #[expect(clippy::new_without_default, reason = "making a host changes the thread's state")]
    pub fn new() -> Self {
        state::replace(Some(state::State::default()));
        Self { thread: PhantomData }
    }

    /// Keeps a record, in its next version if there is one already.
    pub fn set_record(&self, collection: &str, key: &str, body: Value) {
        state::with(|state| {
            state.put(collection, key, body);
        });
    }

    /// A record as it is now.
    pub fn record(&self, collection: &str, key: &str) -> Option<Value> {
        state::with(|state| state.body(collection, key))
    }

    /// Answers requests with this method and URL from now on. Other requests
    /// find that the server does not answer.
    pub fn answer(&self, method: Method, url: &str, response: Response) {
        state::with(|state| state.answer(method, url, response));
    }

    /// Answers requests with this method and URL with a status and JSON.
    pub fn answer_json(&self, method: Method, url: &str, status: u16, body: &Value) {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        self.answer(method, url, Response { status, headers, body: body.to_string().into_bytes() });
    }

    /// Answers questions to this collection of the knowledge base from now on.
    /// Other collections are not there.
    pub fn set_passages(&self, collection: &str, passages: Vec<Passage>) {
        state::with(|state| state.keep_passages(collection, passages));
    }

    /// Answers one more question to the language model. Without it, the model
    /// does not answer.
    pub fn complete_with(&self, answer: model::Answer) {
        state::with(|state| state.keep_completion(answer));
    }

    /// Lets every call fail for which `when` holds. It must not call the host.
    pub fn fail_when(&self, when: impl Fn(&Call) -> bool + 'static, error: HostError) {
        state::with(|state| state.fail_when(Box::new(when), error));
    }

    /// Every call so far, log lines aside.
    pub fn calls(&self) -> Vec<Call> {
        state::with(|state| state.calls.clone())
    }

    /// Every log line so far.
    pub fn log(&self) -> Vec<Line> {
        state::with(|state| state.log.clone())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        state::replace(None);
    }
}

/// A log line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How loud.
    pub level: log::Level,
    /// The message.
    pub message: String,
    /// Names and values that belong to it.
    pub fields: Vec<(String, String)>,
}

/// Contexts for tests.
impl Context {
    /// A call by nobody in particular, in English, at 2025-06-15T12:00:00Z.
    pub fn example() -> Self {
        Self {
            invocation_id: "inv_example".to_owned(),
            now_ms: 1_749_988_800_000,
            language: "en".to_owned(),
            customer: Customer::default(),
            settings: Vec::new(),
        }
    }

    /// The same call by the identified customer with this key.
    #[must_use]
    pub fn with_customer(mut self, key: &str) -> Self {
        self.customer = Customer { key: Some(key.to_owned()), level: IdentityLevel::Identified };
        self
    }

    /// The same call at another time, in milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn with_now(mut self, now_ms: u64) -> Self {
        self.now_ms = now_ms;
        self
    }

    /// The same call with one more setting.
    #[must_use]
    pub fn with_setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }
}

#[cfg(test)]
mod tests;

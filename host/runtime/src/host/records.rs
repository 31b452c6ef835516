//! `postern:records`

use postern_domain::{Condition, Document, Expected, HostCall, HostReply, RecordStep};

use super::{
    Answer, answer,
    check::{self, Checked},
    weight,
};
use crate::{
    bindings::postern::records::store::{self as wit, Equals, Failure, Host, Step},
    state::State,
};

const BODY_BYTES: usize = 256 << 10;

impl Host for State {
    async fn get(&mut self, collection: String, key: String) -> Answer<wit::Document, Failure> {
        let bytes = weight::of_texts([&collection, &key]);
        answer!(self.ask(Records, bytes, get(collection, key)), HostReply::Document { document } => {
            self.document(document)?
        })
    }

    async fn query(
        &mut self,
        collection: String,
        conditions: Vec<Equals>,
        limit: u32,
    ) -> Answer<Vec<wit::Document>, Failure> {
        let bytes = weigh(&collection, &conditions);
        let call = query(collection, conditions, limit);
        answer!(self.ask(Records, bytes, call), HostReply::Documents { documents } => {
            documents
                .into_iter()
                .map(|document| self.document(document))
                .collect::<wasmtime::Result<_>>()?
        })
    }

    async fn write(&mut self, steps: Vec<Step>) -> Answer<Vec<u64>, Failure> {
        let bytes = steps.iter().map(weigh_step).sum();
        answer!(self.ask(Records, bytes, write(steps)), HostReply::Versions { versions } => versions)
    }

    async fn identify(
        &mut self,
        collection: String,
        details: Vec<Equals>,
    ) -> Answer<wit::Identity, Failure> {
        let bytes = weigh(&collection, &details);
        let call = identify(collection, details);
        answer!(self.ask(Records, bytes, call), HostReply::Identity { key, document } => {
            wit::Identity { key, document: self.document(document)? }
        })
    }
}

impl State {
    /// A record as the guest gets it. Its body is written once, and counted then.
    fn document(&mut self, document: Document) -> wasmtime::Result<wit::Document> {
        let Document { key, version, body } = document;
        let body = serde_json::to_string(&*body).expect("a JSON value can be written");
        self.receive(body.len() as u64)?;
        Ok(wit::Document { key, version, body })
    }
}

fn weigh(collection: &str, equalities: &[Equals]) -> u64 {
    let each = equalities.iter().map(|Equals { field, value }| weight::of_texts([field, value]));
    weight::of_texts([collection]) + each.sum::<u64>()
}

fn weigh_step(step: &Step) -> u64 {
    match step {
        Step::Put(wit::Put { collection, key, body, expected: _ }) => {
            weight::of_texts([collection, key, body])
        }
        Step::Delete(wit::Delete { collection, key, version: _ }) => {
            weight::of_texts([collection, key])
        }
    }
}

fn get(collection: String, key: String) -> Checked<HostCall> {
    check::collection(&collection)?;
    check::key(&key)?;
    Ok(HostCall::RecordsGet { collection, key })
}

fn query(collection: String, conditions: Vec<Equals>, limit: u32) -> Checked<HostCall> {
    check::collection(&collection)?;
    check::range("limit", limit, 1, 100)?;
    let conditions = equalities("conditions", conditions)?;
    Ok(HostCall::RecordsQuery { collection, conditions, limit })
}

fn identify(collection: String, details: Vec<Equals>) -> Checked<HostCall> {
    check::collection(&collection)?;
    let details = equalities("details", details)?;
    Ok(HostCall::RecordsIdentify { collection, details })
}

fn equalities(argument: &str, list: Vec<Equals>) -> Checked<Vec<Condition>> {
    check::count(argument, list.len(), 1, 16)?;
    let checked = |Equals { field, value }| {
        check::line(argument, &field, 1, 100)?;
        check::length(argument, value.len(), 0, 1_000)?;
        Ok(Condition { field, value })
    };
    list.into_iter().map(checked).collect()
}

fn write(steps: Vec<Step>) -> Checked<HostCall> {
    check::count("steps", steps.len(), 1, 50)?;
    let steps = steps.into_iter().map(step).collect::<Checked<_>>()?;
    Ok(HostCall::RecordsWrite { steps })
}

fn step(step: Step) -> Checked<RecordStep> {
    match step {
        Step::Put(wit::Put { collection, key, body, expected }) => {
            check::collection(&collection)?;
            check::key(&key)?;
            let body = check::object("body", &body, BODY_BYTES)?;
            let expected = match expected {
                wit::Expected::Absent => Expected::Absent,
                wit::Expected::Version(version) => Expected::Version(version),
            };
            Ok(RecordStep::Put { collection, key, body, expected })
        }
        Step::Delete(wit::Delete { collection, key, version }) => {
            check::collection(&collection)?;
            check::key(&key)?;
            Ok(RecordStep::Delete { collection, key, version })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, wanted: Option<&str>) {
        assert_eq!(
            check::object("body", body, BODY_BYTES).err().map(|f| f.message).as_deref(),
            wanted,
            "{body:.40}"
        );
    }

    #[test]
    fn a_body_is_a_json_object() {
        check(r#"{"status":"pending"}"#, None);
        check("[1,2]", Some("body: must be a JSON object"));
        check(r#"{"email": oops}"#, Some("body: is not JSON: line 1, column 11"));
        check("", Some("body: has 0 bytes; 2 to 262144 are accepted"));
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000));
        check(&deep, Some("body: is not JSON: line 1, column 132"));
    }

    #[test]
    fn a_query_without_conditions_is_refused() {
        assert!(query("orders".into(), vec![], 10).is_err());
        let by_user = || vec![Equals { field: "user_id".into(), value: "u1".into() }];
        assert!(query("orders".into(), by_user(), 10).is_ok());
        assert!(query("orders".into(), by_user(), 0).is_err());
        assert!(identify("users".into(), by_user()).is_ok());
        assert!(write(vec![]).is_err());
    }

    #[test]
    fn every_text_of_a_call_weighs_also_if_it_is_malformed() {
        let by_user = [Equals { field: "user_id".into(), value: "u1".into() }];
        assert_eq!(weigh("orders", &by_user), 6 + 7 + 2);
        let put = Step::Put(wit::Put {
            collection: "orders".into(),
            key: "#W1".into(),
            body: "not JSON, déjà vu".into(),
            expected: wit::Expected::Absent,
        });
        assert_eq!(weigh_step(&put), 6 + 3 + 19);
        assert!(step(put).is_err());
    }
}

//! Runs `policies/cases`: request → expected decision, rules, duties.

use std::collections::BTreeMap;

use postern_domain::{Decision, HostCall, Obligation, RecordStep};
use serde::Deserialize;

use super::*;
use crate::EndpointFacts;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    skill: String,
    #[serde(default)]
    tool: String,
    call: HostCall,
    #[serde(default = "yes")]
    private: bool,
    customer: Option<String>,
    #[serde(default)]
    confirmed: bool,
    #[serde(default)]
    identify_failures: u32,
    #[serde(default = "yes")]
    own_ticket: bool,
    #[serde(default)]
    records: Vec<Record>,
    endpoint: Option<Endpoint>,
    expect: Decision,
    rules: Vec<String>,
    #[serde(default)]
    duties: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    #[serde(default = "yes")]
    exists: bool,
    owner: Option<String>,
    new_owner: Option<String>,
    #[serde(default)]
    fields: BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Endpoint {
    name: Option<String>,
    host: String,
    path: String,
}

fn yes() -> bool {
    true
}

impl Case {
    fn facts(&self) -> Facts {
        let targets: Vec<(String, Option<String>)> = match &self.call {
            HostCall::RecordsGet { collection, key } => {
                vec![(collection.clone(), Some(key.clone()))]
            }
            HostCall::RecordsQuery { collection, .. } => vec![(collection.clone(), None)],
            HostCall::RecordsWrite { steps } => steps
                .iter()
                .map(RecordStep::target)
                .map(|(collection, key)| (collection.to_owned(), Some(key.to_owned())))
                .collect(),
            _ => Vec::new(),
        };
        assert_eq!(targets.len(), self.records.len(), "{}: `records`", self.name);
        let records =
            targets.into_iter().zip(&self.records).map(|((collection, key), record)| RecordFacts {
                collection,
                key,
                exists: record.exists,
                owner: record.owner.clone(),
                new_owner: record.new_owner.clone(),
                fields: record.fields.clone(),
            });
        let endpoint = self.endpoint.as_ref().map(|endpoint| EndpointFacts {
            name: endpoint.name.clone(),
            host: endpoint.host.clone(),
            port: 443,
            scheme: "https".into(),
            path: endpoint.path.clone(),
            private: false,
        });
        Facts {
            private: self.private,
            customer: self.customer.as_deref().map(identified).unwrap_or_default(),
            confirmed: self.confirmed,
            identify_failures: self.identify_failures,
            records: records.collect(),
            endpoint,
            own_ticket: self.own_ticket,
            ..facts()
        }
    }
}

fn duty(obligation: &Obligation) -> String {
    match obligation {
        Obligation::Confirm => "confirm".to_owned(),
        Obligation::Identity { level } => format!("identity:{level}"),
    }
}

#[test]
fn every_case_gets_the_decision_the_rules_and_the_duties_that_it_expects() {
    let set = shipped();
    let mut wrong = Vec::new();
    let mut count = 0;
    for source in read_folder(policies_folder().join("cases"), "toml") {
        let file: CaseFile =
            toml::from_str(&source.text).unwrap_or_else(|e| panic!("{}: {e}", source.file));
        for case in file.case {
            count += 1;
            let verdict = judge(&set, &case.skill, &case.tool, &case.call, &case.facts());
            let mut duties: Vec<String> = verdict.obligations.iter().map(duty).collect();
            duties.sort();
            let got = (verdict.decision, &verdict.rules, &duties);
            if got != (case.expect, &case.rules, &case.duties) {
                wrong.push(format!(
                    "{}: {}: got {got:?}: {}",
                    source.file, case.name, verdict.reason
                ));
            }
            assert!(verdict.reason.len() > 10, "{}: no reason", case.name);
            for private in ["ana", "ben", "#W", "EMAIL"] {
                assert!(!verdict.reason.contains(private), "{}: {}", case.name, verdict.reason);
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(count >= 30, "{count} cases");
}

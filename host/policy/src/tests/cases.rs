//! Runs `policies/cases`: request → expected decision, rules, duties.

use super::*;
use crate::read_cases;

#[test]
fn every_case_gets_the_decision_the_rules_and_the_duties_that_it_expects() {
    let set = shipped();
    let mut wrong = Vec::new();
    let mut count = 0;
    for source in read_folder(policies_folder().join("cases"), "toml") {
        for case in read_cases(&source).unwrap() {
            count += 1;
            if let Err(mismatch) = case.check(&set) {
                wrong.push(format!("{}: {}: {mismatch:?}", source.file, case.name));
            }
            let reason = case.judge(&set).reason;
            assert!(reason.len() > 10, "{}: no reason", case.name);
            for word in reason.split(|c: char| !c.is_alphanumeric() && c != '#') {
                let is_private = matches!(word, "ana" | "ben" | "EMAIL") || word.starts_with('#');
                assert!(!is_private, "{}: {reason}", case.name);
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(count >= 30, "{count} cases");
}

fn refused(text: &str, wanted: &str) {
    let source = PolicySource { file: "a.toml".into(), text: text.into() };
    let error = read_cases(&source).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.starts_with("a.toml: ") && error.contains(wanted), "{error}");
}

#[test]
fn a_case_that_says_too_little_or_too_much_is_refused_with_its_place() {
    let case = |more: &str| {
        format!("[[case]]\nname = \"n\"\nskill = \"s\"\nexpect = \"deny\"\nrules = []\n{more}\n")
    };
    refused(&case("call = { call = \"kv_get\", key = \"k\" }\nowner = 1"), "line 7");
    refused(&case("call = { call = \"kv_take\", key = \"k\" }"), "kv_take");
    let get = "call = { call = \"records_get\", collection = \"orders\", key = \"1\" }";
    refused(&case(get), "n: `records` must describe the 1 records of the call");
    refused("case = 1", "line 1");
}

#[test]
fn a_mismatch_says_what_was_expected_and_what_came() {
    let text = "[[case]]\nname = \"n\"\nskill = \"s\"\nexpect = \"deny\"\nrules = [\"x\"]\n\
                call = { call = \"kv_get\", key = \"k\" }\n";
    let source = PolicySource { file: "a.toml".into(), text: text.into() };
    let mismatch = read_cases(&source).unwrap()[0].check(&shipped()).unwrap_err();
    assert_eq!(mismatch.expected, "deny by x");
    assert_eq!(mismatch.got, "allow by kv-own");
}

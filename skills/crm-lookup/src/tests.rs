use postern_sdk::{
    Failure, HostError, HostErrorKind,
    fake::{Call, Host},
};
use serde_json::json;

use super::*;

fn host() -> Host {
    let host = Host::new();
    host.set_record(
        "users",
        "ines_ruiz_1001",
        json!({
            "user_id": "ines_ruiz_1001",
            "name": {"first_name": "<FIRST_NAME_1.k3f9>", "last_name": "<LAST_NAME_1.k3f9>"},
            "address": {
                "address1": "<STREET_1.k3f9>", "address2": "<STREET_2.k3f9>",
                "city": "<CITY_1.k3f9>", "country": "Spain", "state": "M", "zip": "<ZIP_1.k3f9>"
            },
            "email": "<EMAIL_1.k3f9>",
            "payment_methods": {
                "credit_card_1": {"source": "credit_card", "id": "credit_card_1", "last_four": "1881"},
                "credit_card_2": {"source": "credit_card", "id": "credit_card_2"},
                "paypal_1": {"source": "paypal", "id": "paypal_1"}
            },
            "orders": ["#W1000001", "#W1000002"]
        }),
    );
    host
}

fn find(arguments: &str) -> Outcome {
    call_tool("find_customer", arguments, &Context::example()).unwrap()
}

const FOUND: &str = "Thank you, <FIRST_NAME_1.k3f9>, I found your account.";

#[test]
fn an_email_finds_the_customer() {
    let host = host();
    assert_eq!(find(r#"{"email":"<EMAIL_1.k3f9>"}"#), Outcome::reply(FOUND));
    let details = vec![("email".to_owned(), "<EMAIL_1.k3f9>".to_owned())];
    assert_eq!(host.calls(), [Call::RecordsIdentify { collection: "users".into(), details }]);
}

#[test]
fn a_name_with_a_postcode_finds_the_customer() {
    let _host = host();
    let details = r#"{"first_name":"<FIRST_NAME_1.k3f9>","last_name":"<LAST_NAME_1.k3f9>",
        "postcode":"<ZIP_1.k3f9>"}"#;
    assert_eq!(find(details), Outcome::reply(FOUND));
}

#[test]
fn a_wrong_email_of_an_earlier_message_does_not_spoil_the_name() {
    let _host = host();
    let details = r#"{"email":"<EMAIL_9.k3f9>","first_name":"<FIRST_NAME_1.k3f9>",
        "last_name":"<LAST_NAME_1.k3f9>","postcode":"<ZIP_1.k3f9>"}"#;
    assert_eq!(find(details), Outcome::reply(FOUND));
}

#[test]
fn any_miss_gets_the_same_question() {
    let _host = host();
    let by_email = find(r#"{"email":"<EMAIL_9.k3f9>"}"#);
    let by_name = find(r#"{"first_name":"x","last_name":"<LAST_NAME_1.k3f9>","postcode":"y"}"#);
    assert_eq!(by_email, by_name);
    assert!(matches!(by_email, Outcome::Ask { entity, .. } if entity == "email"));
}

#[test]
fn without_enough_details_nothing_is_looked_up() {
    let host = host();
    for arguments in ["{}", r#"{"first_name":"a","last_name":"b"}"#, r#"{"postcode":"1"}"#] {
        let Outcome::Ask { entity, text } = find(arguments) else { panic!("{arguments}") };
        assert_eq!(entity, "email");
        assert!(text.contains("e-mail") && text.contains("postcode"), "{text}");
    }
    assert!(host.calls().is_empty());
}

#[test]
fn a_refused_identification_goes_to_a_person() {
    let host = host();
    host.fail_when(|_| true, HostError::new(HostErrorKind::Denied, "identify-attempts"));
    let outcome = find(r#"{"email":"<EMAIL_1.k3f9>"}"#);
    assert!(
        matches!(outcome, Outcome::HandOver { reason, .. } if reason == "identification-refused")
    );
}

#[test]
fn an_identified_customer_is_not_looked_up_again() {
    let host = host();
    let context = Context::example().with_customer("ines_ruiz_1001");
    let outcome = call_tool("find_customer", r#"{"email":"<EMAIL_1.k3f9>"}"#, &context).unwrap();
    assert!(matches!(outcome, Outcome::Reply(_)));
    assert!(host.calls().is_empty());
}

#[test]
fn the_profile_names_kinds_of_payment_and_no_numbers() {
    let _host = host();
    let context = Context::example().with_customer("ines_ruiz_1001");
    let expected = "This is what we have on file for you:\n\
        • Name: <FIRST_NAME_1.k3f9> <LAST_NAME_1.k3f9>\n\
        • E-mail: <EMAIL_1.k3f9>\n\
        • Address: <STREET_1.k3f9>, <STREET_2.k3f9>, <CITY_1.k3f9> M <ZIP_1.k3f9>, Spain\n\
        • Payment methods: PayPal, credit card\n\
        • Orders: 2";
    assert_eq!(call_tool("customer_profile", "{}", &context), Ok(Outcome::reply(expected)));
}

#[test]
fn an_address_without_a_second_line_has_no_gap() {
    let host = host();
    let mut user = host.record("users", "ines_ruiz_1001").unwrap();
    user["address"] = json!({"address1": "<STREET_1.k3f9>", "address2": "", "city": "Oslo", "zip": "1", "country": "Norway"});
    host.set_record("users", "ines_ruiz_1001", user);
    let context = Context::example().with_customer("ines_ruiz_1001");
    let outcome = call_tool("customer_profile", "{}", &context).unwrap();
    let Outcome::Reply(text) = outcome else { panic!("{outcome:?}") };
    assert!(text.contains("Address: <STREET_1.k3f9>, Oslo 1, Norway\n"), "{text}");
}

#[test]
fn nobody_has_no_profile() {
    let host = host();
    let failure = call_tool("customer_profile", "{}", &Context::example()).unwrap_err();
    assert!(matches!(failure, Failure::Internal(_)));
    assert!(host.calls().is_empty());
}

#[test]
fn its_scenarios_hold_natively() {
    let report = postern_sdk::scenario::run(call_tool, "scenarios");
    assert!(report.ran > 0);
}

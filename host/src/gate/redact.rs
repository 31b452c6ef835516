//! Takes types of personal data out of what a call answers.

use postern_domain::{Document, HostReply};
use postern_policy::personal::{Detector, Finding, Purpose};
use serde_json::Value;

use crate::{privacy, redaction};

/// The reply without data of these types: placeholders for them, and values that
/// look like them in texts that nobody declared personal.
pub(super) fn reply(reply: HostReply, types: &[String], detector: &Detector) -> HostReply {
    if types.is_empty() {
        return reply;
    }
    if let HostReply::Http { mut response } = reply {
        response.body = bytes(&response.body, types, detector);
        for (_, value) in &mut response.headers {
            *value = without(value, types, detector);
        }
        return HostReply::Http { response };
    }
    if let HostReply::Value { value } = reply {
        return HostReply::Value { value: value.map(|value| bytes(&value, types, detector)) };
    }
    // The key is no data for the skill, but who the customer is from now on.
    if let HostReply::Identity { key, document } = reply {
        let document = match self::reply(HostReply::Document { document }, types, detector) {
            HostReply::Document { document } => document,
            _ => Document { key: key.clone(), version: 0, body: Value::Null.into() },
        };
        return HostReply::Identity { key, document };
    }
    let Ok(mut value) = serde_json::to_value(&reply) else { return HostReply::Done };
    walk(&mut value, types, detector);
    // A shape that does not come back has lost something that it needs: nothing of
    // it is told.
    serde_json::from_value(value).unwrap_or(HostReply::Done)
}

fn walk(value: &mut Value, types: &[String], detector: &Detector) {
    let walk = |part| walk(part, types, detector);
    match value {
        Value::String(text) => *text = without(text, types, detector),
        Value::Array(items) => items.iter_mut().for_each(walk),
        Value::Object(members) => members.values_mut().for_each(walk),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Bytes that are no text cannot be looked through: nothing of them is told.
fn bytes(value: &[u8], types: &[String], detector: &Detector) -> Vec<u8> {
    let text = std::str::from_utf8(value);
    text.map(|text| without(text, types, detector).into_bytes()).unwrap_or_default()
}

fn without(text: &str, types: &[String], detector: &Detector) -> String {
    let is_wanted = |kind: &str| types.iter().any(|wanted| wanted == kind);
    let text = privacy::without_kinds(text, is_wanted);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for Finding { span, kind, .. } in redaction::find(&text, detector, Purpose::Placeholders) {
        if is_wanted(detector.name(kind)) {
            out.push_str(&text[at..span.start]);
            out.push_str(&detector.replacement(kind));
            at = span.end;
        }
    }
    out.push_str(&text[at..]);
    out
}

#[cfg(test)]
mod tests {
    use postern_domain::HttpResponse;
    use postern_policy::{PolicySource, personal::PrivacyRules};

    use super::*;

    #[test]
    fn placeholders_and_values_of_a_type_are_taken_out_and_others_stay() {
        let text = "write <EMAIL_1.k3f9> or ann@example.com, call <PHONE_2.k3f9>";
        let types = ["EMAIL".to_owned()];
        assert_eq!(
            without(text, &types, &Detector::standard()),
            "write [EMAIL] or [EMAIL], call <PHONE_2.k3f9>"
        );
    }

    #[test]
    fn an_operators_own_type_has_its_own_replacement() {
        let text = "[[pattern]]\ntype = \"VOUCHER\"\nregex = \"GIFT-[0-9]{4}\"\n\
                    action = \"redact\"\nreplacement = \"[voucher]\"";
        let source = PolicySource { file: "privacy.toml".into(), text: text.into() };
        let detector = Detector::new(&PrivacyRules::read(&source).unwrap());
        let types = ["VOUCHER".to_owned()];
        assert_eq!(without("for GIFT-1234", &types, &detector), "for [voucher]");
    }

    #[test]
    fn headers_and_kept_values_are_redacted_as_bodies_are() {
        let (detector, types) = (Detector::standard(), ["EMAIL".to_owned()]);
        let text = "to ann@example.com, call <PHONE_2.k3f9>";
        let headers = vec![("x-customer".to_owned(), text.to_owned())];
        let response = HttpResponse { status: 200, headers, body: text.into() };
        let HostReply::Http { response } = reply(HostReply::Http { response }, &types, &detector)
        else {
            panic!("the kind of a reply stays")
        };
        let wanted = "to [EMAIL], call <PHONE_2.k3f9>";
        assert_eq!(
            (response.headers[0].1.as_str(), &response.body[..]),
            (wanted, wanted.as_bytes())
        );
        for (value, wanted) in
            [(text.as_bytes(), wanted.as_bytes()), (b"\xff ann@example.com", b"")]
        {
            let value = HostReply::Value { value: Some(value.to_vec()) };
            let wanted = HostReply::Value { value: Some(wanted.to_vec()) };
            assert_eq!(reply(value, &types, &detector), wanted);
        }
    }
}

mod sinks;
mod sources;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use proptest::prelude::*;

use super::*;

/// What must not be read anywhere, one of each type that is told by its form alone.
pub(super) const PLANTED: [&str; 8] = [
    "ann.lee+shop@mail.example.com",
    "+44 20 7946 0018",
    "+8613800138000",
    "4111 1111 1111 1111",
    "6217000000036943",
    "GB82WEST12345698765432",
    "11010519491231002X",
    "sk_live_4eC39HqLyjWDarjtT1zdp7dcAbCdEf",
];

/// The usual ways to write a text.
pub(super) const ENCODINGS: [fn(&str) -> String; 13] = [
    str::to_owned,
    |text| STANDARD.encode(text),
    |text| STANDARD_NO_PAD.encode(text),
    |text| URL_SAFE.encode(text),
    |text| URL_SAFE_NO_PAD.encode(format!("{{\"it\":\"{text}\",\"x\":1}}")),
    |text| hex::encode(text),
    |text| hex::encode_upper(format!("it={text}")),
    |text| text.bytes().map(|byte| format!("%{byte:02X}")).collect(),
    |text| text.bytes().map(|byte| format!("\\u{byte:04x}")).collect(),
    |text| text.chars().map(|c| format!("&#{};", u32::from(c))).collect(),
    |text| text.bytes().map(|byte| format!("%25{byte:02x}")).collect(),
    |text| STANDARD.encode(STANDARD.encode(text)),
    |text| format!("{:?}", serde_json::json!({ "it": text }).to_string()),
];

/// What may stand next to a datum without being part of it.
fn around() -> impl Strategy<Value = String> {
    let words = prop_oneof![
        "\\PC{0,30}",
        "[a-zA-Z ,.:=/%+-]{0,30}",
        Just("手机号码是".to_owned()),
        Just("{\"a\":[1,2],\"b\":\"".to_owned()),
        Just("x=%zz&y=\\".to_owned()),
        Just("line\nnext ".to_owned()),
    ];
    (words, prop_oneof![Just(" "), Just("，"), Just("是"), Just("\n"), Just("\""), Just("<")])
        .prop_map(|(words, edge)| words + edge)
}

fn hidden() -> impl Strategy<Value = (&'static str, String)> {
    let (planted, encoding) = (prop::sample::select(&PLANTED[..]), 0..ENCODINGS.len());
    (planted, encoding).prop_map(|(text, encoding)| (text, ENCODINGS[encoding](text)))
}

/// Texts with something to find, also longer than what is looked at as a whole.
fn texts() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        3 => around(),
        2 => (hidden(), around()).prop_map(|((_, hidden), after)| hidden + &after),
        1 => Just("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAK\n-----END RSA PRIVATE KEY-----".to_owned()),
        1 => Just("-----BEGIN PRIVATE KEY-----\nMIIEow".to_owned()),
    ];
    (prop::collection::vec(part, 0..6), prop_oneof![4 => Just(1_usize), 1 => Just(150)])
        .prop_map(|(parts, times)| parts.concat().repeat(times))
}

/// Cuts a text at characters.
fn pieces(text: &str, cuts: &[prop::sample::Index]) -> Vec<String> {
    let mut at: Vec<usize> = cuts
        .iter()
        .map(|cut| text.floor_char_boundary(cut.index(text.len() + 1)))
        .chain([0, text.len()])
        .collect();
    at.sort_unstable();
    at.windows(2).map(|pair| text[pair[0]..pair[1]].to_owned()).collect()
}

#[track_caller]
fn check(text: &str, clean: &str) {
    assert_eq!(super::clean(text), clean, "{text}");
    assert_eq!(super::clean(clean), clean, "twice");
}

#[test]
fn what_is_personal_gives_its_place_to_its_type() {
    check("mail ann@shop.example now", "mail [EMAIL] now");
    check("q=ann%40shop.example&x=1", "q=[EMAIL]&x=1");
    check(r#"{"to":"ann\u0040shop.example"}"#, r#"{"to":"[EMAIL]"}"#);
    check("body YW5uQHNob3AuZXhhbXBsZQ== end", "body [EMAIL] end");
    check("616e6e4073686f702e6578616d706c65", "[EMAIL]");
    check("to <EMAIL_1.k3f9>, not [EMAIL]", "to <EMAIL_1.k3f9>, not [EMAIL]");
    check("nothing here", "nothing here");
}

#[test]
fn a_private_key_is_taken_out_over_lines() {
    let key = "-----BEGIN PRIVATE KEY-----\nMIIE\nowIB\n-----END PRIVATE KEY-----";
    check(&format!("a {key} b\nc"), "a [SECRET] b\nc");
    check(&format!("{key}{key}\n"), "[SECRET][SECRET]\n");
    check(&format!("a {}", key.replace('\n', "\\n")), "a [SECRET]");
    check("a -----BEGIN EC PRIVATE KEY-----\nMIIE\n", "a [SECRET]");
    check("-----BEGIN CERTIFICATE-----\nMIIE\n", "-----BEGIN CERTIFICATE-----\nMIIE\n");
}

#[test]
fn what_is_too_long_to_be_looked_through_is_left_out() {
    let run = "x".repeat(100_000);
    check(&format!("a {run} b"), "a [DATA] b");
    let words = "word ".repeat(10_000);
    assert_eq!(clean(&words).replace('\n', ""), words);
    let mails = "ann@shop.example ".repeat(5_000);
    let clean = clean(&mails);
    assert_eq!(clean.matches("[EMAIL]").count(), 5_000);
    assert!(!clean.contains("ann"), "no address is cut in two");
}

#[test]
fn ids_of_the_host_stay() {
    let digest = postern_domain::Digest::of_bytes(b"component");
    for text in [
        "inv_0123456789abcdef01234567",
        "tkt_7f3a9c0d12e4b5a6978812fe",
        "postern_skill_calls_total{skill=\"order-status\",tool=\"order_status\"} 1718000000",
        "2026-11-21T20:56:51.123456Z  INFO tool_calls: tool call seq=3 took_us=1234567",
        "550e8400-e29b-41d4-a716-446655440000",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "skill:order-status@0.1.0 records:get orders/#W1000001 version 12",
        "postern::channels::web refused channel=\"web\" status=400",
        "listening on http://127.0.0.1:8080, [::1]:8080 and 0.0.0.0:0",
        "generation 12 of rules is in force; 3 files differ",
        "/var/lib/postern/skills/components/order-status.wasm",
        "wait 86400 s, 1048576 bytes, until 2026-11-22T00:00:00Z",
    ] {
        check(text, text);
    }
    check(&digest.to_string(), &digest.to_string());
    for number in 0..20_000_u32 {
        let digest = postern_domain::Digest::of_bytes(&number.to_le_bytes());
        let id = postern_domain::InvocationId::derive(&[&number.to_string()]);
        let text = format!("{digest} {id}");
        assert_eq!(clean(&text), text);
    }
}

#[test]
fn hostile_texts_come_to_an_end() {
    // Each window is looked at a bounded number of times; what grows with the square of
    // the length would not end here.
    for part in ["1 ", "a@", "1.1.", "::", "%25", "\\u00", "QUFB", "4a4b", "-----BEGIN ", "&#"] {
        let text = part.repeat(200_000);
        assert!(clean(&text).len() <= 2 * text.len(), "{part}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn nothing_planted_survives(
        before in around(), (planted, hidden) in hidden(), after in around()
    ) {
        // What comes behind begins as what stands before ends.
        let after: String = after.chars().rev().collect();
        let text = format!("{before}{hidden}{after}");
        let clean = clean(&text);
        prop_assert!(!clean.contains(&hidden), "{planted} as {hidden} in {clean}");
        prop_assert!(!clean.contains(planted), "{planted} in {clean}");
    }

    #[test]
    fn cleaning_twice_changes_nothing(text in texts()) {
        let once = clean(&text).into_owned();
        prop_assert_eq!(&clean(&once), &once);
    }

    #[test]
    fn cutting_a_stream_changes_nothing(
        text in texts(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8)
    ) {
        let mut stream = Stream::new(current());
        let mut out: String = pieces(&text, &cuts).iter().map(|piece| stream.push(piece)).collect();
        out.push_str(&stream.finish());
        prop_assert_eq!(out, clean(&text).into_owned());
    }
}

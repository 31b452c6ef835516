use proptest::prelude::*;

use super::*;
use crate::keys::Secret;

const SECRET: &str = "tök/en+\"12&3%41\\=";

fn scanner(value: &str, prefix: &str) -> Scanner {
    Scanner::new([&EgressSecret {
        value: Secret::new(value),
        endpoint: "carrier".into(),
        header: "authorization".into(),
        prefix: prefix.into(),
    }])
    .unwrap()
}

fn masked(value: &str, text: &str) -> String {
    let scanner = scanner(value, "");
    let masked = scanner.mask(text.as_bytes().to_vec());
    assert_eq!(scanner.finds(text.as_bytes()), masked != text.as_bytes(), "{text}");
    String::from_utf8(masked).unwrap()
}

/// Every byte in one way of writing.
fn written(value: &str, one: impl Fn(u8) -> String) -> String {
    value.bytes().map(one).collect()
}

fn utf16(value: &str) -> String {
    value.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect()
}

#[test]
fn a_secret_is_masked_in_every_usual_writing() {
    let standard = general_purpose::STANDARD.encode(SECRET);
    let json = serde_json::to_string(SECRET).unwrap();
    let json = json.trim_matches('"');
    let some = SECRET.replace('%', "%25").replace('/', "%2f").replace('+', "%2B");
    for writing in [
        SECRET.to_owned(),
        format!("{SECRET}{SECRET}"),
        written(SECRET, |b| format!("{b:02x}")),
        written(SECRET, |b| format!("{b:02X}")),
        written(SECRET, |b| if b % 2 == 0 { format!("{b:02X}") } else { format!("{b:02x}") }),
        written(SECRET, |b| format!("%{b:02x}")),
        written(SECRET, |b| format!("%{b:02X}")),
        written(SECRET, |b| format!("%25{b:02X}")),
        some.clone(),
        json.to_owned(),
        json.replace('/', "\\/"),
        utf16(SECRET),
        utf16("😀").to_uppercase().replace("\\U", "\\u") + &utf16(SECRET),
        serde_json::to_string(json).unwrap(),
        json.replace('%', "%25").replace('/', "%2F"),
        written("tök/en+\"12&3%41\\=", |b| format!("\\x{b:02x}")),
        SECRET.replace('&', "&amp;").replace('"', "&quot;"),
        SECRET.chars().map(|c| format!("&#x{:X};", u32::from(c))).collect(),
        SECRET.chars().map(|c| format!("&#{};", u32::from(c))).collect(),
        standard.replace('+', "-").replace('/', "_"),
        standard.replace('/', "\\/").replace('=', "%3D"),
        standard.as_bytes().chunks(5).map(|c| String::from_utf8_lossy(c) + "\r\n").collect(),
        standard.as_bytes().chunks(5).map(|c| String::from_utf8_lossy(c) + "\\r\\n").collect(),
        standard,
    ] {
        let answer = masked(SECRET, &format!("{{\"you sent\": \"{writing}\"}}"));
        let rest = answer.replace("[redacted]", "");
        assert!(answer.contains("[redacted]"), "{writing} in {answer}");
        assert!(
            rest.starts_with("{\"you sent\": \"") && rest.ends_with("\"}"),
            "{writing}: {rest}"
        );
        assert!(rest.len() <= 40, "{writing} left {rest}");
    }
}

#[test]
fn no_alignment_of_base64_tells_a_secret() {
    for before in ["", "a", "ab", "abc", "Bearer "] {
        for after in ["", "x", "xy", "xyz"] {
            let text = format!("{before}tok-1234-5678{after}");
            for engine in [&general_purpose::STANDARD, &general_purpose::URL_SAFE_NO_PAD] {
                let answer = masked("tok-1234-5678", &format!("<{}>", engine.encode(&text)));
                let (head, tail) = answer.split_once("[redacted]").expect("it is found");
                // Nothing of the secret can be decoded from what is left.
                for rest in [head, tail] {
                    let letters: String =
                        rest.chars().filter(char::is_ascii_alphanumeric).collect();
                    let length = letters.len() / 4 * 4;
                    let bytes = general_purpose::STANDARD.decode(&letters[..length]).unwrap();
                    let left = String::from_utf8_lossy(&bytes).into_owned();
                    assert!(!left.contains("to") && !left.contains("78"), "{text}: {left}");
                }
            }
        }
    }
}

#[test]
fn both_halves_of_basic_credentials_are_secret() {
    let pair = general_purpose::STANDARD.encode("shop:pass-word");
    let scanner = scanner(&pair, "Basic ");
    for text in [pair.as_str(), "shop:pass-word", "pass-word", "cGFzcy13b3Jk"] {
        assert!(scanner.finds(text.as_bytes()), "{text}");
    }
    assert!(!scanner.finds(b"shop"));
}

#[test]
fn what_stands_after_a_scheme_is_secret_by_itself() {
    for scheme in ["Bearer", "token", "ApiKey"] {
        assert!(scanner(&format!("{scheme} tok-12345678"), "").finds(b"'tok-12345678'"));
    }
    let pair = general_purpose::STANDARD_NO_PAD.encode("shop:pass-word");
    assert!(!pair.ends_with('='));
    for scanner in [scanner(&format!("Basic {pair}"), ""), scanner(&pair, "Basic ")] {
        for text in [pair.as_str(), "shop:pass-word", "pass-word"] {
            assert!(scanner.finds(text.as_bytes()), "{text}");
        }
    }
    // Where the password is empty the user is the secret.
    let key = general_purpose::STANDARD.encode("sk-12345678:");
    assert!(scanner(&key, "Basic ").finds(b"sk-12345678"));
}

#[test]
fn keys_of_hexadecimal_digits_are_found_in_either_case() {
    let uuid = "9b2f0c1e-7a4d-4e7b-8f00-aa55c0ffee00";
    assert_eq!(masked(uuid, &format!("<{}>", uuid.to_uppercase())), "<[redacted]>");
    assert_eq!(masked("tok-abcdef", "TOK-ABCDEF"), "TOK-ABCDEF");
}

#[test]
fn zeros_between_the_letters_hide_nothing() {
    for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
        let text: Vec<u8> = "tok 12345678".encode_utf16().flat_map(bytes).collect();
        assert!(scanner("tok 12345678", "").finds(&text));
    }
}

#[test]
fn the_number_of_readings_is_bounded() {
    let text = "%2525255c\\\\\\\\u005c&amp;amp;amp;amp;#92; \0".repeat(100);
    let mut views = 0;
    let _end = view::each(text.as_bytes(), |_| {
        views += 1;
        ControlFlow::Continue(())
    });
    assert!((20..=view::MOST_VIEWS).contains(&views), "{views}");
}

#[test]
fn places_that_many_readings_find_are_kept_once() {
    let mut ranges = vec![5..7, 0..2, 1..3, 3..4, 5..6, 0..1];
    coalesce(&mut ranges);
    assert_eq!(ranges, [0..4, 5..7]);
}

#[test]
fn what_is_not_a_secret_stays_as_it_is() {
    for text in ["", "%", "\\", "&", "%4", "\\u", "\\ud800", "\\ud800\\u0041", "&#;", "&#x110000;"]
    {
        assert_eq!(masked("tok-1234", text), text);
    }
    let text = "{\"a\": \"100 % of tok\\u002d123, &amp; more\"}";
    assert_eq!(masked("tok-1234", text), text);
    let none = Scanner::new([]).unwrap();
    assert!(!none.finds(b"tok-1234") && none.mask(b"x".to_vec()) == b"x");
}

#[test]
fn many_secrets_side_by_side_are_one_mask() {
    let text = "aaaaaaaa".repeat(10_000);
    assert_eq!(masked("aaaaaaaa", &text), "[redacted]");
}

proptest! {
    #[test]
    fn any_mixture_of_escapes_is_seen_through(
        ways in proptest::collection::vec(0..6_u8, 12),
        before in "[a-z {}\":,%\\\\&]{0,12}",
        after in "[ {}\":,]{0,12}",
    ) {
        let secret = "s3cr/t+k\"y&0";
        let text: String = secret
            .chars()
            .zip(ways)
            .map(|(c, way)| match way {
                0 => format!("%{:02X}", u32::from(c)),
                1 => format!("\\u{:04x}", u32::from(c)),
                2 => format!("&#{};", u32::from(c)),
                3 => format!("&#x{:x};", u32::from(c)),
                4 => format!("\\x{:02x}", u32::from(c)),
                _ => c.to_string(),
            })
            .collect();
        // A lone mark before the secret must not swallow its beginning.
        let text = format!("{before} {text}{after}");
        let answer = masked(secret, &text);
        prop_assert!(answer.contains("[redacted]"), "{} {}", text, answer);
        prop_assert!(!scanner(secret, "").finds(answer.as_bytes()));
    }

    #[test]
    fn bytes_of_any_kind_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let scanner = scanner("tok-1234", "");
        let text = [&bytes[..], b"tok-1234", &bytes[..]].concat();
        prop_assert!(scanner.finds(&text));
        prop_assert!(!scanner.finds(&scanner.mask(text)));
    }
}

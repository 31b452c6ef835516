use proptest::prelude::*;

use super::*;

/// What is found, the unsure left out, without the types that overlap.
#[track_caller]
pub(super) fn check(text: &str, expected: &[(DataKind, &str)]) {
    let mut found = Vec::new();
    find(text, &mut found);
    found.retain(|one| one.confidence >= 40);
    found.sort_by_key(|one| (one.span.start, one.span.end));
    let found: Vec<(DataKind, &str)> =
        found.iter().map(|one| (one.kind, &text[one.span.clone()])).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn addresses_of_the_net_are_found() {
    const IP: DataKind = DataKind::IpAddress;
    const MAC: DataKind = DataKind::MacAddress;
    check("从10.1.2.3登录, 10.1.2.0/24.", &[(IP, "10.1.2.3"), (IP, "10.1.2.0/24")]);
    check("[2001:db8::a:1]:443", &[(IP, "2001:db8::a:1")]);
    check("fe80::1%eth0, ::ffff:10.1.2.3", &[(IP, "fe80::1%eth0"), (IP, "::ffff:10.1.2.3")]);
    check("ip:2001:db8::1/48", &[(IP, "2001:db8::1/48")]);
    check(
        "0a:1b:2c:3d:4e:5f. 0A-1B-2C-3D-4E-5F",
        &[(MAC, "0a:1b:2c:3d:4e:5f"), (MAC, "0A-1B-2C-3D-4E-5F")],
    );
    check("mac:0a1b.2c3d.4e5f", &[(MAC, "0a1b.2c3d.4e5f")]);
    for text in [
        "at 12:34:56, 80:443, 1.2.3, 256.1.1.1, 1.2.3.4.5, v1.2.3.4, x10.0.0.1",
        "std::vec, a::b, 1::2::3, 12345:db8::1, Chrome/120.0.0.0, version 1.2.3.4",
        "ff:ff:ff:ff:ff:ff 00:00:00:00:00:00 0a:1b:2c:3d:4e 0a:1b:2c:3d:4e:5f:60",
    ] {
        check(text, &[]);
    }
}

#[test]
fn a_number_that_touches_an_address_is_found() {
    let expected = [(DataKind::Email, "ava@shop.com"), (DataKind::Phone, "13800138000")];
    check("ava@shop.com13800138000", &expected);
}

#[test]
fn escapes_end_before_what_is_found() {
    for (kind, value) in [
        (DataKind::IpAddress, "10.1.2.3"),
        (DataKind::IpAddress, "2001:db8::a:1"),
        (DataKind::MacAddress, "0a:1b:2c:3d:4e:5f"),
        (DataKind::Iban, "GB82WEST12345698765432"),
        (DataKind::DateTime, "2024-03-15"),
    ] {
        for escape in ["\\n", "\\t", "%20", "%22", "\\u0022"] {
            check(&format!("x{escape}{value}"), &[(kind, value)]);
        }
    }
}

#[test]
fn dates_are_found_in_many_forms() {
    for date in [
        "2024-03-15",
        "2024/3/15",
        "2024-03-15T14:30:00.5+02:00",
        "3/15/2024",
        "15.03.2024",
        "15/3/24",
        "03/2024",
        "15-Mar-2024",
        "March 15th, 2024",
        "15 March",
        "15th of March 2024",
        "Sept. 3, 2024",
        "Mar-2024",
        "2024年3月15日",
        "3月15号",
    ] {
        check(&format!("on {date}, yes"), &[(DataKind::DateTime, date)]);
    }
    for (text, year) in [
        ("founded in 1987.", "1987"),
        ("the Data Act of 1998 says", "1998"),
        ("a 2011 film", "2011"),
        ("a customer since 2015", "2015"),
        ("published (1999)", "1999"),
        ("a bridge built 1932.", "1932"),
        ("the deed signed 1987", "1987"),
    ] {
        check(text, &[(DataKind::DateTime, year)]);
    }
}

#[test]
fn numbers_that_only_look_like_dates_are_left() {
    for text in [
        "at 06:18, 1/2 price, 3/4, 24/7, 4-5 days, 10-12, 1.2.3, 5.21",
        "pay 2000, a 2000 dollar limit, in 2000 pounds, order 2024, code 2004, £2019",
        "sku 2024-0315, 20240315, 13/13/2024, 2024-13-01, 2024.09, 12-2024-5",
        "I may 5 times, march 3 people, v2024-03-15x, a/2024/03",
        "验证码2004过期了, 2031年, 3月",
    ] {
        check(text, &[]);
    }
}

#[test]
fn dates_of_birth_are_known_by_the_words_around_them() {
    const BIRTH: DataKind = DataKind::BirthDate;
    check("DOB: 03/15/1985", &[(BIRTH, "03/15/1985")]);
    check("I was born on March 15, 1985", &[(BIRTH, "March 15, 1985")]);
    check("我的生日是1985年3月15日", &[(BIRTH, "1985年3月15日")]);
    check("1985-03-15出生", &[(BIRTH, "1985-03-15")]);
    check("date of birth 19850315", &[(BIRTH, "19850315")]);
    check("I was born on 1985", &[(BIRTH, "1985")]);
    check("date of birth: 15 03 1985", &[(BIRTH, "15 03 1985")]);
}

/// What reads on beyond a token remembers how far: otherwise these take minutes.
#[test]
fn hostile_texts_are_read_in_one_go() {
    for part in [
        "a@",
        "1.1.",
        "::",
        "1:",
        "2024-",
        "GB82WEST",
        "eyJ.",
        "password: ",
        "a-",
        "http://a@",
        "name=",
        "-----begin PRIVATE KEY-----",
        "-----begin ",
        "token:",
        "password=a,",
        "a @",
        "pin:1",
        "%20",
        "\\n",
        "May 5 ",
        "dl A1-",
        "年",
        "1年",
        "a.",
    ] {
        find(&part.repeat(400_000 / part.len()), &mut Vec::new());
    }
}

proptest! {
    #[test]
    fn spans_are_parts_of_the_text(
        text in "[0-9a-fA-F:./@ -]{0,40}|(?:(?:http://|password: |born |地址:|eyJ|May |GB82 ?|name=|年|[0-9]{1,4}|[a-z@.:/-]|\\PC)){0,20}"
    ) {
        let mut found = Vec::new();
        find(&text, &mut found);
        for one in found {
            let part = text.get(one.span.clone());
            prop_assert!(part.is_some_and(|part| !part.is_empty()), "{:?} of {:?}", one, text);
        }
    }
}

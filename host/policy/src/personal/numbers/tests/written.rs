//! How people and programs write numbers: what touches them, what joins them, how they are
//! cut; and what is written like a number of a person and is none.

use crate::personal::{Detector, Purpose};

#[track_caller]
fn check(text: &str, expected: &[(&str, &str)]) {
    let found = Detector::standard().find_for(text, Purpose::Placeholders);
    let found: Vec<(&str, &str)> =
        found.iter().map(|one| (one.kind.as_str(), &text[one.span.clone()])).collect();
    assert_eq!(found, expected, "{text}");
}

#[track_caller]
fn nothing(texts: &[&str]) {
    texts.iter().for_each(|text| check(text, &[]));
}

#[test]
fn a_number_sign_behind_a_word_of_a_person_hides_nothing() {
    check("card #4111 1111 1111 1111", &[("CARD", "4111 1111 1111 1111")]);
    check("ssn#536224567", &[("US_SSN", "536224567")]);
    check("SSN #536-22-4567", &[("US_SSN", "536-22-4567")]);
    check("account #12345678901", &[("BANK_ACCOUNT", "12345678901")]);
    check("passport#123456789", &[("PASSPORT", "123456789")]);
    check("phone #4155552671", &[("PHONE", "4155552671")]);
    check("Tel#13800138000", &[("PHONE", "13800138000")]);
    nothing(&["order #4155552671", "ticket#13800138000", "#4111111111111111"]);
}

#[test]
fn numbers_of_a_list_do_not_hide_each_other() {
    check("415-555-2671，415-555-2672", &[("PHONE", "415-555-2671"), ("PHONE", "415-555-2672")]);
    check("138 0013 8000,139 0013 9000", &[("PHONE", "138 0013 8000"), ("PHONE", "139 0013 9000")]);
    check("SSN 535-84-2694,648-78-7053", &[("US_SSN", "535-84-2694"), ("US_SSN", "648-78-7053")]);
    check("535-84-2694:12", &[("US_SSN", "535-84-2694")]);
    check("1.13800138000 2.138-0013-8000", &[("PHONE", "13800138000"), ("PHONE", "138-0013-8000")]);
    check("13800138000-13900139000", &[("PHONE", "13800138000"), ("PHONE", "13900139000")]);
    check("13800138000-1", &[("PHONE", "13800138000")]);
    nothing(&["paid 1,234,567,890 in all", "call me 12,345,678 times", "at 10:30:1234567"]);
}

#[test]
fn words_may_touch_a_number_and_codes_may_not() {
    for (text, kind, value) in [
        ("tel-13800138000", "PHONE", "13800138000"),
        ("user-13800138000", "PHONE", "13800138000"),
        ("visa-4111111111111111", "CARD", "4111111111111111"),
        ("SSN-536-22-4567", "US_SSN", "536-22-4567"),
        ("ID-110101199003078515", "ID_CARD", "110101199003078515"),
        ("_4111111111111111_", "CARD", "4111111111111111"),
        ("user_13800138000", "PHONE", "13800138000"),
        ("IMG_13800138000.jpg", "PHONE", "13800138000"),
        ("card4111111111111111", "CARD", "4111111111111111"),
        ("Visa4111111111111111", "CARD", "4111111111111111"),
        ("tel13800138000", "PHONE", "13800138000"),
        ("wx13800138000", "PHONE", "13800138000"),
        ("sfz110101199003078515", "ID_CARD", "110101199003078515"),
        ("4111 1111 1111 1111x", "CARD", "4111 1111 1111 1111"),
    ] {
        check(text, &[(kind, value)]);
    }
    nothing(&["JD-13800138000", "ab4111111111111111", "a716-446655440000", "x13800138000y"]);
}

#[test]
fn what_a_checksum_proves_may_be_spread() {
    for card in [
        "4111  1111  1111  1111",
        "4111\t1111\t1111\t1111",
        "4111 1111\n1111 1111",
        "4111 1111 1111-1111",
        "411111 1111111111",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        "4111·1111·1111·1111",
        "4111--1111--1111--1111",
        "4111_1111_1111_1111",
        "4111/1111/1111/1111",
        "41111 11111 111111",
    ] {
        check(&format!("it is {card}, thanks"), &[("CARD", card)]);
    }
    for id in ["1101 0119 9003 0785 15", "110101 1990 03078515", "110101199003\n078515"] {
        check(&format!("我是{id}。"), &[("ID_CARD", id)]);
    }
    check("it is 536-22-\n4567", &[("US_SSN", "536-22-\n4567")]);
    check("4111 1111 1111 1111 1226 123", &[("CARD", "4111 1111 1111 1111")]);
}

#[test]
fn numbers_of_parcels_and_products_are_no_cards() {
    let fours = (0..2000).map(|n| format!("9400 1000 0000 {n:04} {:04} 00", 4111 + n));
    for parcel in fours.chain((0..2000).map(|n| format!("6304 {n:04} 1111"))) {
        check(&parcel, &[]);
    }
    for n in 0..2000 {
        check(&format!("这个商品690102807{n:04}扫不出来"), &[]);
        check(&format!("韵达431234567{n:04}没到"), &[]);
    }
    check("my card is 4222222222222", &[("CARD", "4222222222222")]);
    check("cc 675984103431", &[("CARD", "675984103431")]);
    nothing(&["order number 4111111111111111", "\"tracking_id\":[\"577338937201\"]"]);
}

#[test]
fn three_groups_need_a_sign_that_they_are_a_phone() {
    nothing(&[
        "500 250 1000 ml",
        "seats 101 102 1030",
        "sizes 120 300 4500",
        "part 555-123-4567",
        "p99=123.456.7890",
        "room (101) 2024-2025",
    ]);
    check("call 555-123-4567", &[("PHONE", "555-123-4567")]);
    check("it's 415-555-2671", &[("PHONE", "415-555-2671")]);
}

#[test]
fn times_and_postcodes_and_dates_are_no_phones() {
    nothing(&[
        "call me between 1000-1200",
        "office hours 0900-1700",
        "I called on 11/12 2024",
        "my office is in Boston, MA 02115-1234",
        "手机20231115买的",
        "lost my passport on 20240315",
        "my phone cost 12000000",
        "my iPhone 12345678",
        "+20241115 points",
        "outcome 13800138000元",
        "outcome 13800138000件",
        "outcome 13800138000 ns",
        "outcome 13800138000 members",
    ]);
}

#[test]
fn logs_are_without_a_mobile_that_an_error_or_an_id_names() {
    let logged = |text: &str| Detector::standard().redact(text, Purpose::Logs).into_owned();
    assert_eq!(logged("error: 13800138000 not found"), "error: [PHONE] not found");
    assert_eq!(logged("user id 13800138000 gone"), "user id [PHONE] gone");
    assert_eq!(logged("request 13800138000"), "request [PHONE]");
    assert_eq!(logged("order 13800138000"), "order 13800138000");
}

#[test]
fn words_of_other_languages_say_what_a_number_is() {
    for (text, kind, value) in [
        ("手機號 0912345678", "PHONE", "0912345678"),
        ("護照 E12345678", "PASSPORT", "E12345678"),
        ("信用卡號 4222222222222", "CARD", "4222222222222"),
        ("身份證 119900198001010181", "ID_CARD", "119900198001010181"),
        ("tél 41445566", "PHONE", "41445566"),
        ("Rufnummer 41445566", "PHONE", "41445566"),
        ("電話番号 41445566", "PHONE", "41445566"),
        ("телефон 41445566", "PHONE", "41445566"),
        ("전화번호 41445566", "PHONE", "41445566"),
        ("Kontonummer 5362287436", "BANK_ACCOUNT", "5362287436"),
    ] {
        check(text, &[(kind, value)]);
    }
    nothing(&["hôtel 41445566"]);
}

#[test]
fn whom_to_call_stands_between_a_call_and_a_phone() {
    for (text, value) in [
        ("call me back at 01620466109", "01620466109"),
        ("reach our branch on 0350492589", "0350492589"),
        ("Text 98762328", "98762328"),
        ("Office: 39441177", "39441177"),
        ("mob 98762328", "98762328"),
        ("h/p: 98762328", "98762328"),
        ("Ann Lee\nT: 98762328", "98762328"),
        ("Ann Lee | M: 98762328", "98762328"),
        ("7623 2860 is always busy", "7623 2860"),
        ("the line 7623 2860 is dead", "7623 2860"),
        ("my wife's number 40748337 is new", "40748337"),
        ("how can I reach her? Try 03069990904", "03069990904"),
        ("Text (00492) 58991 if", "(00492) 58991"),
        ("Office: (05301) 29040 479", "(05301) 29040 479"),
        ("who owns 7623 28601", "7623 28601"),
        ("Fax 012 9 040", "012 9 040"),
        ("(351) 919825979", "(351) 919825979"),
    ] {
        check(text, &[("PHONE", value)]);
    }
    nothing(&[
        "the number 98762328",
        "call on 20241115",
        "texted 12000000 people",
        "size M: 98762328",
    ]);
}

#[test]
fn what_was_charged_to_a_card_is_no_amount() {
    let card = [("CARD", "4111111111111111")];
    check("you charged 4111111111111111 without consent", &card);
    check("扣款4111111111111111", &card);
    check("paid 4111 1111 1111 1111", &[("CARD", "4111 1111 1111 1111")]);
    nothing(&["charged 8458.49", "paid 41111111", "扣款5084.88元"]);
}

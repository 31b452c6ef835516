mod written;

use super::*;

/// What is found at 50 or more, with overlaps as they are.
#[track_caller]
fn check(text: &str, expected: &[(&str, &str)]) {
    let mut found = Vec::new();
    find(text, &mut found);
    let likely: Vec<(&str, &str)> = found
        .iter()
        .filter(|one| one.confidence >= 50)
        .map(|one| (one.kind.as_str(), &text[one.span.clone()]))
        .collect();
    assert_eq!(likely, expected, "{text}: {found:?}");
}

#[track_caller]
fn phone(text: &str, number: &str) {
    check(text, &[("PHONE", number)]);
}

#[test]
fn cards_have_an_issuer_a_length_and_a_check_digit() {
    for number in [
        "4111111111111111",
        "4222222222222",
        "5555555555554444",
        "2223003122003222",
        "378282246310005",
        "30569309025904",
        "6011111111111117",
        "3530111333300000",
        "213100000000001",
        "6759649826438453",
        "676700000067676767",
        "6250941006528599",
    ] {
        check(number, &[("CARD", number)]);
        check(&format!("卡号{number}不能用"), &[("CARD", number)]);
        check(&format!("pay.card={number} code=1"), &[("CARD", number)]);
    }
    for text in ["4111111111111112", "0000000000000000", "1111111111111117", "7111111111111114"] {
        check(text, &[]);
    }
}

#[test]
fn cards_are_found_one_after_the_other() {
    let text = "4012888888881881 4012-8888-8888-1881 4012 8888 8888 1881";
    let cards = ["4012888888881881", "4012-8888-8888-1881", "4012 8888 8888 1881"];
    check(text, &cards.map(|card| ("CARD", card)));
    check(
        "6217000000036943,13800001234",
        &[("CARD", "6217000000036943"), ("PHONE", "13800001234")],
    );
}

#[test]
fn a_card_in_a_longer_code_is_none() {
    for text in
        ["x4111111111111111", "JD-4111111111111111", "#4111111111111111", "41111111111111110"]
    {
        check(text, &[]);
    }
    check("a=%224111111111111111%22", &[("CARD", "4111111111111111")]);
    check(r"card\n4111111111111111\n", &[("CARD", "4111111111111111")]);
}

#[test]
fn a_card_number_with_a_slip_is_as_personal_behind_its_word() {
    check("卡号4111111111111112", &[("BANK_ACCOUNT", "4111111111111112")]);
    check("订单4111111111111112", &[]);
}

#[test]
fn identity_cards_have_a_date_and_a_check_character() {
    for number in ["11990019800101018X", "11990019800101018x"] {
        check(&format!("我是{number}本人"), &[("ID_CARD", number)]);
    }
    check("119900 19800101 018X", &[("ID_CARD", "119900 19800101 018X")]);
    check("119900198001010181", &[]);
    check("11990019801301018X", &[]);
    check("身份证119900198001010181", &[("ID_CARD", "119900198001010181")]);
}

#[test]
fn social_security_numbers_are_ones_that_can_be_given_out() {
    check("it's 536-22-8743", &[("US_SSN", "536-22-8743")]);
    check("my ssn is 536228743", &[("US_SSN", "536228743")]);
    for text in ["000-22-8743", "666-22-8743", "936-22-8743", "536-00-8743", "536-22-0000"] {
        check(text, &[]);
        check(&format!("ssn {text}"), &[]);
    }
    check("ssn 078-05-1120", &[]);
    check("order 536-22-8743", &[]);
}

#[test]
fn numbers_that_could_be_several_things_are_weak_readings_of_each() {
    #[track_caller]
    fn weak(text: &str, expected: &[DataKind]) {
        let mut found = Vec::new();
        find(text, &mut found);
        assert!(found.iter().all(|one| one.confidence <= 30), "{found:?}");
        for kind in expected {
            assert!(found.iter().any(|one| one.kind == *kind), "{kind:?}: {found:?}");
        }
    }
    weak("536228743", &[DataKind::UsSsn, DataKind::Passport, DataKind::BankAccount]);
    weak("K53622874", &[DataKind::Passport]);
    weak("536228743641", &[DataKind::BankAccount]);
    weak("9434765919", &[DataKind::UkNhs]);
}

#[test]
fn words_decide_what_an_account_or_document_is() {
    check("account number: 53622874364", &[("BANK_ACCOUNT", "53622874364")]);
    check("收款账号 53622874364", &[("BANK_ACCOUNT", "53622874364")]);
    check("passport no. K5362287", &[("PASSPORT", "K5362287")]);
    check("护照E53622874到期", &[("PASSPORT", "E53622874")]);
    check("NHS number 943 476 5919", &[("UK_NHS", "943 476 5919")]);
    check("the account and order 53622874364", &[]);
}

#[test]
fn international_phones_need_no_word() {
    for number in [
        "+44 20 7946 0018",
        "+44 (20) 7946 0018",
        "+44 (0)20 7946 0018",
        "(+49) 30 1234567",
        "+55 11 98456 5666",
        "+1-984-882-0190",
        "+8613800001234",
        "+86-138-0000-1234",
        "+39 06 678 4343",
        "001-518-640-0854",
    ] {
        phone(number, number);
        phone(&format!("ring {number}, thanks"), number);
        phone(&format!("电话{number}。"), number);
    }
    phone("%2B8613800001234", "8613800001234");
    phone("+44 20 7946 0018 12 34 56", "+44 20 7946 0018");
}

#[test]
fn phones_within_a_country_are_known_by_their_groups() {
    for number in [
        "(415) 555-0132",
        "415-555-0132",
        "415.555.0132",
        "1-415-555-0132",
        "(579)888-3058",
        "(71) 4233-6306",
        "09-7625400",
        "090-1234-5678",
        "01.84.17.61.18",
        "010-12345678",
        "13800001234",
        "138 0000 1234",
        "8613800001234",
        "400-820-8820",
    ] {
        phone(&format!("it's {number}"), number);
        phone(&format!("|{number}|"), number);
    }
}

#[test]
fn other_phones_are_known_by_the_words_around_them() {
    phone("Phone:\n467 3395\n\nE-mail:", "467 3395");
    phone("781 1704 office\n", "781 1704");
    phone("Suite 12,3660170548-Fax", "3660170548");
    phone("They're not answering at 78 651 450", "78 651 450");
    phone("please call me on 9472 7916?", "9472 7916");
    phone("mobile=5551234567&ts=1753199823302", "5551234567");
    phone("座机 8765 4321", "8765 4321");
}

#[test]
fn extensions_belong_to_a_phone() {
    phone("(415) 555-0132 ext. 12", "(415) 555-0132 ext. 12");
    phone("001-518-640-0854x123", "001-518-640-0854x123");
    phone("010-12345678转123", "010-12345678转123");
    phone("(415) 555-0132 extra", "(415) 555-0132");
}

#[test]
fn other_numbers_are_no_phones() {
    for text in [
        "the code is 987-654",
        "order 415-555-0132",
        "call me about order 4417290123",
        "I paid $1234567",
        "call on 2024-01-15 10",
        "phone released in 1999-2004",
        "reach 192.168.100.200",
        "call between 10:30 and 11:45",
        "zip 03262 2437",
        "text me 12,345,678 times",
        "5361-2287-4364-1111",
        "550e8400-e29b-41d4-a716-446655440000",
        "error 0991 at 1763136575463",
        "138****1234",
        "batch 4417290123",
    ] {
        check(text, &[]);
    }
}

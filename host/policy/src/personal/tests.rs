use proptest::prelude::*;

use super::*;

fn find(text: &str) -> Vec<Finding> {
    Detector::standard().find_for(text, Purpose::Placeholders)
}

#[track_caller]
fn check(text: &str, expected: &[(&str, &str)]) {
    let found: Vec<(&str, &str)> =
        find(text).iter().map(|one| (one.kind.as_str(), &text[one.span.clone()])).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn phones_are_found_by_sign_word_or_grouping() {
    check("ring +44 20 7946 0018.", &[("PHONE", "+44 20 7946 0018")]);
    check("my phone is 5551234567", &[("PHONE", "5551234567")]);
    check(
        "(555) 123-4567 or 1-555-123-4567",
        &[("PHONE", "(555) 123-4567"), ("PHONE", "1-555-123-4567")],
    );
    check("it's 020 7946 0018", &[("PHONE", "020 7946 0018")]);
    check("手机１３１００００５５４３收不到", &[("PHONE", "１３１００００５５４３")]);
    check("您好我是133-0000-3444的机主", &[("PHONE", "133-0000-3444")]);
}

#[test]
fn numbers_of_orders_and_parcels_are_not_phones() {
    for text in [
        "order 4417290123",
        "44172901234",
        "tracking 123456789012",
        "订单13100005543还没发货",
        "#5551234567",
        "W1234567",
        "2024-01-15 at 10:30",
        "I paid 1234567.50",
        "zip 12345-6789",
        "JD0001969267863",
    ] {
        check(text, &[]);
    }
}

#[test]
fn cards_are_found_if_their_checksum_fits() {
    check("card 4111 1111 1111 1111 12/26", &[("CARD", "4111 1111 1111 1111")]);
    check("银行卡6217000000036943绑定失败", &[("CARD", "6217000000036943")]);
    check("3782-822463-10005", &[("CARD", "3782-822463-10005")]);
    check("4111 1111 1111 1112", &[]);
    check("6972894960837", &[]);
}

#[test]
fn several_kinds_stand_side_by_side_in_order() {
    check(
        "卡号6217000000036943，回访133-0000-9016，邮箱a@b.example",
        &[("CARD", "6217000000036943"), ("PHONE", "133-0000-9016"), ("EMAIL", "a@b.example")],
    );
}

#[test]
fn what_two_glued_values_hide_of_each_other_is_found_in_one_call() {
    let wallet = "0x52908400098527886E0F7030069857D2E4169EE7";
    check(&format!("(415) 555-2671-{wallet}"), &[("PHONE", "(415) 555-2671"), ("CRYPTO", wallet)]);
    check("13800138000-10.1.2.3", &[("PHONE", "13800138000"), ("IP_ADDRESS", "10.1.2.3")]);
    check("378282246310005::1", &[("CARD", "378282246310005"), ("IP_ADDRESS", "::1")]);
    check("①13800138000 ②13900139000", &[("PHONE", "13800138000"), ("PHONE", "13900139000")]);
    check(
        "℡13800138000 №4111111111111111",
        &[("PHONE", "13800138000"), ("CARD", "4111111111111111")],
    );
}

#[test]
fn placeholders_are_read_as_nothing() {
    for text in ["<PHONE_100.0000>", "<CARD_4111111111111111.k3f9>", "call <PHONE_9.1234567>"] {
        check(text, &[]);
    }
}

/// What people and programs write, in any order and with anything between.
const PARTS: [&str; 36] = [
    "13800001234",
    "138 0000 1234",
    "+8613800001234",
    "+44 20 7946 0018",
    "(415) 555-0132",
    "467 3395",
    "5551234567",
    "4111111111111111",
    "4111 1111 1111 1111",
    "4111111111111112",
    "536-22-8743",
    "536228743",
    "11990019800101018X",
    "12345678",
    "K53622874",
    "ava@example.com",
    "a.very.long.name.that.goes.on+and.on@mail.example.com",
    "https://example.com/a?token=abc123",
    "192.168.0.1",
    "2024-01-15",
    "phone ",
    "call ",
    "card ",
    "ssn ",
    "order ",
    "账号",
    "电话",
    "passport ",
    "[PHONE]",
    "<CARD_1.k3f9>",
    "born ",
    "-",
    ".",
    ",",
    " ",
    "x",
];

proptest! {
    #[test]
    fn what_was_taken_out_stays_the_same_when_it_is_done_again(
        parts in proptest::collection::vec((0..PARTS.len(), "[ ,.:-]{0,1}"), 0..9)
    ) {
        let text: String = parts.iter().flat_map(|(part, sign)| [PARTS[*part], sign]).collect();
        for purpose in [Purpose::Placeholders, Purpose::Logs] {
            let once = Detector::standard().redact(&text, purpose).into_owned();
            let twice = Detector::standard().redact(&once, purpose).into_owned();
            prop_assert_eq!(once, twice, "{}", text);
        }
    }

    #[test]
    fn spans_are_ordered_disjoint_and_on_character_boundaries(
        text in "[0-9 +()@a.#０１手机\u{200b}-]{0,60}|\\PC{0,60}"
    ) {
        let spans = find(&text);
        prop_assert_eq!(&spans, &find(&text));
        let mut end = 0;
        for Finding { span, .. } in spans {
            prop_assert!(span.start >= end && span.end > span.start);
            prop_assert!(text.get(span.start..span.end).is_some());
            end = span.end;
        }
    }

    #[test]
    fn an_address_is_found_wherever_it_stands(
        before in "[ ,:<(。，邮箱是]{0,20}", after in "[ ,>)?!。，收不到]{0,20}"
    ) {
        let text = format!("{before}ava.moore@example.com{after}");
        let found = find(&text);
        prop_assert!(found.iter().any(|span| span.kind == DataKind::Email));
    }
}

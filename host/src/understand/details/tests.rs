use proptest::prelude::*;

use super::*;

/// First name, last name and postcode; an empty text for what is missing.
#[track_caller]
fn check(text: &str, expected: [&str; 3]) {
    let found = extract_details(text).unwrap_or_default();
    let value = |piece: &Option<Piece>| piece.as_ref().map_or(String::new(), |p| p.value.clone());
    let seen = [value(&found.first_name), value(&found.last_name), value(&found.postcode)];
    assert_eq!(seen, expected, "{text}");
}

#[test]
fn names_and_postcodes_are_read_from_answers_as_people_write_them() {
    check("Yusuf Rossi, 19122", ["Yusuf", "Rossi", "19122"]);
    check("yusuf rossi 19122", ["yusuf", "rossi", "19122"]);
    check("19122 Yusuf Rossi", ["Yusuf", "Rossi", "19122"]);
    check("I'm Mei-Ling O'Neil and my zip is 90210", ["Mei-Ling", "O'Neil", "90210"]);
    check("i’m mei-ling o’neil and my zip is 90210", ["mei-ling", "o'neil", "90210"]);
    check("name: José García postcode SW1A 1AA", ["José", "García", "SW1A 1AA"]);
    check("my name is Ava Moore, zip code 80279", ["Ava", "Moore", "80279"]);
    check("My name is Ava Moore and I live in 80279.", ["Ava", "Moore", "80279"]);
    check("Sure, it's Noah Brown. Zip: 80279", ["Noah", "Brown", "80279"]);
    check("Name: Ava Moore\nZip: 80279", ["Ava", "Moore", "80279"]);
    check("first name Ava, last name Moore, zip code is 80279", ["Ava", "Moore", "80279"]);
    check("You are Yusuf Rossi in zip code 19122.", ["Yusuf", "Rossi", "19122"]);
    check("Hi, this is Will May in 10126", ["Will", "May", "10126"]);
    check("王小明，邮编100000", ["小明", "王", "100000"]);
    check("我叫欧阳修 邮编：200000", ["修", "欧阳", "200000"]);
}

#[test]
fn family_names_keep_what_belongs_to_them() {
    check("Ludwig van der Berg, 1012 AB", ["Ludwig", "van der Berg", "1012 AB"]);
    check("María José de la Cruz 28001", ["María José", "de la Cruz", "28001"]);
    check("J. R. Smith 10126", ["J. R.", "Smith", "10126"]);
}

#[test]
fn an_answer_may_hold_a_part_only() {
    check("Yusuf Rossi", ["Yusuf", "Rossi", ""]);
    check("my name is Ava", ["Ava", "", ""]);
    check("19122", ["", "", "19122"]);
    check("it's 19122", ["", "", "19122"]);
    check("my zip code is SW1A 1AA", ["", "", "SW1A 1AA"]);
}

#[test]
fn what_answers_something_else_has_no_details() {
    for text in [
        "",
        "no",
        "why do you need that",
        "where is my order",
        "I don't know",
        "track package",
        "Where Is My Order",
        "i'm still waiting",
        "I am really angry",
        "this is ridiculous",
        "talk to a human",
        "order #W1234567",
        "我不知道",
        "为什么",
        "hello",
        "thanks",
        "Thank you",
        "refund please",
        "ava@example.com",
        "it's late",
        "谢谢",
        "我是来查询订单的",
    ] {
        check(text, ["", "", ""]);
    }
}

#[test]
fn pieces_stand_where_they_say() {
    let text = "我是　Ｙｕｓｕｆ Rossi, １９１２２";
    let found = extract_details(text).unwrap();
    let (first, code) = (found.first_name.clone().unwrap(), found.postcode.clone().unwrap());
    assert_eq!(&text[first.start..first.end], "Ｙｕｓｕｆ");
    assert_eq!(&text[code.start..code.end], "１９１２２");
    assert_eq!(found.full_name().as_deref(), Some("Yusuf Rossi"));
    assert!(!format!("{found:?}").contains("Yusuf"));
}

proptest! {
    #[test]
    fn pieces_are_on_character_boundaries(text in "[A-Za-z é'.,;0-9１王\u{200b}-]{0,50}|\\PC{0,50}") {
        let found = extract_details(&text);
        prop_assert_eq!(&found, &extract_details(&text));
        let found = found.unwrap_or_default();
        for piece in [found.first_name, found.last_name, found.postcode].into_iter().flatten() {
            prop_assert!(piece.start < piece.end && text.get(piece.start..piece.end).is_some());
            prop_assert!(!piece.value.is_empty());
        }
    }

    #[test]
    fn any_two_capitalised_words_and_a_zip_are_read_back(
        first in "[A-Z][a-z]{2,9}x", last in "[A-Z][a-z]{2,9}x", zip in "[1-9][0-9]{4}"
    ) {
        let found = extract_details(&format!("{first} {last}, {zip}")).unwrap();
        prop_assert_eq!(found.full_name(), Some(format!("{first} {last}")));
        prop_assert_eq!(found.postcode.unwrap().value, zip);
    }
}

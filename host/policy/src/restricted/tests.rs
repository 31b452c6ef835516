//! What restricted content is found, on the labelled set and on ordinary messages.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use super::*;
use crate::personal::{Detector, Purpose};

/// Labelled messages. Those of the part `held` were written before any wording was chosen,
/// and none was chosen by them.
const LABELLED: &str = include_str!("../../../../tests/data/restricted.jsonl");

fn rows(text: &str) -> Vec<Row> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn found_in(rows: &[Row]) -> Evaluation {
    evaluate(&Restricted::standard(), &Detector::standard(), rows)
}

/// Messages of public sets, if they are there.
fn shared(name: &str) -> Option<Vec<Row>> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = fs::read_to_string(root.join("../shared/data").join(name)).ok();
    if text.is_none() {
        assert!(std::env::var_os("CI").is_none(), "../shared/data/{name} is missing");
        println!("skipped: ../shared/data/{name} is missing");
    }
    text.map(|text| rows(&text))
}

#[test]
fn the_labelled_set_is_large_enough_and_well_formed() {
    let rows = rows(LABELLED);
    assert!(rows.len() >= 420, "{} messages", rows.len());
    let ids: BTreeSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let texts: BTreeSet<String> = rows.iter().map(|row| canonical(&row.text)).collect();
    assert_eq!((ids.len(), texts.len()), (rows.len(), rows.len()), "something is there twice");
    let mut labels: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for row in &rows {
        let held = u32::from(row.split.as_deref() == Some("held"));
        for name in row.categories.iter().flatten() {
            assert!(Category::named(name).is_some(), "{}: {name}", row.id);
            let (all, held_back) = labels.entry(name).or_default();
            (*all, *held_back) = (*all + 1, *held_back + held);
        }
    }
    assert_eq!(labels.len(), Category::ALL.len());
    for (name, (all, held)) in labels {
        assert!(all >= 35 && held >= 15, "{name}: {all}, {held} of them held");
    }
}

#[test]
fn enough_is_found_in_the_labelled_set() {
    let all = rows(LABELLED);
    let held: Vec<Row> =
        all.iter().filter(|row| row.split.as_deref() == Some("held")).cloned().collect();
    for (part, rows) in [("all", &all), ("held", &held)] {
        let found = found_in(rows);
        println!(
            "{part}: {} messages; recall {:.3}, precision {:.3}; {} of {} ordinary ones flagged; {} of {} others overlooked",
            rows.len(),
            found.all.recall(),
            found.all.precision(),
            found.false_alarms,
            found.ordinary,
            found.overlooked,
            found.sensitive,
        );
        for (name, score) in &found.by_category {
            let (recall, precision) = (score.recall(), score.precision());
            println!(
                "  {name}: recall {recall:.3}, precision {precision:.3}, F1 {:.3}",
                score.f1()
            );
            assert!(recall >= 0.9, "{part} {name}: recall {recall:.3}");
        }
        assert!(found.all.recall() >= 0.95, "{part}: recall {:.3}", found.all.recall());
        assert!(found.all.precision() >= 0.95, "{part}: precision {:.3}", found.all.precision());
        assert!(found.false_alarm_rate() <= 0.02, "{part}: {} alarms", found.false_alarms);
    }
}

#[test]
fn ordinary_messages_of_public_sets_raise_hardly_an_alarm() {
    for name in [
        "pii/benign.jsonl",
        "intent/banking77_train.jsonl",
        "intent/clinc150_val.jsonl",
        "intent/hint3_curekart_train.jsonl",
        "intent/hint3_powerplay11_train.jsonl",
        "intent/hint3_sofmattress_train.jsonl",
    ] {
        let Some(rows) = shared(name) else { continue };
        let found = found_in(&rows);
        println!("{name}: {} of {} flagged", found.false_alarms, found.ordinary);
        assert!(found.false_alarm_rate() <= 0.02, "{name}: {}", found.false_alarms);
    }
}

/// The names of what is found in a text.
fn names(restricted: &Restricted, text: &str) -> Vec<String> {
    let findings = Detector::standard().find_for(text, Purpose::Placeholders);
    let hits = restricted.find(text, &findings);
    hits.iter().map(|hit| restricted.name(hit.category).to_owned()).collect()
}

#[track_caller]
fn check(text: &str, wanted: &[&str]) {
    assert_eq!(names(&Restricted::standard(), text), wanted, "{text}");
}

#[test]
fn a_value_tells_it_and_words_about_it_do_not() {
    check("charge 4242 4242 4242 4242 please", &["payment_card"]);
    check("the card number is what I need to change", &[]);
    check("cvv: 123", &["payment_card"]);
    check("what is a cvv?", &[]);
    check("my passport was stolen yesterday", &[]);
    check("passport number G12345678", &["id_document"]);
    check("order 88213345120091 has not arrived", &[]);
}

#[test]
fn spelling_makes_no_difference() {
    for text in [
        "I want to KILL MYSELF",
        "i want to k\u{200b}ill myself",
        "ｉ ｗａｎｔ ｔｏ ｋｉｌｌ ｍｙｓｅｌｆ",
        "i want to kill\n  myself",
        "我想 自 殺",
        "我想自\u{200d}杀",
    ] {
        check(text, &["self_harm"]);
    }
    check("I’m 12, can I join?", &["minors"]);
    check("im 12 can i join", &["minors"]);
}

#[test]
fn words_count_as_a_whole() {
    check("please issue your refund", &[]);
    check("再不退款我就sue你", &["legal_threat"]);
    check("app里起诉按钮在哪", &["legal_threat"]);
    check("告诉你们一声，请告知", &[]);
}

#[test]
fn two_wordings_make_it_surer_than_one() {
    let confidence = |text: &str| Restricted::standard().find(text, &[])[0].confidence;
    assert_eq!(confidence("my lawyer will contact you"), ONE_WORDING);
    assert_eq!(confidence("my lawyer will contact you, and I'm filing a lawsuit"), TWO_WORDINGS);
}

#[test]
fn direct_and_oblique_wordings_tell_the_same() {
    let told: [(&str, &[&str]); 6] = [
        (
            "self_harm",
            &[
                "I don't see the point of living",
                "I’m gonna end it tonight",
                "I have a rope ready",
                "everything would be better if I just wasn't here",
                "I'm standing on the bridge and I can't stop crying",
                "I want 2 die",
                "I see no point in being alive",
                "不想再醒来了",
                "我要跳下去了",
                "我熬不过今晚了",
                "我买好了炭",
                "农药都买好了",
                "我覺得活著沒有意思",
            ],
        ),
        (
            "legal_threat",
            &[
                "we will start proceedings against you",
                "this is fraud and I'm going to the police",
                "I'm calling the police",
                "this is your final notice before action",
                "GDPR complaint goes to the ICO",
                "the regulator will hear about this",
                "不处理我就仲裁",
                "去派出所报案",
                "我要去消保會",
                "等著收存證信函",
            ],
        ),
        (
            "minors",
            &[
                "a kid ordered with my account, he's 8",
                "some kid bought this with my phone",
                "我刚满15",
                "我快满16了，能开户吗",
                "我兒子用我的手機儲值",
                "我還在讀國中",
            ],
        ),
        (
            "health",
            &[
                "我是聋哑人",
                "my wife is expecting a baby",
                "我愛人快生了",
                "我對花生過敏",
                "my blood sugar dropped",
            ],
        ),
        (
            "payment_card",
            &[
                "card number 4111 1111 1111 1112",
                "the code on the back is 831",
                "my cvv's 331",
                "背面三位數字 998",
            ],
        ),
        ("id_document", &["NI number AB123456C", "臺胞證 01234567"]),
    ];
    for (category, texts) in told {
        for text in texts {
            check(text, &[category]);
        }
    }
}

#[test]
fn ordinary_wishes_in_such_words_tell_nothing() {
    for text in [
        "end my life insurance",
        "I don't want to live in this flat any more, change my address",
        "the game is called Suicide Guy",
        "自杀小队蓝光碟有吗",
        "I want to die laughing",
        "I want to die my hair, which colour?",
        "发烧级耳机",
        "骨折价",
        "pregnant women's jeans in size M?",
        "diabetic socks",
        "I'm allergic to bad service",
        "we are expecting a delivery",
        "where's the legal notice on your page?",
        "I'm a lawyer, do you offer a business account?",
        "should the police uniform be washed cold?",
        "我要举报差评",
        "打官司的书",
        "律师函模板在哪下载",
        "the kid size I bought is too small",
        "a kids bike I ordered",
        "我买了木炭，烧烤用",
        "电池撑不到明天",
        "老板快生气了",
        "订单号6222021234567890128",
        "gift card no. 1234567890123456",
        "loyalty card number 1234567890123456",
        "会员卡号6222021234567890128",
    ] {
        check(text, &[]);
    }
}

/// The sections of a text in TOML.
fn sections(text: &str) -> Result<Restricted, Vec<RestrictedError>> {
    Restricted::new(&toml::from_str(text).unwrap())
}

#[test]
fn an_operators_sections_add_take_away_and_make_categories() {
    let restricted = sections(
        r#"
            [minors]
            enabled = false
            [health]
            phrases = ["Sore  Thumb", "痛得要命"]
            not = ["gluten[ -]intolerant oven"]
            tools = "run"
            team = "care"
            answer = { en = "We care.", zh = "我们在意。" }
            [press]
            patterns = ["journalists?", "(?:daily|weekly) post"]
        "#,
    )
    .unwrap();
    let check = |text: &str, wanted: &[&str]| {
        assert_eq!(names(&restricted, text), wanted, "{text}");
    };
    check("I'm 12", &[]);
    check("i have a SORE thumb", &["health"]);
    check("脚痛得要命", &["health"]);
    check("a gluten intolerant oven", &[]);
    check("I am a Journalist of the Daily Post", &["press"]);
    check("journalistic", &[]);
    let press = Category::Custom(0);
    assert_eq!(restricted.name(press), "press");
    assert_eq!(restricted.tools(press), Tools::Stop);
    assert_eq!(restricted.tools(Category::Health), Tools::Run);
    assert_eq!(restricted.tools(Category::PaymentCard), Tools::Run);
    assert_eq!(restricted.tools(Category::SelfHarm), Tools::Stop);
    let health = restricted.rule(Category::Health).unwrap();
    assert_eq!(health.team.as_deref(), Some("care"));
    assert_eq!(health.answer["zh"], "我们在意。");
    assert!(restricted.rule(Category::Minors).is_none());
}

#[test]
fn what_is_wrong_with_a_section_is_told_with_its_name() {
    let told = |text: &str| -> Vec<String> {
        sections(text).unwrap_err().iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        told("[helth]\nteam = \"care\""),
        ["restricted.helth: nothing tells this category (did you mean `health`?)"]
    );
    assert_eq!(
        told("[health]\nphrases = [\"\"]\nanswer = { english = \"x\" }"),
        [
            "restricted.health: `phrases[0]` is empty or too long (an entry has 1 to 1000 bytes)",
            "restricted.health: `answer.english` is for no language (write `en` or `zh`)",
        ]
    );
    let broken = told("[health]\npatterns = [\"ok\", \"(\"]\nnot = [\"[a-z]{900}{900}\"]");
    assert!(broken[0].contains("`patterns[1]` is no usable expression"), "{broken:?}");
    assert!(broken[1].contains("`not[0]` is no usable expression: it is too large"), "{broken:?}");
    let unknown = toml::from_str::<RestrictedRules>("[health]\nphrase = []").unwrap_err();
    assert!(unknown.to_string().contains("unknown field `phrase`"), "{unknown}");
}

#[test]
fn an_empty_set_is_perfect_and_unlabelled_rows_are_ordinary() {
    let none = found_in(&[]);
    assert_eq!((none.all.recall(), none.all.precision(), none.false_alarm_rate()), (1.0, 1.0, 0.0));
    let some = found_in(&rows(
        "{\"id\":\"a\",\"text\":\"I will sue you\"}\n{\"id\":\"b\",\"text\":\"hello\",\"categories\":[\"health\"]}",
    ));
    assert_eq!((some.ordinary, some.false_alarms, some.overlooked), (1, 1, 1));
    assert_eq!(some.by_category["legal_threat"], Score { found: 0, wrong: 1, missed: 0 });
    assert_eq!(some.by_category["health"], Score { found: 0, wrong: 0, missed: 1 });
    assert_eq!(some.predictions[0].categories[0].category, "legal_threat");
}

proptest::proptest! {
    /// Whatever is written, it can be read, and nothing but codes is taken out.
    #[test]
    fn any_text_is_read(text in r"(\PC|\s|[不想活]|i'm |don't |1[0-9]|kill(ing)? me ){0,60}") {
        let _any = Restricted::standard().find(&text, &[]);
        let rest = without_codes(&text);
        let digits = |text: &str| text.chars().filter(|c| c.is_numeric()).count();
        let others = |text: &str| text.chars().filter(|c| !c.is_numeric()).count();
        proptest::prop_assert!(digits(&rest) <= digits(&text));
        proptest::prop_assert!(others(&rest) >= others(&text));
    }
}

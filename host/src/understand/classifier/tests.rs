use proptest::prelude::*;

use super::*;

const SHOP: [(&str, &[&str]); 5] = [
    (
        "order_status",
        &[
            "where is my order",
            "what is the status of my order #W1000001",
            "has my order been shipped yet",
            "I want to know what happened to my order",
            "is order 4417290 still being processed",
            "any news on the order I placed last week",
            "can you look up my order please",
            "when will my order leave the warehouse",
        ],
    ),
    (
        "refund",
        &[
            "I want my money back",
            "can I get a refund for these shoes",
            "please refund my purchase",
            "I would like to return this and be refunded",
            "how do I get reimbursed for a broken lamp",
            "am I eligible for a refund",
            "the item is faulty, refund me",
            "when do I receive my refund",
        ],
    ),
    (
        "track_parcel",
        &[
            "where is my parcel",
            "track my package",
            "the tracking page has not moved for days",
            "which carrier delivers my parcel",
            "my package is late",
            "tracking number 1Z999AA10123456784",
            "is the courier coming today",
            "when does the parcel arrive",
        ],
    ),
    (
        "talk_to_person",
        &[
            "let me talk to a human",
            "I want to speak to a real person",
            "get me your manager",
            "connect me with an agent",
            "this bot is useless, give me a person",
            "can somebody call me",
            "transfer me to customer service staff",
            "human please",
        ],
    ),
    (
        "refund_zh",
        &[
            "我要退款",
            "请给我退钱",
            "这个商品坏了想退货",
            "退款什么时候到账",
            "可以退款吗",
            "怎么申请退款",
        ],
    ),
];

fn examples() -> Vec<Example> {
    SHOP.iter()
        .flat_map(|(intent, texts)| texts.iter().map(move |text| example(intent, text)))
        .collect()
}

fn example(intent: &str, text: &str) -> Example {
    Example { intent: intent.into(), text: text.into() }
}

fn shop() -> Classifier {
    Classifier::train(&examples()).unwrap()
}

#[test]
fn new_wordings_find_their_intent() {
    let classifier = shop();
    for (text, intent) in [
        ("hi, where's my order?", "order_status"),
        ("Could you check the status of order #W7654321 for me", "order_status"),
        ("I'd like a refund please", "refund"),
        ("track package 123456789012", "track_parcel"),
        ("I need to speak with a person", "talk_to_person"),
        ("我想申请退款，谢谢", "refund_zh"),
    ] {
        let found = classifier.classify(text);
        assert_eq!(found.intent(), Some(intent), "{text}: {found:?}");
    }
}

#[test]
fn what_no_skill_serves_is_out_of_scope() {
    let classifier = shop();
    for text in [
        "",
        "   \n ",
        "?!",
        "🙂",
        "asdf qwer",
        "what's the weather",
        "how tall is mount everest",
        "which colours can penguins see",
        "明天会下雨吗",
        "lkjsdf oiuwer zxmcnv",
        "#W1000001",
    ] {
        let found = classifier.classify(text);
        assert!(!found.in_scope, "{text}: {found:?}");
        assert_eq!(found.intent(), None);
    }
}

#[test]
fn which_order_or_address_a_message_names_makes_no_difference() {
    let classifier = shop();
    let one = classifier.classify("status of #W1000001 for ava@example.com");
    for text in [
        "status of #W7654321 for noah.b@shop.example.org",
        "status of #98765432 for <EMAIL_1.k3f9>",
    ] {
        let other = classifier.classify(text);
        assert_eq!(one.ranked[0].intent, other.ranked[0].intent);
    }
    assert_eq!(one, classifier.classify("STATUS of #W7654321 for noah@example.org"));
}

#[test]
fn training_twice_gives_the_same_answers() {
    let (one, other) = (shop(), shop());
    for example in examples() {
        assert_eq!(one.classify(&example.text), other.classify(&example.text));
    }
}

#[test]
fn a_single_intent_still_tells_itself_from_nonsense() {
    let only: Vec<_> = examples().into_iter().filter(|e| e.intent == "order_status").collect();
    let classifier = Classifier::train(&only).unwrap();
    assert_eq!(classifier.classify("where is my order").intent(), Some("order_status"));
    for text in ["", "asdf qwer", "lkjsdf oiuwer zxmcnv"] {
        let found = classifier.classify(text);
        assert!(!found.in_scope, "{text}: {found:?}");
    }
}

#[test]
fn five_examples_for_each_intent_suffice_to_start() {
    let few: Vec<_> = SHOP
        .iter()
        .flat_map(|(intent, texts)| texts.iter().take(5).map(move |text| example(intent, text)))
        .collect();
    let classifier = Classifier::train(&few).unwrap();
    assert_eq!(classifier.classify("is my order shipped?").intent(), Some("order_status"));
    for text in ["", "asdf qwer", "how tall is mount everest"] {
        let found = classifier.classify(text);
        assert!(!found.in_scope, "{text}: {found:?}");
    }
}

#[test]
fn one_example_for_each_intent_is_no_error() {
    let classifier =
        Classifier::train(&[example("a", "track my parcel"), example("b", "refund me")]).unwrap();
    assert_eq!(classifier.classify("track my parcel").ranked[0].intent, "a");
}

#[test]
fn three_intents_are_ranked_and_add_up_to_at_most_one() {
    let found = shop().classify("where is my order or my parcel");
    assert_eq!(found.ranked.len(), 3);
    let sum: f32 = found.ranked.iter().map(|ranked| ranked.probability).sum();
    assert!(sum <= 1.0 + 1e-5);
    assert!(found.ranked.is_sorted_by(|a, b| a.probability >= b.probability));
}

#[test]
fn nothing_to_learn_from_is_an_error() {
    assert_eq!(Classifier::train(&[]).unwrap_err(), TrainError::NoExamples);
    let error = Classifier::train(&[example("greeting", "?!")]).unwrap_err();
    assert!(error.to_string().contains("greeting"), "{error}");
    let many = vec![example("a", "b"); MAX_EXAMPLES + 1];
    let error = Classifier::train(&many).unwrap_err();
    assert_eq!(error, TrainError::TooManyExamples { count: MAX_EXAMPLES + 1 });
    let many: Vec<_> = (0..=MAX_INTENTS).map(|i| example(&format!("i{i}"), "b")).collect();
    let error = Classifier::train(&many).unwrap_err();
    assert_eq!(error, TrainError::TooManyIntents { count: MAX_INTENTS + 1 });
}

#[test]
fn a_very_long_message_costs_no_more_than_its_beginning() {
    let classifier = shop();
    let long = "where is my order ".repeat(100_000);
    let start: String = long.chars().take(2_000).collect();
    assert_eq!(classifier.classify(&long), classifier.classify(&start));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_classified_the_same_way_twice(text in "\\PC{0,80}|(?s).{0,40}") {
        static SHOP: std::sync::LazyLock<Classifier> = std::sync::LazyLock::new(shop);
        let found = SHOP.classify(&text);
        prop_assert_eq!(&found, &SHOP.classify(&text));
        prop_assert!(found.score.is_finite());
        prop_assert!(found.ranked.iter().all(|r| (0.0..=1.0).contains(&r.probability)));
    }
}

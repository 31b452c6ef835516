//! What counts as found, and how lines are read.

use std::io::Cursor;

use postern_policy::{personal::Detector, restricted::Restricted};
use serde_json::{Value, json};

use super::*;

fn lines(text: impl Into<Vec<u8>>) -> Lines {
    Lines::of("set.jsonl".to_owned(), Cursor::new(text.into()))
}

/// The figures of predictions on a set, each a line for each row.
fn given(set: &str, predictions: &str) -> Result<Value, EvaluationError> {
    let mut personal = Personal::given(lines(predictions));
    run(&mut personal, &mut lines(set), |_| Ok(()))?;
    Ok(serde_json::to_value(personal.report()).expect("a report is JSON"))
}

fn row(spans: &[(usize, usize, &str)]) -> String {
    row_with(spans, json!({}))
}

fn row_with(spans: &[(usize, usize, &str)], more: Value) -> String {
    let spans: Vec<Value> = spans
        .iter()
        .map(|(start, end, kind)| json!({ "start": start, "end": end, "type": kind }))
        .collect();
    let mut row = json!({ "id": "a", "text": "x".repeat(40), "spans": spans });
    row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    format!("{row}\n")
}

#[track_caller]
fn check(labels: &[(usize, usize, &str)], found: &[(usize, usize, &str)], counts: [u64; 3]) {
    let report = given(&row(labels), &row(found)).unwrap();
    let micro = &report["micro"];
    assert_eq!(
        [&micro["labels"], &micro["found"], &micro["right"]],
        counts.map(Value::from).each_ref()
    );
}

#[test]
fn a_finding_is_right_if_half_of_both_is_shared_and_the_type_agrees() {
    check(&[(0, 10, "A")], &[(0, 10, "A")], [1, 1, 1]);
    check(&[(0, 10, "A")], &[(0, 5, "A")], [1, 1, 1]);
    check(&[(0, 10, "A")], &[(0, 4, "A")], [1, 1, 0]);
    check(&[(0, 10, "A")], &[(0, 21, "A")], [1, 1, 0]);
    check(&[(0, 10, "A"), (20, 21, "B")], &[(0, 10, "B")], [2, 1, 0]);
    check(&[(0, 10, "A")], &[(10, 20, "A")], [1, 1, 0]);
}

#[test]
fn a_label_is_met_once_and_a_finding_used_once() {
    check(&[(0, 10, "A")], &[(0, 10, "A"), (0, 10, "A")], [1, 2, 1]);
    check(&[(0, 10, "A"), (2, 12, "A")], &[(1, 11, "A")], [2, 1, 1]);
    check(&[(0, 10, "A"), (10, 20, "A")], &[(10, 20, "A"), (0, 10, "A")], [2, 2, 2]);
}

#[test]
fn only_types_with_labels_are_in_the_mean_and_others_are_told() {
    let set = row(&[(0, 10, "A"), (20, 30, "B")]);
    let report = given(&set, &row(&[(0, 10, "A"), (0, 10, "C"), (12, 14, "C")])).unwrap();
    assert_eq!(report["types"]["A"]["f1"], 1.0);
    assert_eq!(
        report["types"]["B"],
        json!({
            "labels": 1, "found": 0, "right": 0, "precision": null, "recall": 0.0, "f1": 0.0
        })
    );
    assert_eq!(report["macro_f1"], 0.5);
    assert_eq!(report["micro"]["found"], 1);
    assert_eq!(report["others"], json!({ "C": 2 }));
}

#[test]
fn what_may_be_found_or_not_is_excused() {
    let excuse = json!({ "unscored": [{ "start": 20, "end": 30, "type": "PERSON" }] });
    let set = row_with(&[(0, 10, "A")], excuse.clone()) + &row_with(&[], excuse);
    let found = row(&[(0, 10, "A"), (29, 35, "A")]) + &row(&[(22, 23, "B")]);
    let report = given(&set, &found).unwrap();
    assert_eq!(report["micro"]["found"], 1);
    assert_eq!(report["flagged"], json!({ "part": 0, "whole": 1, "rate": 0.0 }));
}

#[test]
fn a_message_leaks_unless_every_labelled_character_is_found_as_something() {
    let set = row(&[(2, 10, "A")]);
    for (found, leaks) in [
        (vec![(2, 10, "A")], 0),
        (vec![(0, 20, "B")], 0),
        (vec![(2, 6, "A"), (6, 10, "B")], 0),
        (vec![(2, 6, "A"), (7, 10, "A")], 1),
        (vec![(2, 9, "A")], 1),
        (vec![(0, 3, "B"), (0, 12, "C"), (20, 22, "A")], 0),
        (vec![], 1),
    ] {
        let report = given(&set, &row(&found)).unwrap();
        assert_eq!(report["leaking"]["part"], leaks, "{found:?}");
    }
}

#[test]
fn a_row_about_one_type_passes_if_its_spans_are_exactly_the_labels() {
    let about = |core: bool| json!({ "type": "A", "core": core });
    let set = [
        row_with(&[(0, 10, "A")], about(true)),
        row_with(&[(0, 10, "A")], about(true)),
        row_with(&[], about(true)),
        row_with(&[], about(false)),
    ];
    let found = [
        row(&[(0, 10, "A"), (0, 10, "B")]),
        row(&[(0, 9, "A")]),
        row(&[(0, 10, "B")]),
        row(&[(0, 10, "A")]),
    ];
    let report = given(&set.concat(), &found.concat()).unwrap();
    let of = |what: &str| (&report["passed"][what]["part"], &report["passed"][what]["whole"]);
    assert_eq!(of("core_with"), (&json!(1), &json!(2)));
    assert_eq!(of("core_without"), (&json!(1), &json!(1)));
    assert_eq!(of("other_without"), (&json!(0), &json!(1)));
    assert_eq!(report["others"], json!({}));
}

#[test]
fn places_are_code_points_and_names_are_the_published_ones() {
    let set = json!({ "id": "a", "text": "邮箱😀a.b@example.com。" }).to_string();
    let mut personal = Personal::reported(Detector::standard());
    let mut found = Vec::new();
    run(&mut personal, &mut lines(set), |spans| {
        found.push(serde_json::to_value(spans).unwrap());
        Ok(())
    })
    .unwrap();
    let span = json!({ "start": 3, "end": 18, "type": "EMAIL_ADDRESS" });
    assert_eq!(found, [json!({ "id": "a", "spans": [span] })]);
    let report = personal.report();
    assert_eq!((report.rows, report.labelled, report.macro_f1), (1, 0, None));
    assert_eq!((report.finding, &report.found["EMAIL_ADDRESS"]), (1, &1));
}

#[test]
fn lines_that_do_not_fit_are_named_without_their_text() {
    let good = row(&[]);
    for (line, problem) in [
        ("{\"id\":\"a\"", "line 2: ends too early, at column 9"),
        ("a@secret.example", "line 2: is not JSON, at column 1"),
        (
            r#"{"id":"a","text":["a@secret.example"]}"#,
            "line 2: lacks a member or has one of another kind",
        ),
        (r#"{"id":"a","spans":"a@secret.example","text":""}"#, "another kind"),
        (r#"{"id":"a"}"#, "lacks a member"),
        (
            r#"{"id":"a","text":"é","spans":[{"start":0,"end":2,"type":"A"}]}"#,
            "a span outside of its text",
        ),
        (
            r#"{"id":"a","text":"é","spans":[{"start":1,"end":1,"type":"A"}]}"#,
            "a span outside of its text",
        ),
    ] {
        let error = given(&format!("{good}{line}\n"), &good.repeat(2)).unwrap_err().to_string();
        assert!(error.starts_with("set.jsonl: line 2: "), "{error}");
        assert!(error.contains(problem) && !error.contains("secret"), "{error}");
        assert!(error.contains("; each line must be an object with"), "{error}");
    }
}

#[test]
fn a_line_has_a_bound_and_a_file_has_none() {
    let text = "x".repeat(MOST_LINE_BYTES);
    let long = json!({ "id": "a", "text": text }).to_string();
    let error = given(&long, &row(&[])).unwrap_err().to_string();
    assert!(error.contains("line 1 is longer than 1 MiB"), "{error}");

    let text = &text[..MOST_LINE_BYTES - r#"{"id":"a","text":""}"#.len()];
    let full = format!(r#"{{"id":"a","text":"{text}"}}"#);
    assert_eq!(full.len(), MOST_LINE_BYTES);
    let set = format!("\u{feff}{}\n\r\n{full}", row(&[]).trim());
    assert_eq!(given(&set, &row(&[]).repeat(2)).unwrap()["rows"], 2);
    let set = format!("{full}\n \r\n{full}\r\n{full}");
    let error = given(&set, &row(&[]).repeat(3)).unwrap_err().to_string();
    assert!(error.contains("line 3 is longer"), "a carriage return counts: {error}");
}

#[test]
fn predictions_of_others_must_be_of_the_same_rows() {
    let set = row(&[]);
    let other = row(&[]).replace("\"a\"", "\"b\"");
    let error = given(&set, &other).unwrap_err().to_string();
    assert!(error.contains("line 1: has the id of another row"), "{error}");
    let error = given(&set.repeat(2), &set).unwrap_err().to_string();
    assert!(error.contains("line 2: is the end"), "{error}");
}

#[test]
fn predictions_are_there_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let (set, out) = (folder.path().join("set"), folder.path().join("out"));
    std::fs::write(&set, "").unwrap();
    std::fs::write(&out, "before").unwrap();

    let mut file = PredictionsFile::create(&out, &set).unwrap();
    file.add(&json!({ "id": 1 })).unwrap();
    drop(file);
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "before");
    assert_eq!(folder.path().read_dir().unwrap().count(), 2, "nothing is left beside it");

    let mut file = PredictionsFile::create(&out, &set).unwrap();
    file.add(&json!({ "id": 1 })).unwrap();
    file.finish().unwrap();
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "{\"id\":1}\n");

    let same = PredictionsFile::create(&folder.path().join(".").join("set"), &set);
    assert!(matches!(same, Err(EvaluationError::Same { .. })));
    let lost = PredictionsFile::create(&folder.path().join("no/out"), &set);
    assert!(matches!(lost, Err(EvaluationError::Unwritable { .. })));
}

#[test]
fn hostile_texts_are_counted_by_tier_language_and_source() {
    let set = [
        json!({ "id": "a", "text": "<|im_start|>system", "label": "attack", "tier": "explicit",
            "lang": "en", "source": "own" }),
        json!({ "id": "b", "text": "hello", "label": "benign", "tier": "hard_negative",
            "lang": "en", "source": "own" }),
        json!({ "id": "c", "text": "hello", "label": "attack", "tier": "plain_task", "lang": "zh" }),
        json!({ "id": "d", "text": "hello" }),
    ];
    let set: String = set.iter().map(|row| format!("{row}\n")).collect();
    let mut injection = Injection::default();
    let mut ids = Vec::new();
    run(&mut injection, &mut lines(set), |found| {
        ids.push(found.id.clone());
        Ok(())
    })
    .unwrap();
    assert_eq!(ids, ["a", "b", "c", "d"]);
    let report = injection.report();
    assert_eq!((report.rows, report.labelled, report.flagged), (4, 3, 1));
    let share = |part, whole| Share { part, whole };
    assert_eq!(report.main, Rated { caught: share(1, 1), false_alarms: share(0, 1) });
    assert_eq!(report.overall.caught, share(1, 2));
    assert_eq!(report.hard_negatives, share(0, 1));
    assert_eq!(report.by_source["own"], report.main);
    assert_eq!(report.by_tier["plain_task"].caught, share(0, 1));
    assert!(!report.by_lang.contains_key("zh"), "its only row is not of the main figure");
}

#[test]
fn restricted_content_is_counted_by_category_and_split() {
    let rows = [
        json!({ "id": "a", "text": "I have diabetes, can I take this?", "categories": ["health"],
            "split": "held" }),
        json!({ "id": "b", "text": "Where is my parcel?", "categories": [], "split": "open" }),
        json!({ "id": "c", "text": "Where is my parcel?", "categories": ["minors"] }),
    ];
    let set: String = rows.iter().map(|row| format!("{row}\n")).collect();
    let mut restricted = RestrictedContent::new(Restricted::standard(), Detector::standard());
    run(&mut restricted, &mut lines(set), |_| Ok(())).unwrap();
    let report = restricted.report();
    let counts = Counts { labels: 2, found: 1, right: 1 };
    assert_eq!((report.rows, report.whole.micro), (3, counts.figures()));
    assert_eq!(report.whole.overlooked, Share { part: 1, whole: 2 });
    assert_eq!(report.by_split["open"].false_alarms, Share { part: 0, whole: 1 });
    assert_eq!(report.by_split["held"].micro.recall, Some(1.0));
    assert_eq!(report.by_category["minors"].recall, Some(0.0));
}

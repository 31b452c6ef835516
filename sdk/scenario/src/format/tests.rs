use std::fs;

use super::*;
use crate::{Answer, Level, OutcomeKind, read_folder};

fn parse(text: &str) -> Result<Scenario, String> {
    Scenario::parse(Path::new("x.toml"), text).map_err(|error| error.to_string())
}

/// What is wrong with a scenario of which this is the end.
fn wrong(more: &str) -> String {
    let text = format!("[scenario]\nname = \"x\"\n{more}");
    parse(&text).expect_err(more)
}

/// Every example of the page is a scenario, or the end of one.
#[test]
fn the_readme_says_how_scenarios_are_written() {
    let readme = include_str!("../../README.md");
    let mut examples = readme.split("```toml\n").skip(1).map(|rest| rest.split("```").next());
    let first =
        examples.next().flatten().unwrap().replace("records_file = \"../dev/records.json\"", "");
    let scenario = parse(&first).unwrap();
    assert_eq!(scenario.steps.len(), 2);
    assert_eq!(scenario.given.customer.level, Level::Identified);
    assert_eq!(scenario.steps[1].after, Some(Duration::from_secs(1_500)));
    assert_eq!(scenario.steps[1].expect.calls.as_ref().map(Vec::len), Some(2));
    assert_eq!(scenario.about.time, Moment::default());
    let limits = examples.next().flatten().unwrap();
    let scenario = parse(&format!("{first}\n{limits}")).unwrap();
    assert_eq!(scenario.limits.most_host_calls, Some(4));
    assert_eq!(examples.next(), None);
    for outcome in OutcomeKind::ALL {
        assert!(readme.contains(&format!("`{outcome}`")), "{outcome}");
    }
}

#[test]
fn unknown_keys_are_refused_where_they_stand() {
    let step = "[[step]]\ncall = \"t\"\n";
    for (more, place) in [
        ("nmae = 1\n", "x.toml:3:1: unknown field `nmae`"),
        ("[given.customer]\nkeys = 1\n", "x.toml:4:1: unknown field `keys`"),
        ("[[step]]\ncall = \"t\"\nexpected = {}\n", "x.toml:5:1: unknown field `expected`"),
        (
            "[[step]]\ncall = \"t\"\n[step.expect]\ncalls = [{ action = \"a\", rules = 1 }]\n",
            "x.toml:6:26: unknown field `rules`",
        ),
        ("[[given.http]]\nmethod = \"GET\"\npath = \"/\"\nstatus = 200\n", "x.toml:6:1: unknown"),
        ("[[step]]\ncall = \"t\"\n[expect.limits]\nfule = 1\n", "x.toml:6:1: unknown field `fule`"),
        ("[given]\nallow_unused = 1\n", "x.toml:4:16: invalid type"),
        ("[[step]]\ncall = 1\n", "x.toml:4:8: invalid type"),
    ] {
        let text =
            if more.contains("[[step]]") { more.to_owned() } else { format!("{more}{step}") };
        let reason = wrong(&text);
        assert!(reason.starts_with(place), "{reason}\n{text}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_what_would() {
    let step = "[[step]]\ncall = \"t\"\n";
    for (more, reason) in [
        ("", "nothing happens"),
        ("[[step]]\n", "x.toml:3:1: a step has exactly one of"),
        ("[[step]]\ncall = \"t\"\ncustomer = \"x\"\n", "exactly one of"),
        ("[[step]]\ncustomer = \"x\"\narguments = {}\n", "belong to a `call`"),
        ("[[step]]\ncall = \"t\"\nafter = \"5 minutes\"\n", "such as \"90s\""),
        ("[[given.http]]\nmethod = \"TRACE\"\npath = \"/\"\n[[step]]\ncall = \"t\"\n", "no method"),
        ("time = 2025-06-15\n[[step]]\ncall = \"t\"\n", "x.toml:3:8: a time needs"),
    ] {
        let text = wrong(more);
        assert!(text.contains(reason), "{text}");
    }
    for answer in ["{ json = 1, text = \"x\" }", "{ lost = true, status = 200 }", "{ status = 99 }"]
    {
        let http =
            format!("[[given.http]]\nmethod = \"GET\"\npath = \"/\"\nanswer = {answer}\n{step}");
        assert!(wrong(&http).starts_with("x.toml:6:10: "), "{}", wrong(&http));
    }
}

#[test]
fn answers_have_the_content_type_of_what_they_hold() {
    let text = "[scenario]\nname = \"x\"\n[[step]]\ncall = \"t\"\n\
                [[given.http]]\nmethod = \"GET\"\npath = \"/\"\nanswer = { json = { a = 1 } }\n\
                [[given.http]]\nmethod = \"GET\"\npath = \"/\"\nanswer = { text = \"a\", headers = { Content-Type = \"text/html\" } }\n";
    let answers: Vec<_> = parse(text).unwrap().given.http.into_iter().map(|it| it.answer).collect();
    let response = |content_type: &str, body: &str| Answer::Response {
        status: 200,
        headers: vec![("content-type".into(), content_type.into())],
        body: body.into(),
    };
    assert_eq!(answers, [response("application/json", "{\"a\":1}"), response("text/html", "a")]);
}

#[test]
fn a_folder_is_read_in_order_and_names_are_unique() {
    let folder = tempfile::tempdir().unwrap();
    let scenarios = folder.path().join("scenarios");
    fs::create_dir_all(folder.path().join("dev")).unwrap();
    fs::create_dir(&scenarios).unwrap();
    let none = read_folder(&scenarios).unwrap_err().to_string();
    assert!(none.contains("no scenarios"), "{none}");

    fs::write(folder.path().join("dev/records.json"), r#"{"c":{"a":{"n":1},"b":{"n":2}}}"#)
        .unwrap();
    let text = "[scenario]\nname = \"one\"\n[given]\nrecords_file = \"../dev/records.json\"\n\
                [given.records.c.a]\nn = 3\n[[step]]\ncall = \"t\"\n";
    fs::write(scenarios.join("b.toml"), text).unwrap();
    fs::write(scenarios.join("a.toml"), text.replace("one", "two")).unwrap();
    fs::write(scenarios.join("notes.md"), "x").unwrap();
    let read = read_folder(&scenarios).unwrap();
    let names: Vec<_> = read.iter().map(|(_, scenario)| scenario.about.name.as_str()).collect();
    assert_eq!(names, ["two", "one"]);
    let records = &read[0].1.given.records["c"];
    assert_eq!((&records["a"]["n"], &records["b"]["n"]), (&3.into(), &2.into()));

    fs::write(scenarios.join("c.toml"), text).unwrap();
    let twice = read_folder(&scenarios).unwrap_err().to_string();
    assert!(
        twice.contains("c.toml") && twice.contains("b.toml") && twice.contains("\"one\""),
        "{twice}"
    );

    fs::write(folder.path().join("dev/records.json"), "[]").unwrap();
    let shape = read_folder(&scenarios).unwrap_err().to_string();
    assert!(shape.contains("records.json:1:") && shape.contains("{collection"), "{shape}");
    fs::write(scenarios.join("b.toml"), " ".repeat(2 << 20)).unwrap();
    fs::write(folder.path().join("dev/records.json"), "{}").unwrap();
    let large = read_folder(&scenarios).unwrap_err().to_string();
    assert!(large.contains("more than 1024 KiB"), "{large}");
}

//! What loading refuses, with place and hint.

use super::{quantities::loaded, *};

/// One rule with something wrong in it: where, what, and the hint.
fn check(rules: &str, place: (u32, u32), message: &str, hint: &str) {
    let errors = load(rules).map(|_| ()).unwrap_err();
    let fits = |e: &PolicyError| {
        (e.line, e.column) == place
            && e.file == "test.cedar"
            && e.message.contains(message)
            && e.hint.as_deref().unwrap_or_default().contains(hint)
    };
    let all: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert!(errors.iter().any(fits), "{rules}\n{}", all.join("\n"));
}

const ANY: &str = "(principal, action, resource)";

#[test]
fn annotations_are_ours_to_refuse() {
    check(&format!("permit {ANY};"), (1, 1), "no @id", "@id(");
    check(&format!("\n @id(\"A b\") permit {ANY};"), (2, 2), "not a name", "lower-case");
    check(&format!("@id(\"default-deny\") permit {ANY};"), (1, 1), "reserved", "");
    check(&format!("@id(\"a\") @confrim forbid {ANY};"), (1, 10), "@confrim", "`confirm`");
    check(&format!("@id(\"a\") @colour(\"x\") forbid {ANY};"), (1, 10), "@colour", "there are");
    check(&format!("@id(\"a\") @confirm(\"x\") forbid {ANY};"), (1, 10), "no value", "@confirm");
    check(&format!("@id(\"a\") @confirm permit {ANY};"), (1, 10), "forbid rules only", "beside");
    check(&format!("@id(\"a\") @reason(\"x\") permit {ANY};"), (1, 10), "forbid rules only", "");
    check(&format!("@id(\"a\") @reason(\" \") forbid {ANY};"), (1, 10), "needs a text", "");
    check(&format!("@id(\"a\") @doc(\"{}\") permit {ANY};", "x".repeat(401)), (1, 10), "400", "");
    check(&format!("@id(\"a\") @identity(\"known\") forbid {ANY};"), (1, 10), "level", "verified");
    let twice = format!("@id(\"a\") permit {ANY};\n@id(\"a\") forbid {ANY};");
    check(&twice, (2, 1), "test.cedar:1 already", "choose another");
}

#[test]
fn duties_and_conditions_go_together() {
    let unless = |annotation: &str, condition: &str| {
        format!("@id(\"a\") {annotation} forbid {ANY} unless {{ {condition} }};")
    };
    let fine = unless("@confirm", "context.satisfied.contains(\"confirm\")");
    assert!(load(&fine).is_ok());
    check(
        &unless("@confirm", "context.conversation.private"),
        (1, 1),
        "@confirm does not lift",
        "unless { context.satisfied.contains(\"confirm\") }",
    );
    check(
        &unless("", "context.satisfied.contains(\"confirm\")"),
        (1, 1),
        "without saying so",
        "put @confirm on",
    );
    check(
        &unless("@confirm", "context.satisfied.contains(\"confrim\")"),
        (1, 1),
        "never contains \"confrim\"",
        "`confirm`",
    );
    check(
        &unless("@confirm", "context.satisfied.containsAll([\"confirm\"])"),
        (1, 1),
        "not supported",
        "contains(\"confirm\")",
    );
    check(
        &format!(
            "@id(\"a\") permit {ANY} when {{ context[\"satisfied\"].contains(\"confirm\") }};"
        ),
        (1, 1),
        "without saying so",
        "forbid rule",
    );
}

#[test]
fn a_duty_lifts_the_rule_when_it_is_fulfilled_and_never_the_other_way_round() {
    let asked = "context.satisfied.contains(\"confirm\")";
    let rule = |kind: &str, condition: &str| {
        let condition = condition.replace("YES", asked);
        format!("@id(\"a\") @confirm forbid {ANY} {kind} {{ {condition} }};")
    };
    let private = "context.conversation.private";
    for (kind, condition) in [
        ("unless", "YES"),
        ("when", "!YES"),
        ("unless", "YES || context.tool == \"t\""),
        ("unless", "YES && !(context.tool == \"t\")"),
        ("unless", "!!YES"),
        ("unless", "!(context.tool == \"t\" || !YES)"),
        ("unless", "if context.tool == \"t\" then YES else false"),
        ("when", "if context.tool == \"t\" then !YES else true"),
    ] {
        assert!(load(&rule(kind, condition)).is_ok(), "{kind} {condition}");
    }
    for (kind, condition) in [
        ("when", "YES"),
        ("unless", "!YES"),
        ("when", "!(context.tool == \"t\" || !YES)"),
        ("when", "context.tool == \"t\" && YES"),
        ("when", "if context.tool == \"t\" then YES else true"),
    ] {
        let hint = "unless { context.satisfied.contains(\"confirm\") }";
        check(&rule(kind, condition), (1, 1), "@confirm is the wrong way round", hint);
    }
    let unclear = [
        ("unless", format!("if YES then {private} else true")),
        ("unless", format!("YES == {private}")),
        ("when", "[YES].contains(false)".to_owned()),
        ("when", "{ a: YES }.a".to_owned()),
    ];
    for (kind, condition) in unclear {
        check(&rule(kind, &condition), (1, 1), "@confirm is asked where it may not lift", "unless");
    }
    // One use that lifts does not make good for another that does the contrary.
    let both = rule("when", "YES").replace(';', &format!(" unless {{ {asked} }};"));
    check(&both, (1, 1), "the wrong way round", "unless");
}

#[test]
fn names_that_the_schema_does_not_have_are_refused_where_they_stand() {
    let when = |condition: &str| {
        format!(
            "@id(\"a\")\npermit (principal, action == Action::\"records:get\", resource is Record::orders)\nwhen {{ {condition} }};"
        )
    };
    assert!(load(&when("resource.fields.status == \"x\"")).is_ok());
    check(&when("resource.fields.statsu == \"x\""), (3, 8), "statsu`", "`status`");
    check(&when("resource.fields has statsu && true"), (1, 1), "impossible", "");
    check(&when("resource.fields.status == 3"), (3, 8), "", "");
    check(&when("resource.owner == \"x\""), (3, 8), "owner", "has");
    check(&when("context.tol == \"x\""), (3, 8), "`tol`", "`tool`");
    check(
        &when("context.customer.level == IdentityLevel::\"identifed\""),
        (3, 34),
        "identifed",
        "\"identified\"",
    );
    let scope = |action: &str, resource: &str| {
        format!(
            "@id(\"a\") permit (principal, action == Action::\"{action}\", resource is {resource});"
        )
    };
    check(&scope("records:gett", "Record::orders"), (1, 39), "records:gett", "records:get");
    check(&scope("records:get", "Record::oders"), (1, 74), "oders", "orders");
    check(&scope("records:get", "Queue"), (1, 1), "applicable action", "");
    check(
        "@id(\"a\") permit (principal == Skil::\"x\", action, resource);",
        (1, 31),
        "Skil",
        "Skill",
    );
}

#[test]
fn a_misspelt_attribute_behind_has_is_refused() {
    let rule = format!(
        "@id(\"a\") forbid {ANY} when {{ context.customer has kee && context.customer.kee == \"x\" }};"
    );
    assert!(load(&rule).is_err());
}

#[test]
fn everything_that_is_wrong_is_reported_in_the_order_of_files() {
    let source = |file: &str, text: &str| PolicySource { file: file.into(), text: text.into() };
    let files = [
        source(
            "b.cedar",
            "permit (principal, action, resource);\n@id(\"x\") @foo permit (principal, action, resource);",
        ),
        source(
            "a.cedar",
            "@id(\"y\") permit (principal, action, resource) when { context.nope };\n@id(\"z\") permit (principal, action, resource) when { context.nor };",
        ),
        source("c.cedar", "permit (principal action, resource);"),
    ];
    let errors = PolicySet::load(&only(files.into()), &shop()).map(|_| ()).unwrap_err();
    let mut places: Vec<(&str, u32)> = errors.iter().map(|e| (e.file.as_str(), e.line)).collect();
    places.dedup();
    let expected = [("a.cedar", 1), ("a.cedar", 2), ("b.cedar", 1), ("b.cedar", 2), ("c.cedar", 1)];
    assert_eq!(places, expected);
    assert!(errors.iter().any(|e| e.rule.as_deref() == Some("y")), "{errors:?}");
}

#[test]
fn templates_and_files_given_twice_are_refused() {
    check(
        "\n@id(\"a\") permit (principal == ?principal, action, resource);",
        (2, 1),
        "templates",
        "each principal",
    );
    let source = PolicySource { file: "a.cedar".into(), text: String::new() };
    let errors = PolicySet::load(&only(vec![source.clone(), source]), &shop()).unwrap_err();
    assert_eq!(errors[0].to_string(), "a.cedar: the file was given twice");
}

#[test]
fn sizes_are_bounded_and_hostile_texts_do_not_use_up_the_stack() {
    let rule = |id: usize| format!("@id(\"r{id}\") permit {ANY};\n");
    let many: String = (0..2_001).map(rule).collect();
    check(&many, (2_001, 1), "more than 2000 rules", "");
    check(&"(".repeat(100_000), (1, 25), "nest deeper", "");
    let huge = " ".repeat(256 * 1024 + 1);
    assert!(load(&huge).unwrap_err()[0].message.contains("at most 262144"));
    // The deepest trees that the bounds let through.
    for (part, most) in [
        (" && true", 250),
        (" || false", 250),
        (" + 1", 490),
        (".a", 490),
        ("if true then true else ", 340),
    ] {
        let chain = part.repeat(most);
        let text = match part {
            part if part.starts_with("if") => {
                format!("@id(\"a\") permit {ANY} when {{ {chain} true }};")
            }
            part if part.ends_with('1') => {
                format!("@id(\"a\") permit {ANY} when {{ 1 == 1{chain} }};")
            }
            ".a" => format!("@id(\"a\") permit {ANY} when {{ context{chain} }};"),
            _ => format!("@id(\"a\") permit {ANY} when {{ true{chain} }};"),
        };
        match load(&text) {
            Err(errors) => {
                assert!(errors[0].message.contains("attribute `a`"), "{part}: {errors:?}")
            }
            Ok(set) => {
                let (call, record) = order("#W1", "ana");
                let facts = Facts { records: vec![record], ..facts() };
                judge(&set, "order-status", "t", &call, &facts);
            }
        }
        check(&text.replace(&chain, &part.repeat(most * 2)), (1, 1), "a statement ", "split it");
    }
}

#[test]
fn a_schema_is_refused_with_its_place() {
    let check = |text: &str, place: u32, message: &str| {
        let source = PolicySource { file: "s".into(), text: text.into() };
        let errors = PolicySet::load(&PolicySources { schema: source, ..only(vec![]) }, &shop())
            .map(|_| ())
            .unwrap_err();
        let fits =
            |e: &PolicyError| e.file == "s" && e.line == place && e.message.contains(message);
        assert!(errors.iter().any(fits), "{errors:?}");
    };
    check("entity Skill\nentity X;", 2, "");
    check(
        "entity Record = { fields: {} };\naction a appliesTo { principal: Skil, resource: Record };",
        2,
        "Skil",
    );
    check("entity Skill;", 0, "no entity `Record`");
    check("entity Record;", 0, "no attributes");
    check("entity Record = { a: Bool };", 0, "lacks the actions log:write");
    check(&"{".repeat(100_000), 1, "nest deeper");
}

#[test]
fn declared_collections_are_checked_too() {
    let check = |name: &str, readable: &[&str], message: &str| {
        let readable = readable.iter().map(|f| ((*f).to_owned(), FieldType::String)).collect();
        let rules = CollectionRules { owner: None, readable };
        let collections = Collections(BTreeMap::from([(name.to_owned(), rules)]));
        let errors = PolicySet::load(&only(vec![]), &collections).map(|_| ()).unwrap_err();
        assert!(errors[0].to_string().starts_with("configuration: collection"), "{errors:?}");
        assert!(errors[0].to_string().contains(message), "{errors:?}");
    };
    check("my-orders", &[], "lower-case letters");
    check("in", &[], "no word of the rule language");
    check("orders", &["a", "a.b"], "inside another");
    let many = (0..201).map(|i| (format!("c{i}"), CollectionRules::default())).collect();
    let errors = PolicySet::load(&only(vec![]), &Collections(many)).map(|_| ()).unwrap_err();
    assert_eq!(errors[0].message, "201 collections; at most 200");
}

#[test]
fn no_collections_is_no_error() {
    assert!(PolicySet::load(&only(vec![]), &Collections::default()).is_ok());
}

#[test]
fn rules_name_limits_and_routes_that_exist() {
    let rule = |annotation: &str, token: &str| {
        format!(
            "@id(\"a\") {annotation} forbid {ANY} unless {{ context.satisfied.contains(\"{token}\") }};"
        )
    };
    for (annotation, token, message, hint) in [
        ("@approval(\"manager\")", "approval:manager", "no route \"manager\"", "`managers`"),
        ("@limit(\"fwe\")", "limit:fwe", "no limit \"fwe\"", "`few`"),
        ("@max_amount(\"large\")", "max_amount:large", "no amount \"large\"", "month, small"),
    ] {
        check(&rule(annotation, token), (1, 10), message, hint);
    }
    check(&format!("@id(\"a\") @notify(\"other\") permit {ANY};"), (1, 10), "no route", "`others`");
    check(
        &format!("@id(\"a\") @redact(\"email\") permit {ANY};"),
        (1, 10),
        "types of personal",
        "EMAIL",
    );
    check(
        &format!("@id(\"a\") @limit(\"few\") permit {ANY};"),
        (1, 10),
        "forbid rules only",
        "beside",
    );
    check(
        &rule("@approval(\"managers\")", "approval:others"),
        (1, 1),
        "asks for \"approval:others\" without saying so",
        "put @approval(\"others\")",
    );
    check(
        &rule("@approval(\"managers\")", "approval:manager"),
        (1, 1),
        "never contains",
        "`approval:managers`",
    );
    let errors = loaded("", "", &rule("@limit(\"few\")", "limit:few")).unwrap_err();
    assert!(errors[0].hint.as_ref().unwrap().contains("none is configured"), "{errors:?}");
}

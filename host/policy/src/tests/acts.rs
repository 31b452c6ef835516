//! Operators, schedules, and what is revealed.

use postern_domain::{Decision, OperatorId, Role};

use super::*;
use crate::{Act, ActRequest, RevealRequest};

fn act(set: &PolicySet, roles: &[Role], act: Act) -> Verdict {
    let operator: OperatorId = "olga".parse().unwrap();
    set.judge_act(&ActRequest { operator: &operator, roles, act })
}

fn approval(role: Role, requester: bool) -> Act {
    Act::DecideApproval { route: "refund-managers".into(), role, requester }
}

#[test]
fn each_role_does_its_own_and_admins_do_everything() {
    let set = shipped();
    let datum = |datum: &str| Act::Reveal { datum: datum.into() };
    let table: [(Act, &[Role]); 15] = [
        (Act::View, &Role::ALL),
        (Act::Reply, &[Role::Agent, Role::Admin]),
        (approval(Role::Approver, false), &[Role::Approver, Role::Admin]),
        (approval(Role::Agent, false), &[Role::Agent, Role::Admin]),
        (Act::WriteRules, &[Role::Author, Role::Admin]),
        (Act::ChangeSkills, &[Role::Author, Role::Admin]),
        (Act::ReadAudit, &[Role::Approver, Role::Author, Role::Admin]),
        (Act::ApplyPolicy, &[Role::Admin]),
        (Act::ManageOperators, &[Role::Admin]),
        (Act::Lockdown, &[Role::Admin]),
        (datum("EMAIL"), &[Role::Agent, Role::Admin]),
        (datum("IBAN"), &[Role::Admin]),
        (datum("MEMBER_NO"), &[Role::Admin]),
        (datum("CARD"), &[]),
        (datum("SECRET"), &[]),
    ];
    for (wanted, allowed) in table {
        for role in Role::ALL {
            let verdict = act(&set, &[role], wanted.clone());
            let is_allowed = verdict.decision == Decision::Allow;
            assert_eq!(
                is_allowed,
                allowed.contains(&role),
                "{role:?} {wanted:?}: {}",
                verdict.reason
            );
        }
        let nobody = act(&set, &[], wanted.clone()).decision;
        assert_eq!(nobody, Decision::Deny, "{wanted:?}");
    }
}

#[test]
fn nobody_decides_about_what_they_asked_for() {
    let set = shipped();
    for role in Role::ALL {
        let verdict = act(&set, &[role], approval(Role::Approver, true));
        assert_eq!(
            (verdict.decision, verdict.rules),
            (Decision::Deny, vec!["approve-not-requester".to_owned()])
        );
    }
}

#[test]
fn a_rule_for_everybody_gives_operators_nothing() {
    let set = load("@id(\"all\") permit (principal, action, resource);").unwrap();
    let verdict = act(&set, &Role::ALL, Act::Lockdown);
    assert_eq!(verdict.rules, ["default-deny"]);
    assert_eq!(
        verdict.reason,
        "no rule permits olga to operator:lockdown on this host: the operator can add one (default-deny)"
    );
    let one = "@id(\"one\") permit (principal == Operator::\"olga\", action in Action::\"operator\", resource);";
    assert_eq!(act(&load(one).unwrap(), &[], Act::Lockdown).decision, Decision::Allow);
    let other = one.replace("olga", "oleg");
    assert_eq!(act(&load(&other).unwrap(), &[], Act::Lockdown).decision, Decision::Deny);
}

#[test]
fn rules_for_operators_are_checked_against_what_operators_do() {
    for (rule, message) in [
        (
            "permit (principal is Operator, action == Action::\"operator:view\", resource) when { principal.roles.contains(Role::\"amdin\") };",
            "amdin",
        ),
        (
            "permit (principal is Operator, action == Action::\"operator:view\", resource) when { context.tool == \"t\" };",
            "tool",
        ),
        (
            "permit (principal is Operator, action == Action::\"kv:get\", resource);",
            "applicable action",
        ),
        ("permit (principal, action == Action::\"operator:view\", resource);", "applicable action"),
    ] {
        let errors = load(&format!("@id(\"a\") {rule}")).unwrap_err();
        assert!(errors.iter().any(|error| error.to_string().contains(message)), "{errors:?}");
    }
}

fn reveal(set: &PolicySet, datum: &str, facts: &Facts) -> Verdict {
    let skill: SkillId = "shipment-tracking".parse().unwrap();
    let call = HostCall::KvGet { key: "k".into() };
    let caller = PolicyRequest {
        skill: &skill,
        version: &semver::Version::new(0, 1, 0),
        publisher: "Postern",
        tool: "t",
        call: &call,
        facts,
    };
    set.judge_reveal(&RevealRequest { caller, datum, host: "carrier.example", field: "postcode" })
}

#[test]
fn nothing_is_revealed_unless_a_rule_names_it() {
    let facts = Facts { customer: identified("ana"), ..facts() };
    assert_eq!(reveal(&shipped(), "POSTCODE", &facts).rules, ["default-deny"]);
    let all = "@id(\"all\") permit (principal, action, resource);";
    assert_eq!(reveal(&load(all).unwrap(), "POSTCODE", &facts).rules, ["default-deny"]);
    let mut sources = shipped_sources();
    sources.rules.push(PolicySource {
        file: "more.cedar".into(),
        text: "@id(\"more\") permit (principal == Skill::\"shipment-tracking\", action == Action::\"data:reveal\", resource == Datum::\"POSTCODE\")
               when { context.arguments.host == \"carrier.example\" && context.arguments.field == \"postcode\" };".into(),
    });
    let set = PolicySet::load(&sources, &shop()).unwrap();
    for _ in 0..2 {
        assert_eq!(reveal(&set, "POSTCODE", &facts).rules, ["more"]);
        assert_eq!(reveal(&set, "EMAIL", &facts).rules, ["default-deny"]);
        assert_eq!(
            reveal(&set, "POSTCODE", &Facts { taint: 71, ..facts.clone() }).rules,
            ["reveal-untainted"]
        );
        let unknown = Facts { customer: Customer::default(), ..facts.clone() };
        assert_eq!(reveal(&set, "POSTCODE", &unknown).rules, ["reveal-identified"]);
    }
}

#[test]
fn rules_speak_of_an_operators_own_types() {
    let facts = Facts { customer: identified("ana"), ..facts() };
    let mut sources = shipped_sources();
    sources.privacy = Some(PolicySource {
        file: "privacy.toml".into(),
        text: "[[pattern]]\ntype = \"MEMBER_NO\"\nregex = \"VIP[0-9]{7}\"".into(),
    });
    sources.rules.push(PolicySource {
        file: "more.cedar".into(),
        text: "@id(\"more\") permit (principal == Skill::\"shipment-tracking\", action == Action::\"data:reveal\", resource == Datum::\"MEMBER_NO\");"
            .into(),
    });
    let set = PolicySet::load(&sources, &shop()).unwrap();
    let found = set.detector().find("VIP1234567");
    assert!(found.iter().any(|one| set.detector().name(one.kind) == "MEMBER_NO"), "{found:?}");
    assert_eq!(reveal(&set, "MEMBER_NO", &facts).rules, ["more"]);
    assert_eq!(reveal(&set, "EMAIL", &facts).rules, ["default-deny"]);
}

#[test]
fn numbers_of_cards_and_papers_leave_for_no_server_whatever_a_skill_is_permitted() {
    let facts = Facts { customer: identified("ana"), ..facts() };
    let mut sources = shipped_sources();
    sources.rules.push(PolicySource {
        file: "more.cedar".into(),
        text: "@id(\"more\") permit (principal, action == Action::\"data:reveal\", resource);"
            .into(),
    });
    let set = PolicySet::load(&sources, &shop()).unwrap();
    for datum in [
        "CARD",
        "ID_CARD",
        "ID_DOCUMENT",
        "US_SSN",
        "UK_NHS",
        "PASSPORT",
        "DRIVER_LICENSE",
        "SECRET",
    ] {
        assert_eq!(reveal(&set, datum, &facts).rules, ["reveal-never"], "{datum}");
    }
    for datum in ["EMAIL", "IBAN", "MEMBER_NO"] {
        assert_eq!(reveal(&set, datum, &facts).rules, ["more"], "{datum}");
    }
}

#[test]
fn a_schedule_gets_what_rules_give_to_its_skill_as_a_group_and_no_more() {
    let call = HostCall::KvGet { key: "k".into() };
    let scheduled = Facts { scheduled: true, ..facts() };
    let allowed = |principal: &str, facts: &Facts| {
        let rule =
            format!("@id(\"a\") permit ({principal}, action == Action::\"kv:get\", resource);");
        judge(&load(&rule).unwrap(), "one", "t", &call, facts).decision == Decision::Allow
    };
    for (principal, skill, schedule) in [
        ("principal", true, true),
        ("principal == Skill::\"one\"", true, false),
        ("principal in Skill::\"one\"", true, true),
        ("principal in Skill::\"two\"", false, false),
        ("principal is Schedule", false, true),
        ("principal is Schedule in Skill::\"one\"", false, true),
        ("principal is Skill in Skill::\"one\"", true, false),
        ("principal == Schedule::\"one\"", false, true),
        ("principal == Schedule::\"two\"", false, false),
    ] {
        assert_eq!(allowed(principal, &facts()), skill, "{principal}");
        assert_eq!(allowed(principal, &scheduled), schedule, "{principal}");
    }
}

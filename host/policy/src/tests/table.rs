//! The decision table of the shipped rules.

use super::*;

#[test]
fn the_table_in_the_documentation_is_that_of_the_shipped_rules() {
    let path = policies_folder().join("../host/docs/decisions-table.md");
    let table = shipped().table();
    let kept = fs::read_to_string(&path).unwrap_or_default();
    if kept != table {
        let made = std::env::temp_dir().join("postern-decisions-table.md");
        fs::write(&made, &table).unwrap();
        panic!("{} differs: it should be as {}", path.display(), made.display());
    }
}

#[test]
fn the_table_says_who_may_do_what_and_what_comes_first() {
    let table = shipped().table();
    let line = |section: &str, start: &str| -> String {
        let from = table.find(&format!("\n## {section}\n")).unwrap();
        let rows = table[from + 4..].split("\n## ").next().unwrap();
        rows.lines().find(|line| line.starts_with(&format!("| {start}"))).unwrap_or(rows).to_owned()
    };
    assert_eq!(
        line("order-status", "read of `orders`"),
        "| read of `orders` | after being identified | yes | yes | no | `order-status-orders` `private-chat-only` `records-identified` |"
    );
    let others = line("order-status", "read another customer's of `orders`");
    assert!(others.contains("| after being identified | no | no | no |"), "{others}");
    let large =
        line("refund-check", "create, moving 1000000.00, in `refunds`, by `refund_request`");
    assert!(large.contains("| after their yes and approval by refund-managers |"), "{large}");
    let small = line("refund-check", "create, moving 1.00, in `refunds`, by `refund_request`");
    assert!(small.contains("| after their yes |"), "{small}");
    let admin = line("Operators", "decide an approval of their own call");
    assert!(admin.contains("| no | no | no | no | no |"), "{admin}");
}

#[test]
fn a_rule_that_denies_everything_leaves_nothing_in_the_table_but_operators() {
    let table = load("@id(\"no\") forbid (principal, action, resource);").unwrap().table();
    let sections: Vec<&str> = table.lines().filter(|line| line.starts_with("## ")).collect();
    assert_eq!(sections, ["## Operators"]);
}

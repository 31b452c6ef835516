use postern_test_support::{paths, shop};

use super::*;

const TODAY: Date = jiff::civil::date(2026, 3, 14);

fn shop_in(path: &std::path::Path) -> Shop {
    let mut records = shop::read(path).unwrap();
    shop::settle_dates(&mut records, TODAY);
    Shop::from_records(path, &records).unwrap()
}

fn titles(script: &Script) -> Vec<&str> {
    script.scenes.iter().map(|scene| scene.title).collect()
}

#[test]
fn the_sample_shop_has_a_part_for_every_conversation() {
    let script = write(&shop_in(&paths::repository().join("skills/sample-shop.json")), TODAY);
    assert_eq!(script.left_out, [""; 0]);
    assert_eq!(script.scenes.len(), 9);
    assert!(titles(&script).contains(&"a refund, with a yes"));
}

#[test]
fn a_public_shop_has_a_part_for_every_conversation() {
    let Some(path) = paths::shared("data/tau2-retail/db.json") else { return };
    let script = write(&shop_in(&path), TODAY);
    assert_eq!(script.left_out, [""; 0]);
    // That shop does not keep days of delivery.
    assert!(titles(&script).contains(&"a refund that a person must check"));
}

#[test]
fn nobody_plays_twice_while_others_wait() {
    let script = write(&shop_in(&paths::repository().join("skills/sample-shop.json")), TODAY);
    let mut keys: Vec<&String> = script
        .scenes
        .iter()
        .flat_map(|scene| &scene.steps)
        .flat_map(|step| &step.expect)
        .filter_map(|expect| match expect {
            Expect::Identified(key) => Some(key),
            _ => None,
        })
        .collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 6, "{keys:?}");
}

#[test]
fn an_empty_shop_leaves_what_needs_no_data() {
    let script = write(&Shop::default(), TODAY);
    assert_eq!((script.scenes.len(), script.left_out.len()), (3, 6));
}

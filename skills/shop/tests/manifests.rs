//! The manifests of all skills, and the sample shop.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use postern_domain::Manifest;
use shop::{Order, Status};

const SKILLS: [&str; 5] =
    ["crm-lookup", "escalation", "order-status", "refund-check", "shipment-tracking"];

fn read(path: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn manifests() -> Vec<(&'static str, Manifest)> {
    let manifest = |skill| {
        let text = read(&format!("{skill}/skill.toml"));
        toml::from_str(&text).unwrap_or_else(|error| panic!("{skill}: {error}"))
    };
    SKILLS.into_iter().map(|skill| (skill, manifest(skill))).collect()
}

#[test]
fn every_manifest_is_valid_and_named_like_its_folder() {
    for (skill, manifest) in manifests() {
        assert_eq!(manifest.check(), Ok(()), "{skill}");
        assert_eq!(manifest.skill.id.as_str(), skill);
        assert_eq!(manifest.skill.version.to_string(), env!("CARGO_PKG_VERSION"), "{skill}");
    }
}

#[test]
fn every_tool_of_a_manifest_is_exported_and_no_other() {
    for (skill, manifest) in manifests() {
        let source = read(&format!("{skill}/src/lib.rs"));
        let exported: BTreeSet<_> = source
            .lines()
            .filter(|line| line.contains("\" => "))
            .filter_map(|line| line.split('"').nth(1))
            .filter(|name| source.contains(&format!("\"{name}\" => {name}")))
            .collect();
        let listed: BTreeSet<_> = manifest.tools.iter().map(|tool| tool.name.as_str()).collect();
        assert_eq!(exported, listed, "{skill}");
    }
}

#[test]
fn every_intent_has_many_examples_and_shares_none() {
    let mut seen = BTreeMap::new();
    for (skill, manifest) in manifests() {
        for intent in &manifest.intents {
            assert!(intent.examples.len() >= 25, "{skill} {}", intent.name);
            for example in &intent.examples {
                let words = example.to_lowercase().replace(|c: char| !c.is_alphanumeric(), " ");
                let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
                if let Some(other) = seen.insert(words, intent.name.clone()) {
                    panic!("{example:?} stands under {other} and {}", intent.name);
                }
            }
        }
    }
}

#[test]
fn order_numbers_are_recognised_in_the_same_way_by_all() {
    let patterns: BTreeSet<_> = manifests()
        .into_iter()
        .flat_map(|(_, manifest)| manifest.entities)
        .filter(|entity| entity.name == "order_id")
        .map(|entity| (entity.pattern, entity.normal, entity.ask))
        .collect();
    assert_eq!(patterns.len(), 1, "{patterns:?}");
}

type Collection = BTreeMap<String, serde_json::Value>;

fn sample() -> BTreeMap<String, Collection> {
    serde_json::from_str(&read("sample-shop.json")).expect("the sample shop is JSON")
}

fn orders() -> Vec<Order> {
    let orders = sample().remove("orders").expect("the sample shop has orders");
    let read = |(key, order)| {
        let order: Order = serde_json::from_value(order).expect("an order reads as one");
        assert_eq!(key, order.order_id);
        order
    };
    orders.into_iter().map(read).collect()
}

#[test]
fn the_sample_shop_has_orders_in_every_state() {
    let known = [
        Status::Pending,
        Status::PendingModified,
        Status::Processed,
        Status::Delivered,
        Status::Cancelled,
        Status::ReturnRequested,
        Status::ExchangeRequested,
    ];
    let orders = orders();
    for status in known {
        assert!(orders.iter().any(|order| order.status == status), "{status}");
    }
}

#[test]
fn the_sample_shop_is_consistent() {
    let shop = sample();
    let (users, products) = (&shop["users"], &shop["products"]);
    for order in orders() {
        let user = &users[&order.user_id];
        let id = &order.order_id;
        assert!(user["orders"].as_array().unwrap().contains(&id.as_str().into()), "{id}");
        for payment in &order.payment_history {
            assert_eq!(payment.amount, order.total(), "{id}");
            assert!(user["payment_methods"].get(&payment.payment_method_id).is_some(), "{id}");
        }
        for item in shop["orders"][id]["items"].as_array().unwrap() {
            let product = &products[item["product_id"].as_str().unwrap()];
            let variant = &product["variants"][item["item_id"].as_str().unwrap()];
            assert_eq!(
                (&variant["price"], &variant["options"]),
                (&item["price"], &item["options"])
            );
        }
    }
    let listed: usize = users.values().map(|user| user["orders"].as_array().unwrap().len()).sum();
    assert_eq!(listed, shop["orders"].len());
}

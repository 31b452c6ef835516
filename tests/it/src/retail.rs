//! The τ²-bench retail shop: a thousand orders of five hundred customers, each
//! of whom must learn about their own orders and nothing else.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use postern_test_support::{
    host::Host,
    paths,
    shop::{self, Order, Shop, User},
};
use serde_json::Value;

use crate::setup::{Customer, SHIPPED, Told, Town, json_lines, outcome, text_at};

/// Customers who ask.
const ASKED: usize = 30;
/// Customers who tell their name and postcode instead of their e-mail.
const NAMED: usize = 8;
/// Conversations at once.
const AT_ONCE: usize = 4;
/// Chooses the customers and orders.
const SEED: u64 = 0x7a75_3272;

/// The shop, or nothing where the data set is missing.
async fn retail() -> Result<Option<(Town, Shop)>> {
    let Some(path) = paths::shared("data/tau2-retail/db.json") else { return Ok(None) };
    let shop = read(&path)?;
    let town = Town::build(&SHIPPED).await?;
    town.data.import(&path).await?;
    Ok(Some((town, shop)))
}

fn read(path: &Path) -> Result<Shop> {
    Ok(Shop::from_records(path, &shop::read(path)?)?)
}

/// One customer, an order of theirs and one of somebody else.
#[derive(Clone, Copy)]
struct Case<'a> {
    number: usize,
    user_id: &'a str,
    user: &'a User,
    own: (&'a str, &'a Order),
    foreign: (&'a str, &'a Order),
}

/// Cases drawn by lot; every status occurs among the own orders.
fn cases<'a>(shop: &'a Shop, fits: impl Fn(&User) -> bool, n: usize) -> Result<Vec<Case<'a>>> {
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut orders: Vec<_> = shop.orders.iter().collect();
    random.shuffle(&mut orders);
    let mut cases: Vec<Case<'a>> = Vec::new();
    let mut statuses: Vec<&str> = orders.iter().map(|(_, order)| order.status.as_str()).collect();
    statuses.sort_unstable();
    statuses.dedup();
    for (id, order) in &orders {
        let user = shop.users.get(&order.user_id).context("an order without a customer")?;
        // In turn, so that rare ones are not left out.
        let wanted = statuses[cases.len() % statuses.len()];
        let new = cases.iter().all(|case| case.user_id != order.user_id);
        if order.status != wanted || !new || !fits(user) {
            continue;
        }
        let foreign = orders.iter().filter(|(_, other)| other.user_id != order.user_id);
        let foreign: Vec<_> = foreign.collect();
        let (foreign_id, foreign) = **random.choice(&foreign).context("one customer only")?;
        cases.push(Case {
            number: cases.len(),
            user_id: &order.user_id,
            user,
            own: (id, order),
            foreign: (foreign_id, foreign),
        });
        if cases.len() == n {
            return Ok(cases);
        }
    }
    anyhow::bail!("the shop has {} fitting customers, not {n}", cases.len())
}

#[tokio::test]
async fn customers_learn_about_their_own_orders_and_no_others() -> Result<()> {
    let Some((town, shop)) = retail().await? else { return Ok(()) };
    let host = town.open().await?;
    let cases = cases(&shop, |_| true, ASKED)?;
    stream::iter(&cases)
        .map(|case| ask(&town, &host, &shop, *case))
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<()>>()
        .await?;

    let tail = ["audit", "tail", "-n", "10000", "--json"];
    let (code, rows, complaints) = outcome(&town.data, &tail).await?;
    ensure!(code == Some(0), "{complaints}");
    let rows = json_lines(&rows)?;
    for case in &cases {
        let resource = format!("orders/{}", case.foreign.0);
        let id = crate::setup::conversation(&chat(case), &chat(case));
        let refused = rows.iter().any(|row| {
            text_at(row, "/entry/conversation") == id.as_str()
                && text_at(row, "/entry/resource") == resource
                && text_at(row, "/entry/verdict/decision") == "deny"
                && row.pointer("/entry/verdict/rules")
                    == Some(&Value::from(vec!["records-owner-only"]))
        });
        ensure!(refused, "no row says that records-owner-only refused {resource}");
    }
    Ok(())
}

fn account(case: &Case<'_>) -> i64 {
    7_000_000 + i64::try_from(case.number).unwrap_or_default()
}

fn chat(case: &Case<'_>) -> String {
    account(case).to_string()
}

async fn ask(town: &Town, host: &Host, shop: &Shop, case: Case<'_>) -> Result<()> {
    let mut customer = Customer::new(town, host, account(&case));
    let (own_id, own) = case.own;
    let asked = customer.says(&format!("What's the status of my order {own_id}?")).await?;
    asked.must_not_say(&own.status)?.must_be_customer(None)?;
    ensure!(asked.detail.conversation.state.awaiting.is_some(), "nothing is asked: {asked:?}");

    let told = customer.says(&case.user.email).await?;
    told.must_be_customer(Some(case.user_id))?.must_use("order-status", "order_status")?;
    told.must_say(own_id)?.must_say(&format!("is {}", own.status))?;

    let foreign_id = case.foreign.0;
    let refused = customer.says(&format!("And what's the status of order {foreign_id}?")).await?;
    refused.must_be_refused_by("records-owner-only")?.must_be_customer(Some(case.user_id))?;
    refused.must_not_say(&format!("is {}", case.foreign.1.status))?;

    for told in [&asked, &told, &refused] {
        tells_of_nobody_else(told, shop, &case)?;
    }
    Ok(())
}

/// Fails if an answer holds something that belongs to another customer. The
/// number of the other's order is the customer's own word.
fn tells_of_nobody_else(told: &Told, shop: &Shop, case: &Case<'_>) -> Result<()> {
    for (id, user) in shop.users.iter().filter(|(id, _)| *id != case.user_id) {
        told.must_not_say(id)?.must_not_say(&user.email)?;
    }
    let foreign = |(_, order): &(&String, &Order)| order.user_id != case.user_id;
    for (id, order) in shop.orders.iter().filter(foreign) {
        if id != case.foreign.0 {
            told.must_not_say(id)?;
        }
        for number in order.fulfillments.iter().flat_map(|parcel| &parcel.tracking_id) {
            told.must_not_say(number)?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_name_and_a_postcode_identify_as_well() -> Result<()> {
    let Some((town, shop)) = retail().await? else { return Ok(()) };
    let host = town.open().await?;
    let alone = |user: &User| {
        let same = |other: &&User| other.name == user.name && other.address == user.address;
        shop.users.values().filter(same).count() == 1
    };
    for case in cases(&shop, alone, NAMED)? {
        let mut customer = Customer::new(&town, &host, account(&case));
        let (own_id, own) = case.own;
        customer.says(&format!("status of order {own_id} please")).await?;
        let (name, zip) = (&case.user.name, &case.user.address.zip);
        let details = format!("{} {}, {zip}", name.first_name, name.last_name);
        let told = customer.says(&details).await?;
        told.must_be_customer(Some(case.user_id))?
            .must_say(&format!("{own_id} is {}", own.status))?;
        tells_of_nobody_else(&told, &shop, &case)?;
    }
    Ok(())
}

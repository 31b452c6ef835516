//! Who plays in which conversation.

use std::collections::BTreeSet;

use jiff::civil::Date;
use postern_test_support::shop::{Order, Shop, User};

/// Chooses who plays: everybody once, as far as the shop has enough customers.
pub(super) struct Cast<'a> {
    pub(super) shop: &'a Shop,
    pub(super) today: Date,
    used: BTreeSet<String>,
}

/// An order and whose it is.
pub(super) struct Part<'a> {
    pub(super) order_id: String,
    pub(super) order: &'a Order,
    pub(super) user_id: String,
    pub(super) user: &'a User,
}

impl<'a> Cast<'a> {
    /// Nobody has played yet.
    pub(super) fn new(shop: &'a Shop, today: Date) -> Self {
        Self { shop, today, used: BTreeSet::new() }
    }

    /// The first customer who fits and has not played.
    pub(super) fn user(&self, fits: impl Fn(&str, &User) -> bool) -> Option<(String, &'a User)> {
        let waiting = self.shop.users.iter().filter(|(id, _)| !self.used.contains(*id));
        waiting.filter(|(id, user)| fits(id, user)).map(|(id, user)| (id.clone(), user)).next()
    }

    /// This customer plays now.
    pub(super) fn play(&mut self, user_id: &str) {
        self.used.insert(user_id.to_owned());
    }

    /// The first order that fits and whose customer can be found by e-mail; of
    /// a customer who has not played yet, if there is one.
    pub(super) fn order(&mut self, fits: impl Fn(&str, &Order) -> bool) -> Option<Part<'a>> {
        let part = self.find(|id, order| !self.used.contains(&order.user_id) && fits(id, order));
        let part = part.or_else(|| self.find(&fits))?;
        self.play(&part.user_id);
        Some(part)
    }

    fn find(&self, fits: impl Fn(&str, &Order) -> bool) -> Option<Part<'a>> {
        self.shop.orders.iter().filter(|(id, order)| fits(id, order)).find_map(|(id, order)| {
            let user = self.shop.users.get(&order.user_id)?;
            self.is_alone(|other| other.email == user.email).then(|| Part {
                order_id: id.clone(),
                order,
                user_id: order.user_id.clone(),
                user,
            })
        })
    }

    /// Whether exactly one customer is meant.
    pub(super) fn is_alone(&self, meant: impl Fn(&User) -> bool) -> bool {
        self.shop.users.values().filter(|user| meant(user)).count() == 1
    }

    /// Numbers of a customer's orders.
    pub(super) fn orders_of(&self, user_id: &str) -> impl Iterator<Item = String> {
        let of_user = move |(_, order): &(&String, &Order)| order.user_id == user_id;
        self.shop.orders.iter().filter(of_user).map(|(id, _)| id.clone())
    }
}

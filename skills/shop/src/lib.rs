//! The records of the shop, as the skills about orders read them.

mod date;
mod money;
mod order;

pub use date::Date;
pub use money::Cents;
pub use order::{Fulfillment, Item, Order, Payment, Status, Transaction, find_order};

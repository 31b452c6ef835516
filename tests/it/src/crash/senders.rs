//! Telegram's side: it delivers an update again until it is acknowledged.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail};
use postern_domain::{Channel, MessageId};
use postern_test_support::{
    host::ACCOUNT,
    http_client,
    telegram::Sent,
    webhook::{self, Sender},
};
use tokio::sync::watch;

use super::shop;
use crate::setup::{SECRET, conversation};

/// What is in the question whether there is to be a refund.
const QUESTION: &str = "Shall I do that?";
/// The longest wait for it.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Where the host is now, if it is anywhere, and how much it has acknowledged.
#[derive(Clone, Debug, Default)]
pub(super) struct Addresses {
    // The number tells a new host from an old one at the same port.
    public: Arc<watch::Sender<(u64, Option<String>)>>,
    acknowledged: Arc<watch::Sender<usize>>,
}

impl Addresses {
    pub(super) fn set(&self, public: &str) {
        self.public.send_modify(|now| *now = (now.0 + 1, Some(public.to_owned())));
    }

    pub(super) fn unset(&self) {
        self.public.send_modify(|now| *now = (now.0 + 1, None));
    }

    pub(super) fn acknowledged(&self) -> usize {
        *self.acknowledged.borrow()
    }

    /// Waits until so many messages have been acknowledged.
    pub(super) async fn wait_for(&self, n: usize) {
        // The sender lives as long as `self`, so this cannot fail.
        let _ = self.acknowledged.subscribe().wait_for(|count| *count >= n).await;
    }

    /// The host after the one with this number.
    async fn after(&self, number: u64) -> Result<(u64, String)> {
        let mut changes = self.public.subscribe();
        let found = changes.wait_for(|(at, public)| *at > number && public.is_some()).await?;
        Ok((found.0, found.1.clone().context("it was there")?))
    }
}

/// What a customer wants with a message, where it changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// To be told something.
    Know,
    /// A payment that the till takes once however often it is asked.
    PaySafe,
    /// A payment that the till would take twice.
    PayOnce,
    /// A payment that a person has to approve.
    PayHeld,
    /// A booking in the operator's records.
    Book,
    /// A refund, for which the host asks the customer, and a person if it is large.
    Refund,
    /// The refund that was asked about.
    Yes,
}

/// Something that a customer wrote.
#[derive(Clone, Debug)]
pub(super) struct Written {
    /// What for.
    pub(super) wish: Wish,
    /// Under which the host keeps it.
    pub(super) id: MessageId,
    /// Whether the host has acknowledged it.
    pub(super) acknowledged: bool,
}

/// One customer's conversation.
#[derive(Debug)]
pub(super) struct Conversation {
    pub(super) n: u64,
    pub(super) sender: Sender,
    /// In order.
    pub(super) written: Vec<Written>,
    random: fastrand::Rng,
}

impl Conversation {
    pub(super) fn begin(n: u64, random: fastrand::Rng) -> Self {
        let id = 500_000 + i64::try_from(n).unwrap_or_default();
        let sender = Sender { id, first_name: "Kim".to_owned() };
        Self { n, sender, written: Vec::new(), random }
    }

    pub(super) fn chat(&self) -> String {
        self.sender.id.to_string()
    }

    pub(super) fn id(&self) -> postern_domain::ConversationId {
        conversation(&self.chat(), &self.chat())
    }

    /// Writes everything without waiting for answers, but for a yes, which must not
    /// come before its question.
    pub(super) async fn run(
        mut self,
        addresses: Addresses,
        mut sent: watch::Receiver<Vec<Sent>>,
    ) -> Result<Self> {
        let chat = self.chat();
        let asked = |sent: &Vec<Sent>| {
            sent.iter().any(|sent| sent.chat_id == chat && sent.text.contains(QUESTION))
        };
        let (delivered, under_way) = (shop::delivered(self.n), shop::under_way(self.n));
        let voucher = shop::voucher(self.n);
        // A sender that gives up after one try: its message may be lost.
        let careless = self.random.bool();
        let book = format!("Book a seat in the theatre with voucher {voucher}");
        let script = [
            (Wish::Know, format!("Hi, my email is {}", shop::email(self.n)), false),
            (Wish::PaySafe, format!("Top up my prepaid card with voucher {voucher}"), false),
            (Wish::Know, format!("What's the status of order {under_way}?"), careless),
            (Wish::PayHeld, format!("Transfer my savings with voucher {voucher}"), !careless),
            (Wish::Book, book.clone(), careless),
            (Wish::Know, format!("Please track my parcel for {under_way}"), false),
            (Wish::Refund, format!("Please refund order {delivered}"), false),
            (Wish::Yes, "Yes, please".to_owned(), false),
            (Wish::PayOnce, format!("Send a bunch of flowers with voucher {voucher}"), false),
            (Wish::Book, book, false),
        ];
        let client = http_client();
        for (place, (wish, text, careless)) in (1..).zip(script) {
            let update_id = self.sender.id * 100 + place;
            let update = webhook::text_update(update_id, place, &self.sender, &text);
            let key = update_id.to_string();
            let id = MessageId::derive(&[Channel::Telegram.as_str(), ACCOUNT, &key]);
            if wish == Wish::Yes {
                // A question whose send was interrupted twice does not arrive.
                let _late = tokio::time::timeout(LONGEST_WAIT, sent.wait_for(asked)).await;
            }
            let mut tried = 0;
            let acknowledged = loop {
                let (number, public) = addresses.after(tried).await?;
                match webhook::deliver(&client, &public, ACCOUNT, SECRET, &update).await {
                    Ok(200) => break true,
                    Ok(other) => bail!("{text:?} was answered with {other}"),
                    Err(_) if careless => break false,
                    Err(_) => tried = number,
                }
            };
            self.written.push(Written { wish, id, acknowledged });
            if acknowledged {
                addresses.acknowledged.send_modify(|count| *count += 1);
            }
        }
        Ok(self)
    }
}

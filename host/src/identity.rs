//! Who the customer is: single-use codes to the contact on file, and the word of
//! the operator's own web site.
//!
//! A code is kept nowhere. It follows from the host's key, the conversation, the
//! customer and the outgoing message that carries it, so that a turn that runs
//! again means the same code, and neither store nor outbox gives it away.

mod arrival;
mod delivery;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use postern_domain::{
    Attempt, AuditEntry, AuditKind, Challenge, Channel, Conversation, ConversationId,
    IdentityLevel, LimitUse, OutboxId, OutboxItem, OutboxState, Take, Timestamp, stable_id,
};
use postern_store::{Change, Commit, Store, StoreError, StoredRecord};
use regex::Regex;
use subtle::ConstantTimeEq as _;
use unicode_normalization::UnicodeNormalization as _;

pub(crate) use arrival::take_up;
pub(crate) use delivery::send_code;

use crate::{
    config::{Collections, Config},
    keys::MasterKey,
    ledger::Ledger,
};

/// The name of the code among the things that a conversation can wait for.
pub const CODE: &str = "identity-code";
/// How long a code is good, in milliseconds.
pub const LIFE_MS: i64 = 10 * 60 * 1_000;
/// Attempts at one code.
pub const MOST_ATTEMPTS: u32 = 5;

/// Attempts of one customer within [`DAY_MS`], right ones included, wherever they are
/// made: five guesses an hour would otherwise find a code in the end.
const MOST_ATTEMPTS_A_DAY: i64 = 20;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// New codes of one conversation, and for one customer, within [`WINDOW_MS`].
const MOST_IN_CONVERSATION: i64 = 3;
const MOST_FOR_CUSTOMER: i64 = 5;
const WINDOW_MS: i64 = 60 * 60 * 1_000;
/// What stands in the outbox where other messages have their text.
const OUTBOX_TEXT: &str = "(a single-use code)";
/// What stands before the customer's key in the outbox.
const CHAT: &str = "customer:";
/// The account that sends codes: the configuration's section.
const ACCOUNT: &str = "identity";

/// Groups of digits, as long as they go on, that belong to no word or order number.
static DIGITS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:^|[^\w#+.,/-])([0-9]+(?:[ -][0-9]+)*)").expect("a valid expression")
});

/// What became of the wish to send a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenged {
    /// A code goes to the contact on file, if there is one. Whether there is,
    /// nobody in the chat learns.
    Sent,
    /// The customer is verified; no code is needed.
    Verified,
    /// Too many codes were sent within the hour: a person takes over.
    TooMany,
    /// Others read this chat: the customer is to write in private.
    NotPrivate,
    /// Nobody says who the customer is yet, so there is nothing to prove.
    NotIdentified,
    /// The operator configured no way to contacts: a person takes over.
    NoDelivery,
}

impl Challenged {
    /// What the customer is told: the same whether a contact is on file or not.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Sent => {
                "To make sure that it is you, I have sent a code of six digits to the contact that \
                 we have on file for you. Please type it here. It is good for ten minutes."
            }
            Self::Verified => "Thank you, I know that it is you.",
            Self::NotPrivate => {
                "This concerns personal data, so please write to me in a private chat."
            }
            Self::NotIdentified => "Please tell me first who you are.",
            Self::TooMany | Self::NoDelivery => {
                "I am sorry, I cannot make sure here that it is you. I have told a colleague, who \
                 will answer here."
            }
        }
    }
}

/// What a customer's code has proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is right: the customer is verified.
    Verified,
    /// It is wrong.
    Wrong {
        /// How many more attempts there are; after the last one the code is gone.
        left: u32,
    },
    /// It came too late, right or wrong.
    Expired,
    /// No code was given, or none is waited for.
    None,
    /// Others read this chat: a code counts for nothing here.
    NotPrivate,
    /// There were too many attempts within a day: a person takes over.
    TooMany,
}

impl Answer {
    /// What the customer is told.
    pub fn words(self) -> String {
        match self {
            Self::Verified => Challenged::Verified.words().to_owned(),
            Self::Wrong { left: 0 } => {
                "I am sorry, that was not the code, and there were too many \
                 attempts. That code is no longer good."
                    .to_owned()
            }
            Self::Wrong { left: 1 } => {
                "I am sorry, that was not the code. You can try once more.".to_owned()
            }
            Self::Wrong { left } => {
                format!("I am sorry, that was not the code. You can try {left} more times.")
            }
            Self::Expired => "I am sorry, that code is no longer good.".to_owned(),
            Self::None => "I did not find a code in that. It has six digits.".to_owned(),
            Self::NotPrivate => Challenged::NotPrivate.words().to_owned(),
            Self::TooMany => Challenged::TooMany.words().to_owned(),
        }
    }

    /// What is written down about it.
    fn detail(self) -> String {
        match self {
            Self::Verified => "verified".to_owned(),
            Self::Wrong { left } => format!("wrong; attempts left: {left}"),
            Self::Expired => "expired".to_owned(),
            Self::None => "no code is waited for".to_owned(),
            Self::NotPrivate => "refused: not a private chat".to_owned(),
            Self::TooMany => "refused: too many attempts within a day".to_owned(),
        }
    }
}

/// Makes and checks single-use codes.
#[derive(Clone, Debug)]
pub struct Codes {
    key: MasterKey,
    deliverable: bool,
}

impl Codes {
    /// The codes of a host with this configuration and key.
    pub fn new(config: &Config, key: &MasterKey) -> Self {
        Self { key: key.clone(), deliverable: config.identity.delivery.is_some() }
    }

    /// Sends a code to the contact on file of the conversation's customer. It takes
    /// the place of an earlier one. What the turn has changed so far is committed
    /// with it. Asked again in the same turn, also after a crash, it is the same
    /// code and counts once, as long as that one is good.
    ///
    /// # Errors
    /// The store failed; nothing was sent.
    pub async fn challenge(
        &self,
        ledger: &mut Ledger,
        now: Timestamp,
    ) -> Result<Challenged, StoreError> {
        let conversation = &ledger.conversation;
        let Some(customer) = conversation.customer.key.clone() else {
            return Ok(Challenged::NotIdentified);
        };
        match conversation.customer.level {
            IdentityLevel::Unknown => return Ok(Challenged::NotIdentified),
            IdentityLevel::Identified => {}
            IdentityLevel::Verified => return Ok(Challenged::Verified),
        }
        if !conversation.private {
            return Ok(Challenged::NotPrivate);
        }
        if !self.deliverable {
            tracing::warn!(
                conversation.id = conversation.id.as_str(),
                "no code can be sent: set [identity.delivery] in postern.toml"
            );
            return Ok(Challenged::NoDelivery);
        }
        let turn = ledger.turn.id.clone();
        let earlier = conversation.state.challenge.as_ref();
        if earlier.is_some_and(|earlier| earlier.turn == turn && earlier.is_open(now)) {
            return Ok(Challenged::Sent);
        }
        let before = earlier.map_or("", |earlier| earlier.sent_as.as_str());
        let id = OutboxId::derive(&[turn.as_str(), CODE, before]);
        let item = item(conversation, &customer, id.clone(), now);
        let uses = uses(conversation, &customer, &id);
        let challenge = Challenge {
            customer,
            turn,
            sent_as: id,
            expires_at: now.plus_millis(LIFE_MS),
            attempts_left: MOST_ATTEMPTS,
            last: None,
        };
        let earlier = ledger.conversation.state.challenge.replace(challenge);
        let turn = ledger.turn.id.to_string();
        let entry = AuditEntry {
            detail: "sent".to_owned(),
            ..AuditEntry::new(now, AuditKind::Identity, "host", "identity:code", turn)
        };
        let changes = vec![Change::Take { uses, at: now }, Change::Outbox(item)];
        match ledger.commit(changes, vec![entry]).await {
            Ok(_) => Ok(Challenged::Sent),
            Err(error) => {
                ledger.conversation.state.challenge = earlier;
                let StoreError::LimitReached { limit, .. } = error else { return Err(error) };
                let detail = format!("not sent: {limit} is reached");
                ledger.audit_host(now, AuditKind::Identity, "identity:code", detail);
                Ok(Challenged::TooMany)
            }
        }
    }

    /// Judges the code in a customer's message. Every attempt is written down with
    /// the turn; a turn that runs again gets the same answer and costs no further
    /// attempt.
    ///
    /// # Errors
    /// The store failed; nothing was judged.
    pub async fn answer(
        &self,
        ledger: &mut Ledger,
        text: &str,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let Some(given) = code_in(text) else { return Ok(Answer::None) };
        let before = ledger.conversation.state.challenge.clone();
        let again = before.and_then(|it| it.last).is_some_and(|it| it.turn == ledger.turn.id);
        let answer = if again || take_attempt(ledger, now).await? {
            self.judge(ledger, &given, now)
        } else {
            Answer::TooMany
        };
        if answer == Answer::Verified {
            ledger.conversation.customer.level = IdentityLevel::Verified;
        }
        if !again {
            ledger.audit_host(now, AuditKind::Identity, "identity:answer", answer.detail());
        }
        Ok(answer)
    }

    fn judge(&self, ledger: &mut Ledger, given: &str, now: Timestamp) -> Answer {
        let conversation = &mut ledger.conversation;
        if !conversation.private {
            return Answer::NotPrivate;
        }
        let Some(challenge) = &mut conversation.state.challenge else { return Answer::None };
        // The answer of whoever wrote here before proves nothing about this one.
        if conversation.customer.key.as_ref() != Some(&challenge.customer) {
            return Answer::None;
        }
        let left = challenge.attempts_left;
        match &challenge.last {
            Some(last) if last.turn == ledger.turn.id => {
                return if last.right { Answer::Verified } else { Answer::Wrong { left } };
            }
            // It counts once.
            Some(last) if last.right => return Answer::None,
            Some(_) | None => {}
        }
        if left == 0 {
            return Answer::None;
        }
        if now >= challenge.expires_at {
            return Answer::Expired;
        }
        let code = code_of(&self.key, &conversation.id, &challenge.customer, &challenge.sent_as);
        let right = bool::from(code.as_bytes().ct_eq(given.as_bytes()));
        challenge.attempts_left = left - 1;
        challenge.last = Some(Attempt { turn: ledger.turn.id.clone(), right });
        if right { Answer::Verified } else { Answer::Wrong { left: left - 1 } }
    }
}

/// Counts an attempt at an open code of the conversation's customer, before anything is
/// judged. Answers whether there may be one.
async fn take_attempt(ledger: &Ledger, now: Timestamp) -> Result<bool, StoreError> {
    let conversation = &ledger.conversation;
    let open = conversation.state.challenge.as_ref().filter(|it| it.is_open(now));
    let Some(challenge) = open.filter(|_| conversation.private) else { return Ok(true) };
    let person = stable_id(&["customer", &challenge.customer]);
    let wanted = LimitUse {
        limit: "identity-attempts-customer".to_owned(),
        scope: format!("customer:{person}"),
        take: Take::Sum { amount: 1, most: MOST_ATTEMPTS_A_DAY, window_ms: DAY_MS },
        reservation: format!("{}-answer", ledger.turn.id),
    };
    let changes = vec![Change::Take { uses: vec![wanted], at: now }];
    match ledger.store().commit(Commit { changes, ..Commit::default() }).await {
        Ok(_) => Ok(true),
        Err(StoreError::LimitReached { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The outbox row of a code. Contact and code are put in at the very edge.
fn item(conversation: &Conversation, customer: &str, id: OutboxId, now: Timestamp) -> OutboxItem {
    OutboxItem {
        id,
        conversation: conversation.id.clone(),
        channel: Channel::Contact,
        account: ACCOUNT.to_owned(),
        chat: format!("{CHAT}{customer}"),
        text: OUTBOX_TEXT.to_owned(),
        state: OutboxState::Pending,
        attempts: 0,
        next_at: now,
        possible_duplicate: false,
        last_error: None,
        created_at: now,
    }
}

/// What a new code takes from the limits of its conversation and its customer.
fn uses(conversation: &Conversation, customer: &str, id: &OutboxId) -> Vec<LimitUse> {
    let used = |limit: &str, scope: String, most| LimitUse {
        limit: limit.to_owned(),
        scope,
        // A sum, because a rate with a burst lets more through at a window's edge.
        take: Take::Sum { amount: 1, most, window_ms: WINDOW_MS },
        reservation: id.to_string(),
    };
    let (chat, person) = (&conversation.id, stable_id(&["customer", customer]));
    vec![
        used("identity-code-conversation", format!("conversation:{chat}"), MOST_IN_CONVERSATION),
        used("identity-code-customer", format!("customer:{person}"), MOST_FOR_CUSTOMER),
    ]
}

/// The code that an outgoing message carries.
fn code_of(
    key: &MasterKey,
    conversation: &ConversationId,
    customer: &str,
    sent_as: &OutboxId,
) -> String {
    let bytes = key.derive(CODE, &[conversation.as_str(), customer, sent_as.as_str()]);
    let number = bytes[..8].iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    format!("{:06}", number % 1_000_000)
}

/// The first six-digit code in a message, also in two halves: `123 456`.
pub fn code_in(text: &str) -> Option<String> {
    let plain: String = text.nfkc().collect();
    DIGITS.captures_iter(&plain).find_map(|found| {
        let digits = found.get(1)?;
        let goes_on = |c: char| c.is_alphanumeric() || matches!(c, '_' | '/' | '-');
        if plain[digits.end()..].starts_with(goes_on) {
            return None;
        }
        let groups: Vec<&str> = digits.as_str().split([' ', '-']).collect();
        match groups[..] {
            [whole] if whole.len() == 6 => Some(whole.to_owned()),
            [first, second] if first.len() == 3 && second.len() == 3 => {
                Some(format!("{first}{second}"))
            }
            _ => None,
        }
    })
}

/// The record of the customer with this key.
///
/// # Errors
/// The store failed.
pub(crate) async fn record_of(
    store: &dyn Store,
    collections: &Collections,
    customer: &str,
) -> Result<Option<StoredRecord>, StoreError> {
    let Some((name, rules)) = collections.customers() else { return Ok(None) };
    let Some(owner) = rules.owner.clone() else { return Ok(None) };
    let key = rules.comparable(&owner, customer);
    let mut found = store.find_records(name, &[(owner, key)], 2).await?;
    // Two records with one key are nobody's.
    Ok(if found.len() == 1 { found.pop() } else { None })
}

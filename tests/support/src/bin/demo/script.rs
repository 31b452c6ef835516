//! The conversations: made from the shop's own data, so that any shop can be
//! played.

mod cast;

use cast::{Cast, Part};
use jiff::civil::Date;
use postern_test_support::{
    carrier::{self, ShipmentStatus},
    shop::{Order, Shop, User},
};

use crate::expect::Expect;

/// Where a conversation takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A private chat with the Telegram bot.
    Telegram,
    /// The web chat page.
    Web,
}

/// What the customer does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Writes.
    Say(String),
    /// Writes once, and Telegram delivers it twice.
    SayDeliveredTwice(String),
    /// A person approves what waits, for this reason.
    Approve(String),
    /// Somebody who does not know the webhook's secret pretends to be Telegram.
    Forge(String),
}

impl Act {
    /// What is said.
    pub(crate) fn text(&self) -> &str {
        let (Self::Say(text)
        | Self::SayDeliveredTwice(text)
        | Self::Approve(text)
        | Self::Forge(text)) = self;
        text
    }
}

/// One thing that happens, and what must come of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) act: Act,
    pub(crate) expect: Vec<Expect>,
}

/// One conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scene {
    pub(crate) title: &'static str,
    pub(crate) place: Place,
    /// First name of the account that writes.
    pub(crate) name: String,
    pub(crate) steps: Vec<Step>,
}

/// All conversations, and what was left out because the shop lacks it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Script {
    pub(crate) scenes: Vec<Scene>,
    pub(crate) left_out: Vec<&'static str>,
}

/// A delivery is refundable for so many days (the skill's rule).
const REFUND_DAYS: i32 = 30;

/// Above it people must approve a refund (`policies/limits.toml`).
const REFUND_ALONE: f64 = 100.0;

/// The conversations for a shop as of `today`.
pub(crate) fn write(shop: &Shop, today: Date) -> Script {
    let mut cast = Cast::new(shop, today);
    // The rarest order first, so that no other conversation takes it.
    let refund = refund(&mut cast);
    let tracking = tracking(&mut cast);
    let scenes = [
        (own_and_foreign(&mut cast), "an order of each of two customers"),
        (name_and_postcode(&mut cast), "a customer with a plain name and at most ten orders"),
        (tracking, "a parcel that is on its way"),
        (refund, "a delivered order"),
        (missing_number(&mut cast), "a pending order"),
        (delivered_twice(&mut cast), "a cancelled order"),
        (Some(person()), "anything"),
        (Some(gibberish()), "anything"),
        (Some(forged()), "anything"),
    ];
    let mut script = Script::default();
    for (scene, need) in scenes {
        match scene {
            Some(scene) => script.scenes.push(scene),
            None => script.left_out.push(need),
        }
    }
    script
}

fn own_and_foreign(cast: &mut Cast<'_>) -> Option<Scene> {
    let own = cast.order(|_, order| order.status == "delivered")?;
    let foreign = cast
        .shop
        .orders
        .iter()
        .find(|(_, order)| order.user_id != own.user_id && order.status == "pending");
    let (foreign, _) = foreign?;
    Some(Scene {
        title: "where is my order, and where is somebody else's?",
        place: Place::Telegram,
        name: own.user.name.first_name.clone(),
        steps: vec![
            say(
                format!("Hello! What's the status of my order {}?", own.order_id),
                vec![Expect::Asks("email"), Expect::DoesNotSay("delivered".into())],
            ),
            say(
                own.user.email.clone(),
                vec![
                    Expect::Identified(own.user_id.clone()),
                    Expect::Uses("order-status", "order_status"),
                    Expect::Says(own.order_id.clone()),
                    Expect::Says("delivered".into()),
                ],
            ),
            say(
                format!("And what's the status of order {foreign}?"),
                vec![
                    Expect::Refuses("records-owner-only"),
                    Expect::DoesNotSay("pending".into()),
                    Expect::Identified(own.user_id),
                ],
            ),
        ],
    })
}

fn name_and_postcode(cast: &mut Cast<'_>) -> Option<Scene> {
    let plain = |user: &User| {
        let word = |text: &str| !text.is_empty() && text.chars().all(char::is_alphabetic);
        word(&user.name.first_name)
            && word(&user.name.last_name)
            && user.address.zip.len() >= 4
            && user.address.zip.bytes().all(|b| b.is_ascii_digit())
    };
    let (user_id, user) = cast.user(|id, user| {
        plain(user)
            && (1..=10).contains(&cast.orders_of(id).count())
            && cast.is_alone(|other| other.name == user.name && other.address == user.address)
    })?;
    let orders: Vec<_> = cast.orders_of(&user_id).collect();
    cast.play(&user_id);
    let mut expect = vec![
        Expect::Identified(user_id),
        Expect::Uses("crm-lookup", "find_customer"),
        Expect::Uses("order-status", "list_orders"),
    ];
    expect.extend(orders.into_iter().map(Expect::Says));
    Some(Scene {
        title: "known by name and postcode",
        place: Place::Web,
        name: user.name.first_name.clone(),
        steps: vec![
            say("Can you show me all my orders?".to_owned(), vec![Expect::Asks("email")]),
            say(
                format!("{} {}, {}", user.name.first_name, user.name.last_name, user.address.zip),
                expect,
            ),
        ],
    })
}

fn tracking(cast: &mut Cast<'_>) -> Option<Scene> {
    let today = cast.today;
    let place = |order: &Order| {
        let mut numbers = order.fulfillments.iter().flat_map(|f| &f.tracking_id);
        let shipment = carrier::shipment(numbers.next()?, today)?;
        (shipment.status == ShipmentStatus::InTransit).then_some(shipment.location)
    };
    let own = cast.order(|_, order| order.status == "processed" && place(order).is_some())?;
    let location = place(own.order)?;
    Some(Scene {
        title: "where is the parcel?",
        place: Place::Telegram,
        name: own.user.name.first_name.clone(),
        steps: vec![
            say(
                format!("Hi, my email is {}", own.user.email),
                vec![Expect::Identified(own.user_id)],
            ),
            say(
                format!("What's the status of order {}?", own.order_id),
                vec![Expect::Says(own.order_id.clone()), Expect::Says("processed".into())],
            ),
            say(
                format!("Please track my parcel for {}", own.order_id),
                vec![
                    Expect::Uses("shipment-tracking", "track_shipment"),
                    Expect::Performs("http:send"),
                    Expect::Says(location),
                ],
            ),
        ],
    })
}

fn refund(cast: &mut Cast<'_>) -> Option<Scene> {
    let today = cast.today;
    let recent = |order: &Order| {
        let delivered: Option<Date> = order.delivered_at.as_deref().and_then(|d| d.parse().ok());
        delivered.is_some_and(|day| {
            (0..=REFUND_DAYS).contains(&today.since(day).map_or(-1, |s| s.get_days()))
        })
    };
    let question = |own: &Part<'_>| {
        say(format!("Can I get a refund for order {}?", own.order_id), vec![Expect::Asks("email")])
    };
    if let Some(own) = cast.order(|_, order| order.status == "delivered" && recent(order)) {
        let yes = yes(&own);
        return Some(Scene {
            title: "a refund, with a yes",
            place: Place::Web,
            name: own.user.name.first_name.clone(),
            steps: vec![
                question(&own),
                say(
                    own.user.email.clone(),
                    vec![
                        Expect::Identified(own.user_id),
                        Expect::Uses("refund-check", "refund_check"),
                        Expect::Says("refund".into()),
                    ],
                ),
                say(
                    format!("Please refund order {}", own.order_id),
                    vec![
                        Expect::Uses("refund-check", "refund_request"),
                        Expect::Asks("confirmed"),
                        Expect::Says(own.order_id.clone()),
                    ],
                ),
            ]
            .into_iter()
            .chain(yes)
            .collect(),
        });
    }
    // A shop that does not keep the day of delivery: a person has to check.
    let own = cast.order(|_, order| order.status == "delivered" && order.delivered_at.is_none())?;
    Some(Scene {
        title: "a refund that a person must check",
        place: Place::Web,
        name: own.user.name.first_name.clone(),
        steps: vec![
            question(&own),
            say(
                own.user.email.clone(),
                vec![
                    Expect::Identified(own.user_id),
                    Expect::Uses("refund-check", "refund_check"),
                    Expect::Escalates,
                ],
            ),
        ],
    })
}

/// The customer's yes to a refund, which people must approve if it is a large one.
fn yes(own: &Part<'_>) -> Vec<Step> {
    let done = vec![Expect::Performs("records:write"), Expect::Says(own.order_id.clone())];
    let text = "Yes, please".to_owned();
    let paid: f64 = own.order.payment_history.iter().map(|payment| payment.amount).sum();
    if paid <= REFUND_ALONE {
        return vec![say(text, done)];
    }
    let reason = "the parcel is back".to_owned();
    vec![
        say(text, vec![Expect::Says("A colleague has to look at this".into())]),
        Step { act: Act::Approve(reason), expect: done },
    ]
}

fn missing_number(cast: &mut Cast<'_>) -> Option<Scene> {
    let own = cast.order(|_, order| order.status == "pending")?;
    Some(Scene {
        title: "a question without the number",
        place: Place::Web,
        name: own.user.name.first_name.clone(),
        steps: vec![
            say(format!("my email is {}", own.user.email), vec![Expect::Identified(own.user_id)]),
            say("any update on my order?".to_owned(), vec![Expect::Asks("order_id")]),
            say(
                own.order_id.clone(),
                vec![
                    Expect::Uses("order-status", "order_status"),
                    Expect::Says(own.order_id),
                    Expect::Says("pending".into()),
                ],
            ),
        ],
    })
}

fn delivered_twice(cast: &mut Cast<'_>) -> Option<Scene> {
    let own = cast.order(|_, order| order.status == "cancelled")?;
    Some(Scene {
        title: "a webhook that comes twice",
        place: Place::Telegram,
        name: own.user.name.first_name.clone(),
        steps: vec![
            Step {
                act: Act::SayDeliveredTwice(format!("status of order {} please", own.order_id)),
                expect: vec![Expect::Status(200), Expect::Asks("email"), Expect::AnswersInAll(1)],
            },
            // Messages of a conversation are answered in their order: were the
            // repeat still to be answered, its answer would come before this.
            say(
                own.user.email.clone(),
                vec![
                    Expect::Identified(own.user_id),
                    Expect::Says("cancelled".into()),
                    Expect::AnswersInAll(2),
                ],
            ),
        ],
    })
}

fn person() -> Scene {
    Scene {
        title: "a wish for a person",
        place: Place::Telegram,
        name: "Kim".to_owned(),
        steps: vec![say(
            "I want to talk to a person, please".to_owned(),
            vec![
                Expect::Uses("escalation", "escalate"),
                Expect::Performs("handover:request"),
                Expect::Escalates,
            ],
        )],
    }
}

fn gibberish() -> Scene {
    Scene {
        title: "words that mean nothing",
        place: Place::Web,
        name: "Kim".to_owned(),
        steps: vec![say(
            "blorp zxcvb qwfp gloink".to_owned(),
            vec![Expect::NotUnderstood, Expect::UsesNothing, Expect::StaysWithMachine],
        )],
    }
}

fn forged() -> Scene {
    Scene {
        title: "somebody who does not know the secret",
        place: Place::Telegram,
        name: "Mallory".to_owned(),
        steps: vec![Step {
            act: Act::Forge("Please send me all orders".to_owned()),
            expect: vec![Expect::Status(401), Expect::LeavesNothing],
        }],
    }
}

fn say(text: String, expect: Vec<Expect>) -> Step {
    Step { act: Act::Say(text), expect }
}

#[cfg(test)]
mod tests;

//! When an order can be refunded. Pure: facts in, judgement out.

use std::collections::BTreeMap;

use serde::Deserialize;
use shop::{Cents, Date, Order, Status, Transaction};

/// A delivered order can be refunded for so many days.
pub(crate) const WINDOW_DAYS: i64 = 30;

/// A kind of payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Method {
    CreditCard,
    Paypal,
    GiftCard,
    #[serde(other)]
    Other,
}

impl Method {
    /// Where the money goes, and how long that takes.
    pub(crate) const fn how_and_when(self) -> &'static str {
        match self {
            Self::CreditCard => "to your credit card within 5 to 7 business days",
            Self::Paypal => "to your PayPal account within 5 to 7 business days",
            Self::GiftCard => "to your gift card at once",
            Self::Other => "the way you paid",
        }
    }

    /// How the refund of a cancelled order arrives.
    pub(crate) const fn after_cancelling(self) -> &'static str {
        match self {
            Self::CreditCard => "it reaches your credit card within 5 to 7 business days",
            Self::Paypal => "it reaches your PayPal account within 5 to 7 business days",
            Self::GiftCard => "your gift card was credited at once",
            Self::Other => "it takes 5 to 7 business days",
        }
    }
}

/// Whether an order can be refunded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// It can.
    Eligible {
        /// How much.
        amount: Cents,
        /// How it was paid.
        method: Method,
        /// The payment method's id.
        method_id: String,
        /// When it arrived.
        delivered: Date,
    },
    /// It cannot, or a person has to say.
    Not(Reason),
}

/// Why there is no refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// It can be cancelled instead.
    NotSent,
    /// Wait for the delivery.
    OnItsWay,
    /// The money comes by itself, by this method if it is known.
    Cancelled(Option<Method>),
    /// The money is back.
    AlreadyRefunded,
    /// A request exists.
    AlreadyRequested,
    /// A return or an exchange was requested.
    ReturnUnderWay,
    /// The time is over.
    TooOld {
        /// When it arrived.
        delivered: Date,
        /// How many days ago.
        days: i64,
    },
    /// A person has to find out when it arrived.
    DeliveryDateUnknown,
    /// A person has to look at the payments.
    PaymentUnclear,
    /// A person has to look at the status.
    StatusUnclear,
}

impl Reason {
    /// The machine-readable name.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::NotSent => "not-sent",
            Self::OnItsWay => "on-its-way",
            Self::Cancelled(_) => "cancelled",
            Self::AlreadyRefunded => "already-refunded",
            Self::AlreadyRequested => "already-requested",
            Self::ReturnUnderWay => "return-under-way",
            Self::TooOld { .. } => "too-old",
            Self::DeliveryDateUnknown => "delivery-date-unknown",
            Self::PaymentUnclear => "payment-unclear",
            Self::StatusUnclear => "status-unclear",
        }
    }
}

/// Judges an order by status, payments and age.
pub(crate) fn judge(order: &Order, methods: &BTreeMap<String, Method>, today: Date) -> Judgement {
    match &order.status {
        Status::Pending | Status::PendingModified => Judgement::Not(Reason::NotSent),
        Status::Processed => Judgement::Not(Reason::OnItsWay),
        Status::ReturnRequested | Status::ExchangeRequested => {
            Judgement::Not(Reason::ReturnUnderWay)
        }
        Status::Other(_) => Judgement::Not(Reason::StatusUnclear),
        Status::Cancelled => {
            let paid = order.payment_history.first();
            let method = paid.and_then(|paid| methods.get(&paid.payment_method_id)).copied();
            Judgement::Not(Reason::Cancelled(method))
        }
        Status::Delivered => delivered(order, methods, today).unwrap_or_else(Judgement::Not),
    }
}

fn delivered(
    order: &Order,
    methods: &BTreeMap<String, Method>,
    today: Date,
) -> Result<Judgement, Reason> {
    if order.payment_history.iter().any(|p| p.transaction_type == Transaction::Refund) {
        return Err(Reason::AlreadyRefunded);
    }
    let date = order.delivered_at.as_deref().and_then(Date::parse);
    // A date that lies ahead is no better than none.
    let delivered = date.filter(|date| *date <= today).ok_or(Reason::DeliveryDateUnknown)?;
    let days = today.days_since(delivered);
    if days > WINDOW_DAYS {
        return Err(Reason::TooOld { delivered, days });
    }
    // Several payments may have to go back several ways.
    let [payment] = order.payment_history.as_slice() else {
        return Err(Reason::PaymentUnclear);
    };
    let method = methods.get(&payment.payment_method_id).copied().unwrap_or(Method::Other);
    if method == Method::Other || payment.amount <= Cents(0) {
        return Err(Reason::PaymentUnclear);
    }
    Ok(Judgement::Eligible {
        amount: payment.amount,
        method,
        method_id: payment.payment_method_id.clone(),
        delivered,
    })
}

//! What is said to whom, by reason.

use postern_sdk::Severity;
use serde::Deserialize;

/// Why a person is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Reason {
    AskedForPerson,
    ChangeOrder,
    Complaint,
    DamagedItem,
    LostParcel,
    Payment,
    Privacy,
    Legal,
    Safety,
    Other,
}

impl Reason {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 10] = [
        Self::AskedForPerson,
        Self::ChangeOrder,
        Self::Complaint,
        Self::DamagedItem,
        Self::LostParcel,
        Self::Payment,
        Self::Privacy,
        Self::Legal,
        Self::Safety,
        Self::Other,
    ];

    /// The machine-readable name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AskedForPerson => "asked-for-person",
            Self::ChangeOrder => "change-order",
            Self::Complaint => "complaint",
            Self::DamagedItem => "damaged-item",
            Self::LostParcel => "lost-parcel",
            Self::Payment => "payment",
            Self::Privacy => "privacy",
            Self::Legal => "legal",
            Self::Safety => "safety",
            Self::Other => "other",
        }
    }

    /// How soon a person should look, at least.
    pub(crate) const fn severity(self) -> Severity {
        match self {
            Self::Other => Severity::Low,
            Self::AskedForPerson | Self::ChangeOrder | Self::DamagedItem => Severity::Normal,
            Self::Complaint | Self::LostParcel | Self::Payment | Self::Privacy | Self::Legal => {
                Severity::High
            }
            Self::Safety => Severity::Critical,
        }
    }

    /// What the person should know first.
    pub(crate) const fn summary(self) -> &'static str {
        match self {
            Self::AskedForPerson => "The customer asked to talk to a person.",
            Self::ChangeOrder => {
                "The customer wants an order cancelled, exchanged or changed. Nothing is changed yet."
            }
            Self::Complaint => "The customer complains. Apologise first, then solve it.",
            Self::DamagedItem => "The customer says that an item arrived damaged or wrong.",
            Self::LostParcel => "The customer says that a parcel is lost.",
            Self::Payment => "The customer has a problem with a payment.",
            Self::Privacy => "The customer asks about personal data. Involve data protection.",
            Self::Legal => "The customer mentions legal steps. Promise nothing; involve legal.",
            Self::Safety => "The customer reports a danger to people. Act at once.",
            Self::Other => "The customer needs something that no tool offers.",
        }
    }

    /// The first words to the customer.
    pub(crate) const fn opening(self) -> &'static str {
        match self {
            Self::AskedForPerson => "Of course, I have passed your message to a colleague.",
            Self::ChangeOrder => {
                "I cannot change orders myself, so I have passed your wish to a colleague."
            }
            Self::Complaint => {
                "I am sorry that we let you down. I have passed your complaint to a colleague."
            }
            Self::DamagedItem => {
                "I am sorry that your item did not arrive as it should. I have told a colleague."
            }
            Self::LostParcel => {
                "I am sorry that your parcel has not reached you. A colleague will look for it."
            }
            Self::Payment => "Thank you for telling us. A colleague will check the payment.",
            Self::Privacy => {
                "Thank you. I have passed this to the people who look after your data."
            }
            Self::Legal => "Thank you for your message. I have passed it to the right people.",
            Self::Safety => {
                "Thank you for telling us. Please stop using the item. I have alarmed a colleague."
            }
            Self::Other => "I have passed your message to a colleague.",
        }
    }
}

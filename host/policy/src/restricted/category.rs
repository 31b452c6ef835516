//! The categories of restricted content.

use super::Tools;

/// What content is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// The number or the security code of a payment card was sent.
    PaymentCard,
    /// The number of an identity document was sent.
    IdDocument,
    /// Somebody's health: illness, injury, pregnancy, medication, disability, death.
    Health,
    /// Courts, lawyers, and complaints to an authority that supervises: those have
    /// deadlines as well, and the same people answer them. A complaint to ourselves is none.
    LegalThreat,
    /// Suicide and self-injury, one's own or that of somebody near.
    SelfHarm,
    /// A child writes, or acted as the customer. Parents who buy for one do not count.
    Minors,
    /// One of the operator's own categories, by its place in `privacy.toml`.
    Custom(u16),
}

impl Category {
    /// Every category but the operator's own.
    pub const ALL: [Self; 6] = [
        Self::PaymentCard,
        Self::IdDocument,
        Self::Health,
        Self::LegalThreat,
        Self::SelfHarm,
        Self::Minors,
    ];

    /// The name in rules, tags and metrics: `self_harm`. An operator's own category has
    /// the name that [`Restricted::name`](super::Restricted::name) gives.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PaymentCard => "payment_card",
            Self::IdDocument => "id_document",
            Self::Health => "health",
            Self::LegalThreat => "legal_threat",
            Self::SelfHarm => "self_harm",
            Self::Minors => "minors",
            Self::Custom(_) => "custom",
        }
    }

    /// The category of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.as_str() == name)
    }

    /// Whether tools are called if the operator says nothing. The values of cards and
    /// documents are out of the text by then, and what is asked for is ordinary; the
    /// others are for people alone.
    pub const fn standard_tools(self) -> Tools {
        match self {
            Self::PaymentCard | Self::IdDocument => Tools::Run,
            Self::Health | Self::LegalThreat | Self::SelfHarm | Self::Minors | Self::Custom(_) => {
                Tools::Stop
            }
        }
    }
}

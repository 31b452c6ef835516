//! Types of personal data and secrets.

/// A type of datum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DataKind {
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
    /// A payment card number.
    Card,
    /// An international bank account number.
    Iban,
    /// A bank account number that no checksum proves, by the words around it.
    BankAccount,
    /// A Chinese resident identity number.
    IdCard,
    /// A US social security number.
    UsSsn,
    /// A UK National Health Service number.
    UkNhs,
    /// A passport number.
    Passport,
    /// A US driver's licence number.
    DriverLicense,
    /// An IP address or network.
    IpAddress,
    /// The address of a network card.
    MacAddress,
    /// A URL.
    Url,
    /// The address of a wallet.
    Crypto,
    /// A password, key or token, also in a URL.
    Secret,
    /// A date, perhaps with a time.
    DateTime,
    /// A date of birth.
    BirthDate,
    /// The name of a person.
    Name,
    /// A postal address.
    Address,
    /// One of the operator's own types, by its place in `privacy.toml`.
    Custom(u16),
}

impl DataKind {
    /// Every type but the operator's own.
    pub const ALL: [Self; 19] = [
        Self::Email,
        Self::Phone,
        Self::Card,
        Self::Iban,
        Self::BankAccount,
        Self::IdCard,
        Self::UsSsn,
        Self::UkNhs,
        Self::Passport,
        Self::DriverLicense,
        Self::IpAddress,
        Self::MacAddress,
        Self::Url,
        Self::Crypto,
        Self::Secret,
        Self::DateTime,
        Self::BirthDate,
        Self::Name,
        Self::Address,
    ];

    /// The name in placeholders and rules: `EMAIL`. An operator's own type has the name
    /// that [`Detector::name`](super::Detector::name) gives.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "EMAIL",
            Self::Phone => "PHONE",
            Self::Card => "CARD",
            Self::Iban => "IBAN",
            Self::BankAccount => "BANK_ACCOUNT",
            Self::IdCard => "ID_CARD",
            Self::UsSsn => "US_SSN",
            Self::UkNhs => "UK_NHS",
            Self::Passport => "PASSPORT",
            Self::DriverLicense => "DRIVER_LICENSE",
            Self::IpAddress => "IP_ADDRESS",
            Self::MacAddress => "MAC_ADDRESS",
            Self::Url => "URL",
            Self::Crypto => "CRYPTO",
            Self::Secret => "SECRET",
            Self::DateTime => "DATE_TIME",
            Self::BirthDate => "BIRTH_DATE",
            Self::Name => "NAME",
            Self::Address => "ADDRESS",
            Self::Custom(_) => "CUSTOM",
        }
    }

    /// The type of this name that comes with Postern.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The name in published sets of labelled data, which evaluations compare with:
    /// `EMAIL_ADDRESS`. A type that they do not have keeps its own.
    pub const fn published_name(self) -> &'static str {
        match self {
            Self::Email => "EMAIL_ADDRESS",
            Self::Phone => "PHONE_NUMBER",
            Self::Card => "CREDIT_CARD",
            Self::Iban => "IBAN_CODE",
            Self::BankAccount => "US_BANK_NUMBER",
            Self::Passport => "US_PASSPORT",
            Self::DriverLicense => "US_DRIVER_LICENSE",
            Self::BirthDate => "DATE_TIME",
            Self::IdCard
            | Self::UsSsn
            | Self::UkNhs
            | Self::IpAddress
            | Self::MacAddress
            | Self::Url
            | Self::Crypto
            | Self::Secret
            | Self::DateTime
            | Self::Name
            | Self::Address
            | Self::Custom(_) => self.as_str(),
        }
    }
}

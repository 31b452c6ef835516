//! Tags under which a value is known again without being told: keyed hashes of what is
//! left of it when its writing does not matter.

use std::{collections::HashSet, fmt};

use postern_policy::personal::{DataKind, Folded, Purpose};
use postern_store::{Standing, VaultTag};

use crate::{keys::MasterKey, redaction};

/// What the key is for.
const PURPOSE: &str = "vault-index";
/// Digits by which a phone number is known, whether it is written as at home or abroad.
const PHONE_DIGITS: usize = 9;
/// The least that tells one value from another.
const LEAST_SIGNS: usize = 4;
/// Words of an address: fewer are a flat or a town.
const LEAST_OF_ADDRESS: usize = 3;
/// Characters of a name that is written without spaces.
const LEAST_OF_SIGNS: usize = 3;
/// Words of the longest name or address.
const MOST_WORDS: usize = 40;

/// Kinds that do not tell who somebody is, or that many share.
const SHARED: [&str; 11] = [
    "FIRST_NAME",
    "LAST_NAME",
    "CITY",
    "POSTCODE",
    "CARD_END",
    DataKind::IpAddress.as_str(),
    DataKind::MacAddress.as_str(),
    DataKind::Url.as_str(),
    DataKind::DateTime.as_str(),
    DataKind::BirthDate.as_str(),
    DataKind::Crypto.as_str(),
];

/// Kinds that are private whoever says them: what they are is proven by how they are
/// written, so no word that somebody wants to forbid can pass for one.
const PRIVATE: [&str; 11] = [
    DataKind::Email.as_str(),
    DataKind::Phone.as_str(),
    DataKind::Card.as_str(),
    DataKind::Iban.as_str(),
    DataKind::BankAccount.as_str(),
    DataKind::IdCard.as_str(),
    DataKind::UsSsn.as_str(),
    DataKind::UkNhs.as_str(),
    DataKind::Passport.as_str(),
    DataKind::DriverLicense.as_str(),
    "ID_DOCUMENT",
];
/// Kinds that are one person's, though many conversations have them.
const ONE_PERSONS: [&str; 8] = [
    DataKind::Card.as_str(),
    DataKind::IdCard.as_str(),
    DataKind::UsSsn.as_str(),
    DataKind::UkNhs.as_str(),
    DataKind::Passport.as_str(),
    DataKind::DriverLicense.as_str(),
    DataKind::Secret.as_str(),
    "ID_DOCUMENT",
];
/// Customers who have a value that is public: a hotline, a shop's address, a name.
const PUBLIC: u32 = 3;

/// Whether a value of a kind that so many have is nobody's.
pub(super) fn is_public(kind: &str, owners: u32) -> bool {
    owners >= PUBLIC && !ONE_PERSONS.contains(&kind)
}

/// What is left of a value when its writing does not matter.
enum Form {
    /// It is compared as a whole.
    Whole {
        /// Values of several kinds that are written alike are one.
        class: String,
        text: String,
    },
    /// It stands in a text as these words.
    Words(Vec<String>),
}

/// Makes tags, with a key of its own.
#[derive(Clone)]
pub struct Blind(MasterKey);

impl fmt::Debug for Blind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Blind")
    }
}

impl Blind {
    /// Tags of the host with this key.
    pub fn new(key: &MasterKey) -> Self {
        Self(key.clone())
    }

    /// What is noted of a customer's values: of all that are theirs, and of those that
    /// stand in their records. A name or address counts only from there: a stranger can
    /// call anything so. `is_known` says whether it is known who the customer is.
    pub fn index(
        &self,
        own: &[(String, String)],
        recorded: &[(String, String)],
        is_known: bool,
    ) -> Vec<VaultTag> {
        let mut tags = self.tags(recorded);
        tags.iter_mut().for_each(|tag| tag.standing = Standing::Recorded);
        let wholes: HashSet<String> = tags.iter().map(|tag| tag.whole.clone()).collect();
        let said = self.tags(own).into_iter().filter(|tag| !wholes.contains(&tag.whole));
        tags.extend(said.map(|tag| {
            let counts = PRIVATE.contains(&tag.kind.as_str()) || (is_known && tag.words == 0);
            let standing = if counts { Standing::Said } else { Standing::Mentioned };
            VaultTag { standing, ..tag }
        }));
        tags
    }

    /// The tags of a customer's values, by kind, also of those that are encoded. Values
    /// that tell nobody apart have none, and names have one for each order.
    pub fn tags(&self, own: &[(String, String)]) -> Vec<VaultTag> {
        let detector = redaction::current();
        let mut tags: Vec<VaultTag> =
            own.iter().filter_map(|(kind, value)| self.tag(kind, value)).collect();
        for (kind, value) in own {
            if kind == DataKind::Name.as_str() {
                tags.extend(self.turned(value));
            }
            let hidden = redaction::hidden(value, &detector, Purpose::Placeholders);
            tags.extend(
                hidden.iter().filter_map(|one| self.tag(detector.name(one.kind), &one.value)),
            );
        }
        let only = |wanted: &str| {
            let mut found = own.iter().filter(|(kind, _)| kind == wanted);
            found.next().filter(|_| found.next().is_none()).map(|(_, value)| value)
        };
        if let (Some(first), Some(last)) = (only("FIRST_NAME"), only("LAST_NAME")) {
            for name in [format!("{first} {last}"), format!("{last} {first}")] {
                tags.extend(self.tag(DataKind::Name.as_str(), &name));
            }
        }
        tags
    }

    /// The tag of a name with its last word first.
    fn turned(&self, name: &str) -> Option<VaultTag> {
        let (first, last) = name.trim().rsplit_once(char::is_whitespace)?;
        self.tag(DataKind::Name.as_str(), &format!("{last} {first}"))
    }

    /// The tag of a value, if it tells somebody apart.
    pub(super) fn tag(&self, kind: &str, value: &str) -> Option<VaultTag> {
        let (kind, standing) = (kind.to_owned(), Standing::Said);
        match form(&kind, value)? {
            Form::Whole { class, text } => {
                let tag = self.keyed(&[&class, &text]);
                Some(VaultTag { whole: tag.clone(), tag, words: 0, kind, standing })
            }
            Form::Words(words) => {
                let tag = self.lead(words.first()?, words.get(1)?);
                let count = u32::try_from(words.len()).ok()?;
                Some(VaultTag { tag, whole: self.phrase(&words), words: count, kind, standing })
            }
        }
    }

    /// The tag of the first two words of a name or address.
    pub(super) fn lead(&self, first: &str, second: &str) -> String {
        self.keyed(&["lead", first, second])
    }

    /// The tag of all words of a name or address.
    pub(super) fn phrase(&self, words: &[String]) -> String {
        let parts: Vec<&str> =
            std::iter::once("phrase").chain(words.iter().map(String::as_str)).collect();
        self.keyed(&parts)
    }

    /// Half of the hash, which is enough to tell values apart.
    fn keyed(&self, parts: &[&str]) -> String {
        hex::encode(&self.0.derive(PURPOSE, parts)[..16])
    }
}

fn form(kind: &str, value: &str) -> Option<Form> {
    if SHARED.contains(&kind) {
        return None;
    }
    let is = |known: DataKind| kind == known.as_str();
    if is(DataKind::Name) || is(DataKind::Address) {
        let words = words(value);
        let is_sign = |word: &String| word.chars().count() == 1 && !word.is_ascii();
        let least = match (words.iter().all(is_sign), is(DataKind::Address)) {
            (true, false) => LEAST_OF_SIGNS,
            (false, false) => 2,
            (_, true) => LEAST_OF_ADDRESS,
        };
        return (least..=MOST_WORDS).contains(&words.len()).then_some(Form::Words(words));
    }
    let folded = Folded::new(value).text().to_lowercase();
    let (class, text) = if is(DataKind::Email) {
        (kind, folded.trim().to_owned())
    } else if is(DataKind::Phone) {
        let digits: Vec<char> = folded.chars().filter(char::is_ascii_digit).collect();
        (kind, digits[digits.len().saturating_sub(PHONE_DIGITS)..].iter().collect())
    } else {
        let is_number = DataKind::ALL.iter().any(|known| is(*known));
        let signs = folded.chars().filter(|c| c.is_alphanumeric()).collect();
        (if is_number { "number" } else { kind }, signs)
    };
    let enough = text.chars().count() >= LEAST_SIGNS;
    enough.then(|| Form::Whole { class: class.to_owned(), text })
}

/// The words of a text, in small letters. Where no spaces part them, each character is
/// one.
pub(super) fn words(text: &str) -> Vec<String> {
    let folded = Folded::new(text).text().to_lowercase();
    let mut words: Vec<String> = Vec::new();
    let mut open = false;
    for c in folded.chars() {
        if !c.is_alphanumeric() {
            open = false;
        } else if is_ideograph(c) {
            words.push(c.to_string());
            open = false;
        } else if let (true, Some(word)) = (open, words.last_mut()) {
            word.push(c);
        } else {
            words.push(c.to_string());
            open = true;
        }
    }
    words
}

/// Chinese and Japanese signs, which stand without spaces.
fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blind() -> Blind {
        Blind::new(&MasterKey::generate().unwrap())
    }

    #[test]
    fn writings_of_one_value_have_one_tag() {
        let blind = blind();
        for (kind, one, other) in [
            ("EMAIL", "Ann@Shop.example", "ann@shop.example"),
            ("PHONE", "+44 20 7946 0018", "020-7946-0018"),
            ("PHONE", "+86 138 0013 8000", "１３８００１３８０００"),
            ("CARD", "4111 1111 1111 1111", "4111-1111-1111-1111"),
            ("IBAN", "GB82 WEST 1234 5698 7654 32", "gb82west12345698765432"),
            ("NAME", "Ann  Lee", "ann LEE"),
            ("ADDRESS", "12 Elm Street, Flat 4", "12 elm street flat 4"),
            ("MEMBER_NO", "AB-1234", "ab 1234"),
        ] {
            let tag = |value: &str| blind.tag(kind, value).unwrap().whole;
            assert_eq!(tag(one), tag(other), "{kind}");
            assert!(!tag(one).contains(one));
        }
    }

    #[test]
    fn what_many_share_has_none() {
        let blind = blind();
        for (kind, value) in [
            ("FIRST_NAME", "Ann"),
            ("POSTCODE", "10001"),
            ("NAME", "Ann"),
            ("NAME", "张伟"),
            ("ADDRESS", "Suite 500"),
            ("CITY", "New York City"),
            ("PHONE", "110"),
        ] {
            assert_eq!(blind.tag(kind, value), None, "{kind} {value}");
        }
        let own = |kind: &str, value: &str| (kind.to_owned(), value.to_owned());
        let tags = blind.tags(&[own("FIRST_NAME", "Ann"), own("LAST_NAME", "Lee")]);
        let names = ["ann lee", "lee ann"].map(|name| blind.tag("NAME", name).unwrap());
        assert_eq!(tags, names);
    }

    #[test]
    fn tags_belong_to_a_key_and_a_kind() {
        let (one, other) = (blind(), blind());
        assert_ne!(one.tag("EMAIL", "a@b.example"), other.tag("EMAIL", "a@b.example"));
        let whole = |kind: &str| one.tag(kind, "078-05-1120").unwrap().whole;
        assert_ne!(whole("PHONE"), whole("US_SSN"));
        assert_eq!(whole("PASSPORT"), whole("US_SSN"), "they are written alike");
    }

    #[test]
    fn words_are_parted_by_what_is_none() {
        assert_eq!(words("Ann O'Neil, 李小龙!"), ["ann", "o", "neil", "李", "小", "龙"]);
    }
}

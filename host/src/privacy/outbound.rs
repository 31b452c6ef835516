//! Whether a text for one customer tells what is another's.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use postern_domain::Conversation;
use postern_policy::personal::{DataKind, Detector, Finding, Purpose};
use postern_store::{Standing, Store, StoreError};

use super::{
    Vault,
    blind::{self, Blind},
    placeholders,
};
use crate::redaction;

/// Tags that one question to the store has; a longer text is looked through in parts.
const PART: usize = 2_000;

/// The kinds of values in a text that are another customer's and not this one's. The
/// text is one for this conversation, in placeholders; encodings hide nothing in it. What
/// the operator's lists allow is nobody's, and so is what many customers have.
///
/// # Errors
/// The store fails: nobody knows then.
pub(crate) async fn foreign(
    store: &dyn Store,
    blind: &Blind,
    detector: &Detector,
    (conversation, vault): (&Conversation, &Vault),
    text: &str,
) -> Result<BTreeSet<String>, StoreError> {
    let told = if conversation.private { vault.restore(text) } else { Vault::mask(text) };
    let mut asked = BTreeMap::<String, Vec<usize>>::new();
    let mut values = Vec::new();
    // Words are read as they are meant: `ann.lee%40shop.example` names nobody.
    let mut words = Vec::new();
    let unescaped = redaction::unescaped(&told);
    for told in [Some(&*told), unescaped.as_deref()].into_iter().flatten() {
        let found = detector.find_for(told, Purpose::Placeholders);
        words = words_beside(told, &found);
        let value = |one: Finding| Some((detector.name(one.kind), told.get(one.span)?.to_owned()));
        values.extend(found.into_iter().filter_map(value));
    }
    let mut encoded = redaction::hidden(&told, detector, Purpose::Placeholders);
    if conversation.private {
        let known = placeholders(text).filter_map(|placeholder| vault.resolve(placeholder));
        for entry in known {
            values.push((entry.kind.as_str(), entry.value.clone()));
            encoded.extend(redaction::hidden(&entry.value, detector, Purpose::Placeholders));
        }
    }
    values.extend(encoded.into_iter().map(|one| (detector.name(one.kind), one.value)));
    for tag in values.iter().filter_map(|(kind, value)| blind.tag(kind, value)) {
        if tag.words == 0 {
            asked.entry(tag.tag).or_default();
        }
    }
    for (place, pair) in words.windows(2).enumerate() {
        asked.entry(blind.lead(&pair[0], &pair[1])).or_default().push(place);
    }
    let verified = conversation.customer.verified();
    let new: BTreeSet<String> = blind.tags(vault.own()).into_iter().map(|tag| tag.whole).collect();
    let mut kinds = BTreeSet::new();
    let tags: Vec<String> = asked.keys().cloned().collect();
    for part in tags.chunks(PART) {
        for hit in store.vault_hits(&conversation.id, verified, part).await? {
            let stands = |place: &usize| {
                let count = usize::try_from(hit.tag.words).unwrap_or(usize::MAX);
                let end = place.saturating_add(count);
                words.get(*place..end).is_some_and(|words| blind.phrase(words) == hit.tag.whole)
            };
            let places = asked.get(&hit.tag.tag).map(Vec::as_slice).unwrap_or_default();
            let is_free = hit.own
                || new.contains(&hit.tag.whole)
                || hit.tag.standing == Standing::Mentioned
                || blind::is_public(&hit.tag.kind, hit.owners);
            if !is_free && (hit.tag.words == 0 || places.iter().any(stands)) {
                kinds.insert(hit.tag.kind);
            }
        }
    }
    Ok(kinds)
}

/// The words of a text beside the values in it, which are compared for themselves: in
/// `ann.lee@shop.example` nobody is named. Nothing reaches over an empty word.
fn words_beside(text: &str, found: &[Finding]) -> Vec<String> {
    let is_by_words = |one: &&Finding| matches!(one.kind, DataKind::Name | DataKind::Address);
    let mut values: Vec<Range<usize>> =
        found.iter().filter(|one| !is_by_words(one)).map(|one| one.span.clone()).collect();
    let mut at = 0;
    for token in text.split_inclusive(char::is_whitespace) {
        if token.contains('@') {
            values.push(at..at + token.len());
        }
        at += token.len();
    }
    values.sort_by_key(|value| (value.start, value.end));
    let (mut words, mut at) = (Vec::new(), 0);
    for value in values {
        if let Some(beside) = text.get(at..value.start) {
            words.extend(blind::words(beside));
        }
        words.push(String::new());
        at = at.max(value.end);
    }
    words.extend(blind::words(&text[at..]));
    words
}

#[cfg(test)]
mod tests {
    use postern_domain::{
        Channel, Customer, IdentityLevel, InboundKind, InboundMessage, Timestamp,
    };
    use postern_policy::{PolicySource, personal::PrivacyRules};
    use postern_store::{Change, Commit, SqliteStore, VaultTag};

    use super::*;
    use crate::keys::MasterKey;

    struct House {
        store: SqliteStore,
        blind: Blind,
        detector: std::sync::Arc<Detector>,
        _folder: tempfile::TempDir,
    }

    impl House {
        async fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let store = SqliteStore::open(folder.path(), "test").await.unwrap();
            let blind = Blind::new(&MasterKey::generate().unwrap());
            Self { store, blind, detector: Detector::standard(), _folder: folder }
        }

        async fn conversation(&self, chat: &str) -> Conversation {
            let message = InboundMessage {
                channel: Channel::Web,
                account: "main".into(),
                dedupe_key: chat.into(),
                chat: chat.into(),
                sender: chat.into(),
                external_id: chat.into(),
                private: true,
                kind: InboundKind::Text,
                text: "hello".into(),
                language: None,
                received_at: Timestamp::from_millis(1),
            };
            let id = message.conversation_id();
            self.store.accept(&[message], &["k3f9".to_owned()]).await.unwrap();
            self.store.conversation_row(&id).await.unwrap().unwrap()
        }

        /// Notes values as those in the record of a conversation's customer.
        async fn own(&self, of: &Conversation, values: &[(&str, &str)]) {
            let own = pairs(values);
            self.note(of, self.blind.index(&own, &own, true)).await;
        }

        /// Notes values as said by somebody of whom nothing is known.
        async fn said(&self, of: &Conversation, values: &[(&str, &str)]) {
            self.note(of, self.blind.index(&pairs(values), &[], false)).await;
        }

        async fn note(&self, of: &Conversation, tags: Vec<VaultTag>) {
            let change = Change::VaultIndex {
                conversation: of.id.clone(),
                customer: of.customer.verified().map(str::to_owned),
                owner: of.customer.key.clone(),
                tags,
            };
            self.store.commit(Commit { changes: vec![change], ..Commit::default() }).await.unwrap();
        }

        async fn kinds(&self, to: &Conversation, vault: &Vault, text: &str) -> String {
            let parts = (to, vault);
            let found = foreign(&self.store, &self.blind, &self.detector, parts, text).await;
            found.unwrap().into_iter().collect::<Vec<_>>().join(" ")
        }
    }

    fn pairs(values: &[(&str, &str)]) -> Vec<(String, String)> {
        values.iter().map(|(kind, value)| ((*kind).into(), (*value).into())).collect()
    }

    const ANN: [(&str, &str); 7] = [
        ("EMAIL", "ann.lee@shop.example"),
        ("PHONE", "+44 20 7946 0018"),
        ("CARD", "4111 1111 1111 1111"),
        ("FIRST_NAME", "Ann"),
        ("LAST_NAME", "Lee"),
        ("ADDRESS", "986 Sunset Drive"),
        ("POSTCODE", "80279"),
    ];

    #[tokio::test]
    async fn what_is_anothers_is_known_in_any_writing_and_what_many_share_is_not() {
        let house = House::new().await;
        let (ann, bob) = (house.conversation("ann").await, house.conversation("bob").await);
        house.own(&ann, &ANN).await;
        let none = Vault::new("k3f9", vec![]);
        for (text, kinds) in [
            ("Write to ANN.LEE@shop.example.", "EMAIL"),
            ("Call 020 7946 0018 (London)", "PHONE"),
            ("It was card 4111-1111-1111-1111", "CARD"),
            ("It was sent to ann LEE, 986 Sunset  Drive, Denver", "ADDRESS NAME"),
            ("Dear Ann, it goes to 80279 Denver. Lee is a river.", ""),
            ("Your order #W1204518 is delivered, parcel 810400260333.", ""),
            ("It goes to 987 Sunset Drive.", ""),
        ] {
            assert_eq!(house.kinds(&bob, &none, text).await, kinds, "{text}");
            assert_eq!(house.kinds(&ann, &none, text).await, "", "{text}");
        }
        // Long texts are looked through to their end.
        let long = format!("{} Ann Lee", "many words that say nothing at all ".repeat(2_000));
        assert_eq!(house.kinds(&bob, &none, &long).await, "NAME");
    }

    #[tokio::test]
    async fn encodings_and_the_order_of_names_hide_nothing() {
        let house = House::new().await;
        let (ann, bob) = (house.conversation("ann").await, house.conversation("bob").await);
        house.own(&ann, &ANN).await;
        house.own(&ann, &[("FIRST_NAME", "小明"), ("LAST_NAME", "王")]).await;
        house.own(&ann, &[("NAME", "Inés Maria Ruiz")]).await;
        let mut vault = Vault::new("k3f9", vec![]);
        let encoded =
            vault.stand_for("EMAIL", "ann.lee%40shop.example", super::super::Whose::Unknown);
        for (text, kinds) in [
            ("Write to ann.lee%40shop.example", "EMAIL"),
            ("Write to ann\\u002elee&#64;shop.example", "EMAIL"),
            ("It says YW5uLmxlZUBzaG9wLmV4YW1wbGU=", "EMAIL"),
            (&format!("They say {encoded}"), "EMAIL"),
            ("It was sent to Ann%20Lee", "NAME"),
            ("It was sent to Lee, Ann", "NAME"),
            ("Ruiz, Inés Maria has it", "NAME"),
            ("寄给王小明了", "NAME"),
            ("It says d2hhdCBhIGxvdmVseSBkYXk=, 100%25", ""),
        ] {
            assert_eq!(house.kinds(&bob, &vault, text).await, kinds, "{text}");
            assert_eq!(house.kinds(&ann, &vault, text).await, "", "{text}");
        }
    }

    #[tokio::test]
    async fn what_a_stranger_says_blocks_only_what_is_private_and_not_what_many_say() {
        let house = House::new().await;
        let stranger = house.conversation("mallory").await;
        let bob = house.conversation("bob").await;
        let typed = [
            ("FIRST_NAME", "Wireless"),
            ("LAST_NAME", "Headphones"),
            ("NAME", "Wireless Headphones"),
            ("ADDRESS", "12 Elm Street"),
            ("MEMBER_NO", "AB-1234"),
            ("EMAIL", "ann.lee@shop.example"),
            ("CARD", "4111 1111 1111 1111"),
        ];
        house.said(&stranger, &typed).await;
        let none = Vault::new("k3f9", vec![]);
        for (text, kinds) in [
            ("Your Wireless Headphones go to 12 Elm Street", ""),
            ("Write to ann.lee@shop.example", "EMAIL"),
            ("It was card 4111 1111 1111 1111", "CARD"),
        ] {
            assert_eq!(house.kinds(&bob, &none, text).await, kinds, "{text}");
        }
        for other in ["two", "three"] {
            house.said(&house.conversation(other).await, &typed).await;
        }
        assert_eq!(house.kinds(&bob, &none, "Write to ann.lee@shop.example").await, "");
        let card = "It was card 4111 1111 1111 1111";
        assert_eq!(house.kinds(&bob, &none, card).await, "CARD", "it is one person's");
        // A record of hers makes it hers, however many have said it.
        house.own(&house.conversation("ann").await, &ANN).await;
        assert_eq!(house.kinds(&bob, &none, "Write to ann.lee@shop.example").await, "EMAIL");
        assert_eq!(house.kinds(&stranger, &none, "Write to ann.lee@shop.example").await, "");
    }

    #[tokio::test]
    async fn a_placeholder_tells_what_stands_behind_it() {
        let house = House::new().await;
        let (ann, mut bob) = (house.conversation("ann").await, house.conversation("bob").await);
        house.own(&ann, &ANN).await;
        let mut vault = Vault::new("k3f9", vec![]);
        let found = vault.stand_for("EMAIL", "ann.lee@shop.example", super::super::Whose::Unknown);
        let text = format!("They say {found}");
        assert_eq!(house.kinds(&bob, &vault, &text).await, "EMAIL");
        // What the customer has just said is theirs, too, before it is kept.
        vault.placeholder("EMAIL", "ann.lee@shop.example");
        assert_eq!(house.kinds(&bob, &vault, &text).await, "");
        // In a group nobody reads what stands behind it.
        let vault = Vault::new("k3f9", vault.take_new());
        bob.private = false;
        assert_eq!(house.kinds(&bob, &vault, &text).await, "");
    }

    #[tokio::test]
    async fn customers_are_joined_only_when_verified_and_lists_allow_what_is_public() {
        let mut house = House::new().await;
        let (mut first, mut second) =
            (house.conversation("one").await, house.conversation("two").await);
        let verified = Customer { key: Some("ann".into()), level: IdentityLevel::Verified };
        first.customer = verified.clone();
        house.own(&first, &ANN).await;
        let (text, none) = ("Write to ann.lee@shop.example", Vault::new("k3f9", vec![]));
        second.customer = Customer { level: IdentityLevel::Identified, ..verified.clone() };
        assert_eq!(house.kinds(&second, &none, text).await, "EMAIL");
        second.customer = verified;
        assert_eq!(house.kinds(&second, &none, text).await, "");

        let other = house.conversation("three").await;
        assert_eq!(house.kinds(&other, &none, text).await, "EMAIL");
        let rules = "[allow]\nvalues = [\"ann.lee@shop.example\"]\n";
        let file = PolicySource { file: "privacy.toml".into(), text: rules.into() };
        house.detector = Detector::new(&PrivacyRules::read(&file).unwrap()).into();
        assert_eq!(house.kinds(&other, &none, text).await, "");
    }
}

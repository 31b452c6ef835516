//! Whether a text for one customer tells what is another's.

use std::collections::{BTreeMap, BTreeSet};

use postern_domain::Conversation;
use postern_policy::personal::{Detector, Purpose};
use postern_store::{Store, StoreError};

use super::{
    Vault,
    blind::{self, Blind},
    placeholders,
};

/// Tags that one question to the store has; a longer text is looked through in parts.
const PART: usize = 2_000;

/// The kinds of values in a text that are another customer's and not this one's. The
/// text is one for this conversation, in placeholders. What the operator's lists allow
/// is nobody's.
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
    let values = detector.find_for(&told, Purpose::Placeholders).into_iter();
    let mut values: Vec<(&str, &str)> =
        values.filter_map(|one| Some((detector.name(one.kind), told.get(one.span)?))).collect();
    if conversation.private {
        let known = placeholders(text).filter_map(|placeholder| vault.resolve(placeholder));
        values.extend(known.map(|entry| (entry.kind.as_str(), entry.value.as_str())));
    }
    for tag in values.into_iter().filter_map(|(kind, value)| blind.tag(kind, value)) {
        if tag.words == 0 {
            asked.entry(tag.tag).or_default();
        }
    }
    let words = blind::words(&told);
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
            let own = hit.own || new.contains(&hit.tag.whole);
            if !own && (hit.tag.words == 0 || places.iter().any(stands)) {
                kinds.insert(hit.tag.kind);
            }
        }
    }
    Ok(kinds)
}

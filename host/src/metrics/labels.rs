//! Values of labels: nothing personal, and only so many different ones, because each is
//! a series of its own for as long as the host runs.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use metrics::{Key, Label};

use crate::redaction;

/// Different values that one label can have.
const MOST_VALUES: usize = 1_000;
/// What stands for all values beyond.
const OTHER: &str = "other";

/// The values that labels have had, as they are shown.
#[derive(Debug, Default)]
pub(super) struct Labels(Mutex<HashMap<&'static str, HashMap<String, Arc<str>>>>);

impl Labels {
    /// The key of a figure with these labels.
    pub(super) fn key<const N: usize>(
        &self,
        name: &'static str,
        labels: [(&'static str, &str); N],
    ) -> Key {
        let labels: Vec<Label> = labels
            .into_iter()
            .map(|(name, value)| Label::new(name, self.shown(name, value)))
            .collect();
        Key::from_parts(name, labels)
    }

    fn shown(&self, label: &'static str, value: &str) -> Arc<str> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = seen.entry(label).or_default();
        if let Some(shown) = seen.get(value) {
            return Arc::clone(shown);
        }
        if seen.len() >= MOST_VALUES {
            return OTHER.into();
        }
        let shown: Arc<str> = redaction::clean(value).into();
        seen.insert(value.to_owned(), Arc::clone(&shown));
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_has_so_many_values_and_nothing_personal() {
        let labels = Labels::default();
        let shown = |value: &str| labels.shown("tool", value).to_string();
        assert_eq!(shown("ann@shop.example"), "[EMAIL]");
        assert_eq!(shown("YW5uQHNob3AuZXhhbXBsZQ=="), "[EMAIL]");
        for number in 2..MOST_VALUES {
            assert_eq!(shown(&format!("tool-{number}")), format!("tool-{number}"));
        }
        assert_eq!(shown("one more"), OTHER);
        assert_eq!(shown("tool-2"), "tool-2");
        assert_eq!(labels.shown("skill", "one more").as_ref(), "one more");
    }
}

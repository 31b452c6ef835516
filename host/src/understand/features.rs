//! Hashed word and character n-grams, weighted and normed.
//!
//! Hashing instead of a vocabulary keeps n-grams that training never saw in
//! the norm of a message, so that a message about something else has small
//! margins for every intent.

use super::words::{Word, words};

/// Buckets of each half: words, then characters.
const HALF: u32 = 1 << 16;
/// Number of features.
pub(super) const FEATURES: usize = 2 * HALF as usize;
const LONGEST_CHAR_GRAM: usize = 5;

/// The n-grams of one message and how often each occurs, by feature.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts(Vec<(u32, u32)>);

impl Counts {
    /// Whether the message has no words.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A message as the linear model sees it, by feature. Its norm is at most √2.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vector(pub(crate) Vec<(u32, f32)>);

/// Counts the n-grams of a message.
pub(super) fn counts(text: &str) -> Counts {
    let words = words(text);
    let mut found = Vec::with_capacity(64 + 16 * words.len());
    word_grams(&words, &mut found);
    for word in &words {
        char_grams(word, &mut found);
    }
    found.sort_unstable();
    let mut counts: Vec<(u32, u32)> = Vec::with_capacity(found.len());
    for feature in found {
        match counts.last_mut() {
            Some((last, count)) if *last == feature => *count += 1,
            _ => counts.push((feature, 1)),
        }
    }
    Counts(counts)
}

fn word_grams(words: &[Word], found: &mut Vec<u32>) {
    let mut before = None;
    let mut add = |hash: u64| {
        found.push(bucket(hash));
        if let Some(before) = before {
            found.push(bucket(step(before, hash)));
        }
        before = Some(hash);
    };
    for word in words {
        if word.unspaced {
            word.text.chars().for_each(|c| add(step(SEED, u64::from(c))));
        } else {
            add(word.text.bytes().fold(SEED, |hash, b| step(hash, u64::from(b))));
        }
    }
}

/// N-grams of 2 to 5 characters within a word and the spaces round it.
fn char_grams(word: &Word, found: &mut Vec<u32>) {
    let padded: Vec<char> =
        std::iter::once(' ').chain(word.text.chars()).chain(std::iter::once(' ')).collect();
    for start in 0..padded.len() - 1 {
        let mut hash = SEED;
        for (i, c) in padded[start..].iter().take(LONGEST_CHAR_GRAM).enumerate() {
            hash = step(hash, u64::from(*c));
            if i > 0 {
                found.push(HALF + bucket(hash));
            }
        }
    }
}

/// FNV-1a's offset basis and prime, over whole symbols.
const SEED: u64 = 0xcbf2_9ce4_8422_2325;

fn step(hash: u64, symbol: u64) -> u64 {
    (hash ^ symbol).wrapping_mul(0x0000_0100_0000_01b3)
}

/// FNV's upper bits depend on all of its input only after mixing.
fn bucket(hash: u64) -> u32 {
    let mut mixed = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^= mixed >> 29;
    u32::try_from(mixed % u64::from(HALF)).expect("a bucket is below 2^16")
}

/// How rare each feature is: the weight of one occurrence.
#[derive(Clone, Debug)]
pub(super) struct Rarity(Vec<f32>);

impl Rarity {
    /// Learns from examples; `1 + ln((1 + n) / (1 + df))`, so that what never
    /// occurred weighs most.
    pub(super) fn learn<'a>(examples: impl Iterator<Item = &'a Counts>) -> Self {
        let mut frequency = vec![0_u32; FEATURES];
        let mut n = 0_u32;
        for example in examples {
            n += 1;
            for (feature, _) in &example.0 {
                frequency[*feature as usize] += 1;
            }
        }
        let weight = |df: u32| 1.0 + (f64::from(1 + n) / f64::from(1 + df)).ln();
        let by_frequency: Vec<f32> = (0..=n).map(|df| weight(df) as f32).collect();
        Self(frequency.into_iter().map(|df| by_frequency[df as usize]).collect())
    }

    /// Weighs counts; each half gets the norm 1, unless it is empty.
    pub(super) fn weigh(&self, counts: &Counts) -> Vector {
        let mut vector: Vec<(u32, f32)> = counts
            .0
            .iter()
            .map(|&(feature, n)| {
                let often = if n == 1 { 1.0 } else { 1.0 + (n as f32).ln() };
                (feature, often * self.0[feature as usize])
            })
            .collect();
        let chars = vector.partition_point(|(feature, _)| *feature < HALF);
        let (word_half, char_half) = vector.split_at_mut(chars);
        for half in [word_half, char_half] {
            let norm = half.iter().map(|(_, x)| x * x).sum::<f32>().sqrt();
            half.iter_mut().for_each(|(_, x)| *x /= norm);
        }
        Vector(vector)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn norm(vector: &Vector) -> f32 {
        vector.0.iter().map(|(_, x)| x * x).sum::<f32>().sqrt()
    }

    #[test]
    fn each_half_of_a_message_has_norm_one_and_an_empty_message_none() {
        let known = counts("where is my order");
        let rarity = Rarity::learn([&known].into_iter());
        for text in ["where is my order", "zqx", "我的订单"] {
            assert!((norm(&rarity.weigh(&counts(text))) - 2.0_f32.sqrt()).abs() < 1e-5, "{text}");
        }
        assert!(counts("?!").is_empty());
        assert!(rarity.weigh(&counts("")).0.is_empty());
    }

    #[test]
    fn unknown_words_take_weight_from_known_ones() {
        let known = counts("order");
        let rarity = Rarity::learn([&known].into_iter());
        let shared = |text: &str| -> f32 {
            let x = rarity.weigh(&counts(text));
            x.0.iter()
                .filter(|(f, _)| known.0.iter().any(|(k, _)| k == f))
                .map(|(_, x)| x * x)
                .sum()
        };
        assert!(shared("order") > 1.9);
        assert!(shared("order pizza margherita") < 0.8 * shared("order pizza"));
    }

    #[test]
    fn chinese_messages_share_characters_without_spaces() {
        let (one, other) = (counts("我要退款"), counts("请问怎么退款"));
        let shared = one.0.iter().filter(|a| other.0.iter().any(|b| a.0 == b.0)).count();
        assert!(shared >= 4, "{shared}");
    }
}

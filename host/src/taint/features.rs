//! What the linear model sees of a text: hashed words and parts of words, and
//! what they mean.

use super::concepts::{self, Concepts};
use crate::understand::features::Vector;

/// Buckets of words and pairs of words.
const WORDS: u32 = 1 << 16;
/// Buckets of parts of words.
const PARTS: u32 = 1 << 17;
const MOST_CONCEPTS: u32 = concepts::MOST as u32;
/// Concepts and pairs of them.
const MEANINGS: u32 = MOST_CONCEPTS * (1 + MOST_CONCEPTS);
/// How many concepts and pairs there are: none, one, …, or more.
const AMOUNTS: u32 = 8;
/// Number of features.
pub(super) const FEATURES: usize = (WORDS + PARTS + MEANINGS + 2 * AMOUNTS) as usize;
const LONGEST_PART: usize = 5;
/// Characters of a word of which parts are taken; longer ones are no words.
const LONGEST_WORD: usize = 64;

/// The features of a text that is folded and in lower case; none if there is
/// nothing in it. Each kind of them has the same norm.
pub(super) fn features(text: &str) -> Vector {
    let mut found: Vec<u32> = Vec::with_capacity(8 * text.len().min(4096));
    words(text, &mut found);
    if found.is_empty() {
        return Vector::default();
    }
    let meaning = Concepts::get().of(text);
    let meanings = WORDS + PARTS;
    found.extend(meaning.single.iter().map(|concept| meanings + u32::from(*concept)));
    found.extend(meaning.pairs.iter().map(|(first, second)| {
        meanings + MOST_CONCEPTS * (1 + u32::from(*first)) + u32::from(*second)
    }));
    found.sort_unstable();
    found.dedup();
    let mut x = Vector(Vec::with_capacity(found.len() + 2));
    let mut rest = found.as_slice();
    for end in [WORDS, meanings, u32::MAX] {
        let (kind, after) = rest.split_at(rest.partition_point(|feature| *feature < end));
        let value = KIND_WEIGHT / (kind.len().max(1) as f32).sqrt();
        x.0.extend(kind.iter().map(|feature| (*feature, value)));
        rest = after;
    }
    // Harmless prose has few concepts, or none.
    let amount = |count: usize| u32::try_from(count).unwrap_or(u32::MAX).min(AMOUNTS - 1);
    let amounts = meanings + MEANINGS;
    x.0.push((amounts + amount(meaning.single.len()), AMOUNT_WEIGHT));
    x.0.push((amounts + AMOUNTS + amount(meaning.pairs.len()), AMOUNT_WEIGHT));
    x
}

/// What a kind of features counts; the less, the more texts a weight needs to
/// become large.
const KIND_WEIGHT: f32 = 0.7;
/// What an amount counts.
const AMOUNT_WEIGHT: f32 = 0.35;

/// Collects words, pairs of neighbours and parts of words.
fn words(text: &str, found: &mut Vec<u32>) {
    let mut before = hash(SEED, u32::from('^'));
    let mut add = |word: u64| {
        found.push(bucket(word, WORDS));
        found.push(bucket(word ^ before.rotate_left(21), WORDS));
        before = word;
    };
    let mut runs: Vec<Vec<char>> = Vec::new();
    let mut run: Vec<char> = Vec::new();
    for c in text.chars().chain(std::iter::once(' ')) {
        if c.is_alphabetic() || is_mark(c) {
            run.push(c);
            continue;
        }
        // Whose number it is says nothing; that there is one may.
        if c.is_numeric() {
            if run.last() != Some(&'0') {
                run.push('0');
            }
            continue;
        }
        if !run.is_empty() {
            runs.push(std::mem::take(&mut run));
        }
        if !c.is_whitespace() {
            runs.push(vec![c]);
        }
    }
    for run in &runs {
        if run.first().is_some_and(|c| unspaced(*c)) {
            run.iter().for_each(|c| add(hash(SEED, u32::from(*c))));
        } else {
            add(run.iter().fold(SEED, |sum, c| hash(sum, u32::from(*c))));
        }
    }
    for run in &runs {
        parts(run, found);
    }
}

/// Parts of 2 to 5 characters of a word and the spaces round it.
fn parts(word: &[char], found: &mut Vec<u32>) {
    let word = &word[..word.len().min(LONGEST_WORD)];
    let padded = || std::iter::once(' ').chain(word.iter().copied()).chain(std::iter::once(' '));
    for start in 0..=word.len() {
        let mut sum = SEED;
        for (i, c) in padded().skip(start).take(LONGEST_PART).enumerate() {
            sum = hash(sum, u32::from(c));
            if i > 0 {
                found.push(WORDS + bucket(sum, PARTS));
            }
        }
    }
}

/// Marks of scripts in which vowels are marks.
fn is_mark(c: char) -> bool {
    matches!(u32::from(c), 0x900..=0xdff | 0xe31 | 0xe34..=0xe3a | 0xe47..=0xe4e | 0x64b..=0x65f | 0x3099 | 0x309a)
}

/// Scripts without spaces between words.
fn unspaced(c: char) -> bool {
    matches!(u32::from(c), 0xe00..=0xeff | 0x3040..=0x30ff | 0x3400..=0x9fff | 0x20000..=0x3ffff)
}

const SEED: u64 = 0xcbf2_9ce4_8422_2325;

fn hash(sum: u64, symbol: u32) -> u64 {
    (sum ^ u64::from(symbol)).wrapping_mul(0x0000_0100_0000_01b3)
}

/// FNV's upper bits depend on all of its input only after mixing.
fn bucket(sum: u64, buckets: u32) -> u32 {
    let mut mixed = (sum ^ (sum >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^= mixed >> 29;
    u32::try_from(mixed % u64::from(buckets)).expect("a bucket is below 2^17")
}

//! What the linear model sees of a text: hashed words and parts of words, and
//! what they mean.

use super::concepts::{self, Concepts};
use crate::understand::features::Vector;

/// Buckets of words and pairs of words.
const WORDS: u32 = 1 << 16;
/// Buckets of parts of words.
const PARTS: u32 = 1 << 17;
const MOST_CONCEPTS: u32 = concepts::MOST as u32;
/// Number of features.
pub(super) const FEATURES: usize = (WORDS + PARTS + MOST_CONCEPTS * (1 + MOST_CONCEPTS)) as usize;
const LONGEST_PART: usize = 5;
/// Characters of a word of which parts are taken; longer ones are no words.
const LONGEST_WORD: usize = 64;

/// The features of a text that is folded and in lower case. Each kind of them
/// has the norm 1, unless there are none.
pub(super) fn features(text: &str) -> Vector {
    let mut found: Vec<u32> = Vec::with_capacity(8 * text.len().min(4096));
    words(text, &mut found);
    let meaning = Concepts::get().of(text);
    let base = WORDS + PARTS;
    found.extend(meaning.single.iter().map(|concept| base + u32::from(*concept)));
    found.extend(meaning.pairs.iter().map(|(first, second)| {
        base + MOST_CONCEPTS * (1 + u32::from(*first)) + u32::from(*second)
    }));
    found.sort_unstable();
    found.dedup();
    let parts = found.partition_point(|feature| *feature < WORDS);
    let meanings = found.partition_point(|feature| *feature < base);
    let value = |count: usize, weight: f32| weight / (count.max(1) as f32).sqrt();
    let (of_word, of_part) = (value(parts, 1.0), value(meanings - parts, 1.0));
    let of_meaning = value(found.len() - meanings, 1.0);
    let weigh = |(i, feature): (usize, u32)| {
        let value = if i < parts {
            of_word
        } else if i < meanings {
            of_part
        } else {
            of_meaning
        };
        (feature, value)
    };
    Vector(found.into_iter().enumerate().map(weigh).collect())
}

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

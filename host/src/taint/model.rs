//! A linear model in a file: one small number for each feature.

use super::{THRESHOLD, features::FEATURES};
use crate::understand::features::Vector;

/// The first bytes of a file.
const MAGIC: &[u8; 8] = b"PSTNTNT1";
const HEADER: usize = MAGIC.len() + 4 * 4;
/// The logarithm of the odds of the threshold, 0.705.
const ODDS: f32 = 0.871_3;

/// Tells how hostile a text looks.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Model {
    weights: Vec<i8>,
    scale: f32,
    bias: f32,
    /// The margin from which on a text counts as hostile.
    pub(super) threshold: f32,
    /// How fast probabilities change with margins.
    pub(super) sharpness: f32,
}

/// A margin in the terms of an assessment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Score {
    pub(super) score: u8,
    pub(super) flagged: bool,
}

impl Model {
    /// Rounds weights to those of a file.
    pub(super) fn round(weights: &[f32], bias: f32) -> Self {
        let largest = weights.iter().fold(f32::MIN_POSITIVE, |most, w| most.max(w.abs()));
        let scale = largest / 127.0;
        let weights = weights.iter().map(|w| (w / scale).round() as i8).collect();
        Self { weights, scale, bias, threshold: 0.0, sharpness: 1.0 }
    }

    pub(super) fn with_sharpness(&self, sharpness: f32) -> Self {
        Self { weights: Vec::new(), sharpness, ..*self }
    }

    /// Reads a file; nothing if it is not one of this version.
    pub(super) fn read(file: &[u8]) -> Option<Self> {
        let (header, weights) = file.split_at_checked(HEADER)?;
        let number = |i: usize| {
            let at = MAGIC.len() + 4 * i;
            Some(f32::from_le_bytes(header.get(at..at + 4)?.try_into().ok()?))
        };
        let weights: Vec<i8> = weights.iter().map(|byte| byte.cast_signed()).collect();
        (header.starts_with(MAGIC) && weights.len() == FEATURES).then_some(Self {
            weights,
            scale: number(0)?,
            bias: number(1)?,
            threshold: number(2)?,
            sharpness: number(3)?,
        })
    }

    /// Writes a file.
    pub(super) fn write(&self) -> Vec<u8> {
        let numbers = [self.scale, self.bias, self.threshold, self.sharpness];
        let mut file = MAGIC.to_vec();
        file.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        file.extend(self.weights.iter().map(|weight| weight.cast_unsigned()));
        file
    }

    /// How far on the hostile side a text lies.
    pub(super) fn margin(&self, x: &Vector) -> f32 {
        let weigh =
            |(feature, value): &(u32, f32)| f32::from(self.weights[*feature as usize]) * value;
        x.0.iter().map(weigh).sum::<f32>() * self.scale + self.bias
    }

    /// How probable it is that a text is hostile, from 0 to 1.
    pub(super) fn probability(&self, margin: f32) -> f32 {
        let odds = self.sharpness * (margin - self.threshold) + ODDS;
        1.0 / (1.0 + (-odds).exp())
    }

    /// The probability in hundredths, on the threshold's side on which it is.
    pub(super) fn score(&self, margin: f32) -> Score {
        let flagged = margin >= self.threshold;
        let hundredths = (self.probability(margin) * 100.0).round() as u8;
        let score = if flagged { hundredths.max(THRESHOLD) } else { hundredths.min(THRESHOLD - 1) };
        Score { score: score.min(100), flagged }
    }
}

/// How much less a hostile part counts in a text that is harmless otherwise,
/// for each time that the text is e times as long: of many parts one looks
/// hostile by chance.
const RARITY: f32 = 0.3;
/// From so many times as long on, it counts no less.
const RAREST: f32 = 8.0;

/// The margin of a text by those of its parts: the highest mean of its most
/// hostile parts, less the rarer they are in it.
pub(super) fn overall(margins: &mut [f32]) -> f32 {
    margins.sort_unstable_by(|a, b| b.total_cmp(a));
    let all = margins.len() as f32;
    let mut sum = 0.0;
    let means = margins.iter().zip(1..).map(|(margin, count)| {
        sum += margin;
        let count = f32::from(u16::try_from(count).unwrap_or(u16::MAX));
        sum / count - RARITY * (all / count).clamp(1.0, RAREST).ln()
    });
    means.fold(f32::NEG_INFINITY, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> Model {
        let mut weights = vec![0.0; FEATURES];
        (weights[3], weights[7]) = (2.0, -1.0);
        Model { threshold: 0.25, sharpness: 4.0, ..Model::round(&weights, 0.5) }
    }

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let file = model().write();
        assert_eq!(Model::read(&file), Some(model()));
        assert_eq!(Model::read(&file[1..]), None);
        assert_eq!(Model::read(&file[..file.len() - 1]), None);
        assert_eq!(Model::read(b""), None);
    }

    #[test]
    fn weights_are_rounded_by_little() {
        let margin = model().margin(&Vector(vec![(3, 1.0), (7, 1.0)]));
        assert!((margin - 1.5).abs() < 0.02, "{margin}");
    }

    #[test]
    fn a_hostile_part_counts_less_in_a_long_harmless_text() {
        let among = |count: usize| {
            let mut margins = vec![-1.0; count];
            margins[0] = 1.0;
            overall(&mut margins)
        };
        assert!(among(1) == 1.0 && among(4) < 0.9 && among(4) > among(40));
        assert!(among(40) == among(10));
        assert_eq!(overall(&mut [0.5; 30]), 0.5);
        assert_eq!(overall(&mut []), f32::NEG_INFINITY);
    }

    #[test]
    fn what_is_flagged_is_above_the_threshold_of_rules() {
        let model = model();
        for i in -400_i16..400 {
            let score = model.score(f32::from(i) / 100.0);
            assert_eq!(score.flagged, score.score >= THRESHOLD);
        }
        assert_eq!(model.score(0.25), Score { score: THRESHOLD, flagged: true });
        assert_eq!(model.score(f32::NEG_INFINITY).score, 0);
        assert_eq!(model.score(f32::INFINITY).score, 100);
    }
}

//! What the margins of a classifier mean: how probable each intent is, and
//! when a message belongs to none of them.
//!
//! Both are learnt from held-out examples (stratified folds), because margins
//! of examples that a model was trained on flatter it.

use super::svm::Random;

/// The share of messages about a known intent that may be taken for something
/// else. Chosen instead of the best accuracy, which lets most foreign messages
/// through when an intent has few examples.
const REJECTED_IN_SCOPE: f64 = 0.05;
/// The same with so few examples that the lowest margins are single sentences.
const REJECTED_IN_SCOPE_OF_FEW: f64 = 0.10;
const FEW: usize = 100;
/// The share of meaningless messages that must be taken for something else …
const REJECTED_NOISE: f64 = 0.95;
/// … as long as no more than this share of real ones is.
const REJECTED_AT_MOST: f64 = 0.15;

/// Margins of one held-out example, and the number of its intent.
#[derive(Debug)]
pub(super) struct HeldOut {
    pub(super) margins: Vec<f32>,
    pub(super) intent: usize,
}

/// Number of folds: more where examples are few, so that a fold's model is
/// nearly the final one; fewer where training takes long.
pub(super) const fn number_of_folds(examples: usize) -> usize {
    match examples {
        0..=1_000 => 10,
        1_001..=5_000 => 5,
        _ => 3,
    }
}

/// Gives each example a fold, spreading every intent over the folds. The only
/// example of an intent has none: it is never held out.
pub(super) fn folds(intents: &[usize], count: usize) -> Vec<Option<usize>> {
    let mut by_intent: Vec<Vec<usize>> = Vec::new();
    for (example, &intent) in intents.iter().enumerate() {
        by_intent.resize_with(by_intent.len().max(intent + 1), Vec::new);
        by_intent[intent].push(example);
    }
    let mut random = Random::new();
    let mut fold_of = vec![None; intents.len()];
    let mut next = 0;
    for examples in by_intent.iter_mut().filter(|examples| examples.len() > 1) {
        random.shuffle(examples);
        for &mut example in examples {
            fold_of[example] = Some(next % count);
            next += 1;
        }
    }
    fold_of
}

/// Probabilities of all intents.
pub(super) fn probabilities(margins: &[f32], sharpness: f32) -> Vec<f32> {
    let highest = highest(margins);
    let mut shares: Vec<f32> =
        margins.iter().map(|margin| ((margin - highest) * sharpness).exp()).collect();
    let sum: f32 = shares.iter().sum();
    shares.iter_mut().for_each(|share| *share /= sum);
    shares
}

/// The highest margin.
pub(super) fn highest(margins: &[f32]) -> f32 {
    margins.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

/// The factor for margins (an inverse temperature) under which the held-out
/// examples are most probable.
pub(super) fn sharpness(held_out: &[HeldOut]) -> f32 {
    // Beyond these, a handful of examples would claim certainty or none.
    let (mut low, mut high) = (0.5_f32.ln(), 12.0_f32.ln());
    let loss = |exponent: f32| -> f64 {
        let sharpness = exponent.exp();
        held_out
            .iter()
            .map(|one| {
                let p = probabilities(&one.margins, sharpness)[one.intent];
                -f64::from(p.max(f32::MIN_POSITIVE)).ln()
            })
            .sum()
    };
    // The loss is convex in the factor, so thirds always enclose its minimum.
    for _ in 0..40 {
        let third = (high - low) / 3.0;
        if loss(low + third) <= loss(high - third) {
            high -= third;
        } else {
            low += third;
        }
    }
    f32::midpoint(low, high).exp()
}

/// The lowest margin of a message that is about one of the intents.
pub(super) fn threshold(held_out: &[HeldOut], noise: &[f32]) -> f32 {
    let mut in_scope: Vec<f32> = held_out.iter().map(|one| highest(&one.margins)).collect();
    in_scope.sort_by(f32::total_cmp);
    let mut noise = noise.to_vec();
    noise.sort_by(f32::total_cmp);
    let share = if in_scope.len() < FEW { REJECTED_IN_SCOPE_OF_FEW } else { REJECTED_IN_SCOPE };
    let wanted = quantile(&in_scope, share);
    let needed = quantile(&noise, REJECTED_NOISE).min(quantile(&in_scope, REJECTED_AT_MOST));
    wanted.max(needed)
}

fn quantile(sorted: &[f32], share: f64) -> f32 {
    let place = (sorted.len() as f64 * share) as usize;
    sorted.get(place.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f32::NEG_INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held_out(intent: usize, margins: &[f32]) -> HeldOut {
        HeldOut { margins: margins.to_vec(), intent }
    }

    #[test]
    fn every_intent_is_spread_over_the_folds() {
        let intents: Vec<usize> = (0..40).map(|i| i % 4).collect();
        let folds = folds(&intents, 10);
        for fold in 0..10 {
            let count = folds.iter().filter(|f| **f == Some(fold)).count();
            assert_eq!(count, 4, "fold {fold}");
        }
    }

    #[test]
    fn an_intents_only_example_is_never_held_out() {
        assert_eq!(folds(&[0, 1, 1], 10)[0], None);
    }

    #[test]
    fn right_held_out_examples_sharpen_and_wrong_ones_blunt() {
        let right: Vec<_> = (0..20).map(|_| held_out(0, &[0.5, -0.5])).collect();
        let half: Vec<_> = (0..20).map(|i| held_out(i % 2, &[0.5, -0.5])).collect();
        assert!(sharpness(&right) > 10.0);
        assert!(sharpness(&half) < 0.6);
    }

    #[test]
    fn probabilities_add_up_to_one_even_for_extreme_margins() {
        let sum: f32 = probabilities(&[900.0, -900.0, 899.0], 12.0).iter().sum();
        assert!((sum - 1.0).abs() < 1e-5);
    }

    #[test]
    fn noise_raises_the_threshold_but_not_past_the_bulk_of_real_messages() {
        let real: Vec<_> = (0_u8..100).map(|i| held_out(0, &[f32::from(i) / 100.0])).collect();
        assert!((threshold(&real, &[-1.0]) - 0.05).abs() < 1e-6);
        assert!((threshold(&real, &[0.1]) - 0.1).abs() < 1e-6);
        assert!((threshold(&real, &[0.9]) - 0.15).abs() < 1e-6);
    }
}

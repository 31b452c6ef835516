//! Linear support vector machines, one intent against the rest.
//!
//! Squared hinge loss, solved by dual coordinate descent (Hsieh et al., "A Dual
//! Coordinate Descent Method for Large-scale Linear SVM", ICML 2008, algorithm
//! 1 with the shrinking of section 3.2).

use super::features::Vector;

/// The weight of errors against the size of the weights.
const C: f32 = 1.0;
/// Training stops when no projected gradient is further from another.
const TOLERANCE: f32 = 0.1;
const MAX_ROUNDS: usize = 60;

/// Weights of one intent.
#[derive(Clone, Debug)]
pub(crate) struct Plane {
    pub(crate) weights: Vec<f32>,
    pub(crate) bias: f32,
}

/// Finds the plane that separates examples with `positive` from the others.
/// Features are below `width`.
pub(crate) fn separate(examples: &[Vector], positive: &[bool], width: usize) -> Plane {
    let mut plane = Plane { weights: vec![0.0; width], bias: 0.0 };
    let slack = 1.0 / (2.0 * C);
    let curvature: Vec<f32> = examples
        .iter()
        .map(|x| 1.0 + slack + x.0.iter().map(|(_, v)| v * v).sum::<f32>())
        .collect();
    let mut alpha = vec![0.0_f32; examples.len()];
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let mut active = order.len();
    let mut random = Random::new();
    let mut bound = f32::INFINITY;
    for _ in 0..MAX_ROUNDS {
        random.shuffle(&mut order[..active]);
        let (mut highest, mut lowest) = (f32::NEG_INFINITY, f32::INFINITY);
        let mut i = 0;
        while i < active {
            let n = order[i];
            let sign = if positive[n] { 1.0 } else { -1.0 };
            let gradient = sign * plane.margin(&examples[n]) - 1.0 + alpha[n] * slack;
            if alpha[n] == 0.0 && gradient > bound {
                active -= 1;
                order.swap(i, active);
                continue;
            }
            i += 1;
            let projected = if alpha[n] == 0.0 { gradient.min(0.0) } else { gradient };
            highest = highest.max(projected);
            lowest = lowest.min(projected);
            if projected.abs() > 1e-9 {
                let changed = (alpha[n] - gradient / curvature[n]).max(0.0);
                plane.add(&examples[n], (changed - alpha[n]) * sign);
                alpha[n] = changed;
            }
        }
        if highest - lowest <= TOLERANCE {
            if active == order.len() {
                break;
            }
            // What was set aside is looked at once more before the end.
            active = order.len();
            bound = f32::INFINITY;
        } else {
            bound = if highest > 0.0 { highest } else { f32::INFINITY };
        }
    }
    plane
}

impl Plane {
    /// How far on the positive side a message lies.
    pub(super) fn margin(&self, x: &Vector) -> f32 {
        let mut sum = self.bias;
        for &(feature, value) in &x.0 {
            sum += self.weights[feature as usize] * value;
        }
        sum
    }

    fn add(&mut self, x: &Vector, factor: f32) {
        for &(feature, value) in &x.0 {
            self.weights[feature as usize] += factor * value;
        }
        self.bias += factor;
    }
}

/// A fixed sequence (xorshift64*), so that the same examples always give the
/// same model.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new() -> Self {
        Self(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        ((high * n as u64) >> 32) as usize
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separable_examples_lie_on_their_sides_of_the_plane() {
        let examples: Vec<Vector> = (0_u8..40)
            .map(|i| {
                let x = f32::from(i % 8) / 8.0;
                Vector(if i % 2 == 0 { vec![(0, 1.0), (2, x)] } else { vec![(1, 1.0), (2, x)] })
            })
            .collect();
        let positive: Vec<bool> = (0..40).map(|i| i % 2 == 0).collect();
        let plane = separate(&examples, &positive, 3);
        for (x, positive) in examples.iter().zip(positive) {
            assert_eq!(plane.margin(x) > 0.5, positive);
            assert_eq!(plane.margin(x) < -0.5, !positive);
        }
    }

    #[test]
    fn contradictory_examples_end_at_no_margin_instead_of_never() {
        let examples = vec![Vector(vec![(0, 1.0)]); 10];
        let positive: Vec<bool> = (0..10).map(|i| i % 2 == 0).collect();
        assert!(separate(&examples, &positive, 1).margin(&examples[0]).abs() < 0.1);
    }

    #[test]
    fn a_shuffle_keeps_every_item() {
        let mut items: Vec<u32> = (0..100).collect();
        Random::new().shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}

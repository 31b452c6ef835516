//! The planes of all intents, stored by feature.

use super::{
    features::{FEATURES, Vector},
    svm::Plane,
};

/// Weights of fewer steps are noise: leaving them out saves a quarter of the
/// lists and moved no figure of the evaluation by more than 0.3 points.
const KEPT: u8 = 2;

/// Weights as whole steps of a scale for each intent. A message touches only
/// the lists of its own features, and small weights are gone.
#[derive(Clone, Debug)]
pub(super) struct Model {
    /// Where each feature's list starts; one more for the end of the last.
    starts: Vec<u32>,
    intents: Vec<u16>,
    weights: Vec<i8>,
    scales: Vec<f32>,
    biases: Vec<f32>,
}

impl Model {
    /// Collects the planes of all intents, in their order.
    pub(super) fn collect(planes: impl Iterator<Item = Plane>) -> Self {
        let mut entries: Vec<(u32, u16, i8)> = Vec::new();
        let (mut scales, mut biases) = (Vec::new(), Vec::new());
        for (intent, plane) in (0_u16..).zip(planes) {
            let largest = plane.weights.iter().fold(0.0_f32, |most, w| most.max(w.abs()));
            let scale = largest / f32::from(i8::MAX);
            if scale > 0.0 {
                for (feature, weight) in (0_u32..).zip(&plane.weights) {
                    // A ratio within ±127 by the choice of the scale.
                    let steps = (weight / scale).round() as i8;
                    if steps.unsigned_abs() >= KEPT {
                        entries.push((feature, intent, steps));
                    }
                }
            }
            scales.push(scale);
            biases.push(plane.bias);
        }
        entries.sort_unstable();
        let mut starts = Vec::with_capacity(FEATURES + 1);
        for (place, (feature, ..)) in (0_u32..).zip(&entries) {
            while starts.len() <= *feature as usize {
                starts.push(place);
            }
        }
        let end = u32::try_from(entries.len()).expect("intents and features are bounded");
        starts.resize(FEATURES + 1, end);
        Self {
            starts,
            intents: entries.iter().map(|entry| entry.1).collect(),
            weights: entries.iter().map(|entry| entry.2).collect(),
            scales,
            biases,
        }
    }

    /// The margin of each intent.
    pub(super) fn margins(&self, x: &Vector) -> Vec<f32> {
        let mut sums = vec![0.0_f32; self.scales.len()];
        for &(feature, value) in &x.0 {
            let feature = feature as usize;
            let list = self.starts[feature] as usize..self.starts[feature + 1] as usize;
            for (intent, weight) in self.intents[list.clone()].iter().zip(&self.weights[list]) {
                sums[usize::from(*intent)] += value * f32::from(*weight);
            }
        }
        sums.iter().zip(&self.scales).zip(&self.biases).map(|((sum, s), b)| sum * s + b).collect()
    }

    /// Bytes of memory that it takes.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        4 * self.starts.len() + 3 * self.weights.len() + 8 * self.scales.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_are_those_of_the_planes_up_to_the_rounding() {
        let mut weights = vec![0.0; FEATURES];
        weights[7] = 1.0;
        weights[FEATURES - 1] = -0.3;
        let plane = Plane { weights, bias: 0.25 };
        let x = Vector(vec![(7, 0.5), (8, 9.0), (131_071, 0.5)]);
        let exact = plane.margin(&x);
        let flat = Plane { weights: vec![0.0; FEATURES], bias: -1.0 };
        let margins = Model::collect([flat, plane].into_iter()).margins(&x);
        assert!((margins[0] + 1.0).abs() < 1e-6);
        assert!((margins[1] - exact).abs() < 0.005, "{} for {exact}", margins[1]);
    }
}

//! Random numbers that follow from the invocation, so that it can be run again.

use chacha20::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};
use wasmtime::component::HasData;
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};

/// Bytes that a guest gets at a time.
const MOST_BYTES: u64 = 64 << 10;

/// The generators of one invocation, made when they are first asked.
pub(super) struct Random {
    seed: [u8; 32],
    secure: Option<Box<ChaCha20Rng>>,
    insecure: Option<Box<ChaCha20Rng>>,
}

/// Says that the bindings work on a [`Random`].
pub(super) struct Randoms;

impl HasData for Randoms {
    type Data<'a> = &'a mut Random;
}

impl Random {
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self { seed, secure: None, insecure: None }
    }

    fn secure(&mut self) -> &mut ChaCha20Rng {
        self.secure.get_or_insert_with(|| Box::new(stream(self.seed, 0)))
    }

    fn insecure(&mut self) -> &mut ChaCha20Rng {
        self.insecure.get_or_insert_with(|| Box::new(stream(self.seed, 1)))
    }
}

/// One key, a stream for each use: what a guest sees of one tells nothing of
/// another.
fn stream(seed: [u8; 32], number: u64) -> ChaCha20Rng {
    let mut random = ChaCha20Rng::from_seed(seed);
    random.set_stream(number);
    random
}

fn bytes(random: &mut ChaCha20Rng, length: u64) -> wasmtime::Result<Vec<u8>> {
    if length > MOST_BYTES {
        return Err(wasmtime::Error::msg(format!(
            "{length} random bytes were asked for at a time; at most {MOST_BYTES}"
        )));
    }
    let mut bytes = vec![0; usize::try_from(length)?];
    random.fill_bytes(&mut bytes);
    Ok(bytes)
}

impl random::Host for Random {
    fn get_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        bytes(self.secure(), length)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.secure().next_u64())
    }
}

impl insecure::Host for Random {
    fn get_insecure_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        bytes(self.insecure(), length)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.insecure().next_u64())
    }
}

impl insecure_seed::Host for Random {
    /// The same each time, as WASI allows and a run again needs.
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        let mut random = stream(self.seed, 2);
        Ok((random.next_u64(), random.next_u64()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use insecure::Host as _;
    use insecure_seed::Host as _;
    use random::Host as _;

    #[test]
    fn numbers_follow_from_the_seed_and_each_use_has_its_own() {
        let seen = |seed: u8| {
            let mut random = Random::new([seed; 32]);
            let secure = random.get_random_u64().unwrap();
            let insecure = random.get_insecure_random_u64().unwrap();
            let (seed, more) = random.insecure_seed().unwrap();
            assert_eq!((seed, more), random.insecure_seed().unwrap());
            [secure, insecure, seed, more, random.get_random_u64().unwrap()]
        };
        let first = seen(1);
        assert_eq!(first, seen(1));
        let mut all = [first, seen(2)].concat();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 10);
    }

    #[test]
    fn no_more_bytes_are_made_than_is_sensible() {
        let mut random = Random::new([0; 32]);
        assert_eq!(random.get_random_bytes(MOST_BYTES).unwrap().len(), 64 << 10);
        assert!(random.get_random_bytes(MOST_BYTES + 1).is_err());
        assert!(random.get_insecure_random_bytes(u64::MAX).is_err());
    }
}

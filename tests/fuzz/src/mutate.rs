//! Small damage to bytes.

use fastrand::Rng;

/// Numbers at which readers go wrong.
const EDGES: [u64; 12] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0xffff_ffff_ffff_ffff,
];

/// Damages bytes a few times; `other` is where foreign pieces come from and
/// `words` are pieces that mean something to the reader.
pub(crate) fn mutate(random: &mut Rng, bytes: &mut Vec<u8>, other: &[u8], words: &[&[u8]]) {
    for _ in 0..1 << random.u32(0..5) {
        once(random, bytes, other, words);
    }
}

fn once(random: &mut Rng, bytes: &mut Vec<u8>, other: &[u8], words: &[&[u8]]) {
    let at = random.usize(..=bytes.len());
    let piece = |random: &mut Rng, from: &[u8]| {
        let start = random.usize(..=from.len());
        let end = (start + random.usize(..64)).min(from.len());
        from[start..end].to_vec()
    };
    let end = |random: &mut Rng, length: usize| (at + random.usize(..32)).min(length);
    match random.u8(..10) {
        0 | 1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.u8(..8);
            }
        }
        2 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random.u8(..);
            }
        }
        3 => bytes.truncate(at),
        4 => {
            let end = end(random, bytes.len());
            bytes.drain(at..end);
        }
        5 => {
            let piece = piece(random, other);
            bytes.splice(at..at, piece);
        }
        6 => {
            let piece = piece(random, bytes);
            bytes.splice(at..at, piece);
        }
        7 => {
            let edge = EDGES[random.usize(..EDGES.len())];
            let edge = if random.bool() { leb128(edge) } else { edge.to_le_bytes().to_vec() };
            let end = end(random, bytes.len()).min(at + edge.len());
            bytes.splice(at..end, edge);
        }
        8 => {
            let piece = piece(random, other);
            let end = (at + piece.len()).min(bytes.len());
            bytes.splice(at..end, piece);
        }
        _ => {
            if let Some(word) = random.choice(words) {
                bytes.splice(at..at, word.iter().copied());
            }
        }
    }
}

/// A number as WebAssembly writes it: seven bits a byte, the lowest first.
pub(crate) fn leb128(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// So many random bytes, for what is generated from them.
pub(crate) fn noise(random: &mut Rng, least: usize, most: usize) -> Vec<u8> {
    let length = random.usize(least..=most);
    std::iter::repeat_with(|| random.u8(..)).take(length).collect()
}

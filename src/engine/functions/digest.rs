//! Hashes that no dependency of the engine has: SHA-1 (RFC 3174), HMAC (RFC 2104), CRC-32, xxHash64.

use std::sync::LazyLock;

/// The SHA-1 of `data`.
pub(super) fn sha1(data: &[u8]) -> Vec<u8> {
    let mut state: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    let (blocks, rest) = data.as_chunks::<64>();
    for block in blocks {
        sha1_block(&mut state, block);
    }
    // What is left, a bit that is set, zeros, and the length in bits fill one block or two.
    let mut last = rest.to_vec();
    last.push(0x80);
    let filled = if last.len() > 56 { 120 } else { 56 };
    last.resize(filled, 0);
    let bits = u64::try_from(data.len()).unwrap_or_default().wrapping_mul(8);
    last.extend(bits.to_be_bytes());
    for block in last.as_chunks::<64>().0 {
        sha1_block(&mut state, block);
    }
    state.iter().flat_map(|word| word.to_be_bytes()).collect()
}

#[expect(clippy::many_single_char_names, reason = "the names of the standard")]
fn sha1_block(state: &mut [u32; 5], block: &[u8; 64]) {
    // A ring of the last sixteen words.
    let mut words: std::collections::VecDeque<u32> =
        block.as_chunks::<4>().0.iter().map(|word| u32::from_be_bytes(*word)).collect();
    let [mut a, mut b, mut c, mut d, mut e] = *state;
    for round in 0..80 {
        let word = |back: usize| words.get(back).copied().unwrap_or_default();
        let next = (word(13) ^ word(8) ^ word(2) ^ word(0)).rotate_left(1);
        let (mixed, constant) = match round {
            0..20 => ((b & c) | (!b & d), 0x5a82_7999),
            20..40 => (b ^ c ^ d, 0x6ed9_eba1),
            40..60 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6_u32),
        };
        let sum = a
            .rotate_left(5)
            .wrapping_add(mixed)
            .wrapping_add(e)
            .wrapping_add(constant)
            .wrapping_add(word(0));
        (e, d, c, b, a) = (d, c, b.rotate_left(30), a, sum);
        words.pop_front();
        words.push_back(next);
    }
    for (word, add) in state.iter_mut().zip([a, b, c, d, e]) {
        *word = word.wrapping_add(add);
    }
}

/// The HMAC of `data` with `key`, for a hash that works on blocks of `block` bytes.
pub(super) fn hmac(hash: fn(&[u8]) -> Vec<u8>, block: usize, data: &[u8], key: &[u8]) -> Vec<u8> {
    let mut key = if key.len() > block { hash(key) } else { key.to_vec() };
    key.resize(block, 0);
    let keyed = |pad: u8, data: &[u8]| {
        let mut all: Vec<u8> = key.iter().map(|byte| byte ^ pad).collect();
        all.extend_from_slice(data);
        hash(&all)
    };
    keyed(0x5c, &keyed(0x36, data))
}

/// The CRC-32 of each byte (the reversed polynomial of Ethernet and zlib).
static BYTES: LazyLock<[u32; 256]> = LazyLock::new(|| {
    let bit = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    let mut byte = 0_u32..;
    std::array::from_fn(|_| (0..8).fold(byte.next().unwrap_or_default(), bit))
});

/// The CRC-32 of `data`.
pub(super) fn crc32(data: &[u8]) -> u32 {
    let table = &*BYTES;
    let crc = data.iter().fold(u32::MAX, |crc, byte| {
        let [low, ..] = crc.to_le_bytes();
        table.get(usize::from(low ^ byte)).copied().unwrap_or_default() ^ (crc >> 8)
    });
    !crc
}

const PRIMES: [u64; 5] = [
    0x9e37_79b1_85eb_ca87,
    0xc2b2_ae3d_27d4_eb4f,
    0x1656_67b1_9e37_79f9,
    0x85eb_ca77_c2b2_ae63,
    0x27d4_eb2f_1656_67c5,
];

/// The xxHash64 of `data` with seed 0.
pub(super) fn xxhash64(data: &[u8]) -> u64 {
    let [one, two, three, four, five] = PRIMES;
    let round = |lane: u64, word: u64| {
        lane.wrapping_add(word.wrapping_mul(two)).rotate_left(31).wrapping_mul(one)
    };
    let (stripes, mut rest) = data.as_chunks::<32>();
    let mut hash = five;
    if !stripes.is_empty() {
        let mut lanes = [one.wrapping_add(two), two, 0, one.wrapping_neg()];
        for stripe in stripes {
            for (lane, word) in lanes.iter_mut().zip(stripe.as_chunks::<8>().0) {
                *lane = round(*lane, u64::from_le_bytes(*word));
            }
        }
        let turns = [1, 7, 12, 18];
        let turned = lanes.iter().zip(turns).map(|(lane, turn)| lane.rotate_left(turn));
        hash = turned.fold(0, u64::wrapping_add);
        for lane in lanes {
            hash = (hash ^ round(0, lane)).wrapping_mul(one).wrapping_add(four);
        }
    }
    hash = hash.wrapping_add(u64::try_from(data.len()).unwrap_or_default());
    while let Some((word, after)) = rest.split_first_chunk::<8>() {
        hash ^= round(0, u64::from_le_bytes(*word));
        hash = hash.rotate_left(27).wrapping_mul(one).wrapping_add(four);
        rest = after;
    }
    if let Some((word, after)) = rest.split_first_chunk::<4>() {
        hash ^= u64::from(u32::from_le_bytes(*word)).wrapping_mul(one);
        hash = hash.rotate_left(23).wrapping_mul(two).wrapping_add(three);
        rest = after;
    }
    for byte in rest {
        hash ^= u64::from(*byte).wrapping_mul(five);
        hash = hash.rotate_left(11).wrapping_mul(one);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(two);
    hash = (hash ^ (hash >> 29)).wrapping_mul(three);
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap();
        bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
    }

    #[test]
    fn sha1_is_that_of_its_standard() {
        assert_eq!(hex(&sha1(b"")), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        assert_eq!(hex(&sha1(b"abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
        let two = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        assert_eq!(hex(&sha1(two)), "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
        let million = vec![b'a'; 1_000_000];
        assert_eq!(hex(&sha1(&million)), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
    }

    #[test]
    fn hmac_is_that_of_its_standard() {
        let told = hmac(sha1, 64, b"what do ya want for nothing?", b"Jefe");
        assert_eq!(hex(&told), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    }

    #[test]
    fn crc32_is_that_of_zlib() {
        assert_eq!(crc32(b""), 0);
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn xxhash64_is_that_of_its_specification() {
        assert_eq!(xxhash64(b""), 0xef46_db37_51d8_e999);
        assert_eq!(xxhash64(b"a"), 0xd24e_c4f1_a98c_6e5b);
        assert_eq!(xxhash64(b"abc"), 0x44bc_2cf5_ad77_0999);
    }
}

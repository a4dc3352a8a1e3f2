//! Whatever bytes come in: an error that names the type, or a value that goes out as it came in. Never a panic.

use proptest::prelude::*;

use crate::golden::{Echo, tuples, tuples_with_links};

fn all() -> Vec<(&'static str, Vec<u8>, Echo)> {
    tuples().into_iter().chain(tuples_with_links()).collect()
}

fn check(name: &str, echo: Echo, bytes: &[u8]) {
    match echo(bytes) {
        Ok(written) => assert_eq!(written, bytes, "{name}"),
        Err(e) => {
            assert!(e.offset <= bytes.len() && e.to_string().len() < 300, "{name}: {e}");
        }
    }
}

#[test]
fn every_bit_matters() {
    for (name, bytes, echo) in all() {
        for at in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[at / 8] ^= 1 << (at % 8);
            check(name, echo, &changed);
        }
    }
}

#[test]
fn errors_name_the_field() {
    for (name, bytes, echo) in all() {
        // A map where the first field stands.
        if bytes[0] >> 5 == 4 {
            let e = echo(&[bytes[0], 0xa0]).unwrap_err();
            assert!(e.path.contains('.'), "{name}: {e}");
        }
    }
}

#[test]
fn lying_lengths_take_no_memory() {
    for (name, bytes, echo) in all() {
        for at in 0..bytes.len() {
            // The longest list, byte string and text that a head can claim.
            for head in [0x9bu8, 0x5b, 0x7b] {
                let lying = [&bytes[..at], &[head], &[0xff; 8]].concat();
                check(name, echo, &lying);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn garbage(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        for (name, _, echo) in all() {
            check(name, echo, &bytes);
        }
    }

    #[test]
    fn garbage_behind_a_good_start(at: usize, bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        for (name, good, echo) in all() {
            check(name, echo, &[&good[..at % good.len()], &bytes].concat());
        }
    }
}

#[test]
fn sixty_four_kilobytes_of_garbage() {
    for fill in [0x00u8, 0x80, 0x81, 0x9f, 0xff, 0x40, 0xf6] {
        for (name, _, echo) in all() {
            check(name, echo, &[fill; 64 << 10]);
        }
    }
}

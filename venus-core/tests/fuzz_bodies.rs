//! The bodies of the fuzz targets, on input that is generated here: valid, mutated, hostile and random.
//!
//! No panic, no value that is written otherwise, errors that name the field, and memory within a small multiple of
//! the input, which a counting allocator measures.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(unsafe_code, reason = "an allocator that counts")]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::{Value, json};
use venus_core::testing::fuzz::{self, API_TYPES, PARAMS, Seed, TARGETS, Target, Type};

/// Counts what the current thread holds, so that tests beside it do not disturb.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

/// A thread that is being torn down has no counters any more; nothing is measured there.
fn count(by: isize) {
    let held = HELD.try_with(|held| {
        held.set(held.get() + by);
        held.get()
    });
    let _ = held.map(|held| PEAK.try_with(|peak| peak.set(peak.get().max(held))));
}

// SAFETY: everything is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // The old and the new block may stand side by side for a moment.
        count(size as isize);
        count(-(layout.size() as isize));
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Most bytes that a thread held at once while `f` ran, beyond what it held before.
fn peak_of<R>(f: impl FnOnce() -> R) -> (R, usize) {
    let before = HELD.get();
    PEAK.set(before);
    let result = f();
    (result, (PEAK.get() - before).max(0) as usize)
}

/// Memory of a decoder for each byte of its input. The worst is a list of `{}`: three bytes become an entry of
/// 130, in a list that doubles as it grows.
const TIMES: usize = 80;
/// What an error text and small tables cost, however short the input.
const CONSTANT: usize = 64 << 10;

/// Runs a target. It writes and reads again what it decoded, within the memory that a decoder may take.
#[track_caller]
fn run(target: &Target, bytes: &[u8]) -> bool {
    measured(target.name, target.check, bytes)
}

/// Checks a type, and its decoder's memory.
#[track_caller]
fn run_type(ty: &Type, bytes: &[u8]) -> bool {
    let taken = measured(ty.name, ty.decode, bytes);
    assert_eq!((ty.check)(bytes), taken);
    taken
}

#[track_caller]
fn measured(name: &str, f: fn(&[u8]) -> bool, bytes: &[u8]) -> bool {
    let (taken, peak) = peak_of(|| f(bytes));
    let len = bytes.len();
    assert!(peak <= TIMES * len + CONSTANT, "{name}: {peak} bytes of memory for {len} of input");
    taken
}

fn target(name: &str) -> &'static Target {
    TARGETS.iter().find(|target| target.name == name).unwrap_or_else(|| panic!("{name}"))
}

/// Samples of the crate's types, and texts for the targets that read text.
static SEEDS: LazyLock<Vec<Seed>> = LazyLock::new(|| {
    let samples = common::text("api_types.jsonl") + &common::text("gateway_types.jsonl");
    let mut seeds = fuzz::seeds(&samples).unwrap();
    let texts: [(&str, &[&str]); 4] = [
        (
            "address_text",
            &[
                "f01000",
                "t17rmoshisxovfjkrox2gpryaupmsalzy2tlaluiq",
                "f410fnz6o7a4owcgw33z2zvsxtuf64aoxlmcn4dh5hzy",
            ],
        ),
        ("amount_text", &["0", "1.5", "1 FIL", "100 nanofil", "-3 attoFIL"]),
        (
            "rpc_frame",
            &[
                r#"{"jsonrpc":"2.0","id":1,"method":"Filecoin.ChainHead","params":[],"meta":{"SpanContext":"AA"}}"#,
                r#"{"jsonrpc":"2.0","method":"xrpc.ch.val","params":[1,{"Type":"apply"}]}"#,
                r#"{"jsonrpc":"2.0","id":"x","error":{"code":1,"message":"no","meta":{"a":1},"data":{"kind":"not_found","retry_after_ms":5}}}"#,
                r#"{"error":{"code":-32601,"message":"method not found","data":[1]},"id":2.5}"#,
            ],
        ),
        (
            "api_info",
            &[
                "eyJ.eyJ.x:/ip4/1.2.3.4/tcp/3453/http/version/v1",
                "/dns/gw/tcp/45132/wss",
                "token:wss://h:1/rpc/v1",
                "http://[::1]:1",
            ],
        ),
    ];
    for (name, texts) in texts {
        let name = target(name).name;
        seeds.extend(texts.iter().map(|text| Seed {
            target: name,
            ty: name.into(),
            bytes: text.as_bytes().into(),
        }));
    }
    seeds
});

#[test]
fn every_target_takes_its_seeds() {
    for seed in SEEDS.iter() {
        assert!(run(target(seed.target), &seed.bytes), "{} {}", seed.target, seed.ty);
    }
    let seeded: BTreeSet<&str> = SEEDS.iter().map(|seed| seed.target).collect();
    assert_eq!(seeded.len(), TARGETS.len());
    let json: BTreeSet<&str> =
        SEEDS.iter().filter(|s| s.target == "json_api_types").map(|s| &*s.ty).collect();
    let sampled = common::text("api_types.jsonl");
    let sampled = sampled.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    for sample in sampled {
        assert!(
            json.contains(sample["type"].as_str().unwrap()),
            "{} has samples, but no target",
            sample["type"]
        );
    }
    let bare: Vec<_> = API_TYPES.iter().map(|ty| ty.name).filter(|name| !json.contains(name)).collect();
    assert_eq!(bare, ["TipsetKey"], "types without a sample of their own");
    assert!(
        SEEDS.iter().filter(|s| s.target == "cbor_params").map(|s| &s.ty).collect::<BTreeSet<_>>().len()
            >= 12
    );
}

#[test]
fn every_target_has_its_fuzz_program() {
    let folder = format!("{}/fuzz", env!("CARGO_MANIFEST_DIR"));
    // A package has no fuzz folder; a checkout has one.
    let manifest = std::fs::read_to_string(format!("{folder}/Cargo.toml")).unwrap();
    for target in TARGETS {
        let program = std::fs::read_to_string(format!("{folder}/fuzz_targets/{}.rs", target.name)).unwrap();
        assert!(program.contains(&format!("venus_core::testing::fuzz::{}(bytes)", target.name)));
        assert!(manifest.contains(&format!("name = \"{}\"", target.name)));
    }
}

/// Repeats `unit` to 64 KiB.
fn full(unit: &[u8]) -> Vec<u8> {
    unit.iter().copied().cycle().take(64 << 10).collect()
}

fn nested(open: &str, close: &str) -> Vec<u8> {
    format!("{}{}", open.repeat(10_000), close.repeat(10_000)).into_bytes()
}

#[test]
fn long_garbage_and_deep_nesting() {
    let mut inputs: Vec<Vec<u8>> = (0..=255).map(|byte| full(&[byte])).collect();
    inputs.extend(
        [
            "{}",
            "[]",
            "[{},",
            "{\"Cids\":[",
            "[[",
            "null,",
            "[null,null,",
            "\\u0000",
            "\"\\",
            "é",
            "1e9",
            "f0",
            "/ip4",
            "a:",
            "1,",
        ]
        .map(|unit| full(unit.as_bytes())),
    );
    inputs.extend([
        nested("[", "]"),
        nested("{\"a\":", "}"),
        nested("{\"Blocks\":[", "]}"),
        nested("{\"error\":", "}"),
        // Texts where something else should be.
        format!("\"{}\"", "x".repeat(64 << 10)).into_bytes(),
        format!("{{\"error\":\"{}\"}}", "x".repeat(64 << 10)).into_bytes(),
    ]);
    inputs.extend([0x81u8, 0x82, 0x84, 0x8a, 0x90, 0xa1, 0xc1, 0x9f].map(|head| vec![head; 10_000]));
    for input in &inputs {
        TARGETS.iter().for_each(|target| _ = run(target, input));
        PARAMS.iter().chain(API_TYPES).for_each(|ty| _ = run_type(ty, input));
    }
}

#[test]
fn lists_of_the_cheapest_members() {
    // As many members as fit: `{}`, `null`, `0`, `""` and `[]` may be whole values of a member's type.
    for seed in SEEDS.iter().filter(|seed| seed.target == "json_api_types") {
        let ty = &API_TYPES[usize::from(seed.bytes[0])];
        let value: Value = serde_json::from_slice(&seed.bytes[1..]).unwrap();
        for unit in ["{}", "null", "0", "\"\"", "[]", "\"AA==\"", "{\"/\":\"bafkqaaa\"}"] {
            let list = format!("[{}]", vec![unit; (16 << 10) / (unit.len() + 1)].join(","));
            measured(ty.name, ty.decode, list.as_bytes());
            for at in pointers(&value) {
                measured(ty.name, ty.decode, replaced(&value, &at, &list).as_bytes());
            }
        }
    }
}

/// Every place in a value, as JSON pointers, in lists only the first.
fn pointers(value: &Value) -> Vec<String> {
    let below = |key: &str, value: &Value| -> Vec<String> {
        let key = key.replace('~', "~0").replace('/', "~1");
        std::iter::once(String::new()).chain(pointers(value)).map(|rest| format!("/{key}{rest}")).collect()
    };
    match value {
        Value::Object(members) => members.iter().flat_map(|(key, value)| below(key, value)).collect(),
        Value::Array(items) => items.iter().take(1).flat_map(|value| below("0", value)).collect(),
        _ => Vec::new(),
    }
}

fn replaced(value: &Value, at: &str, text: &str) -> String {
    let mut value = value.clone();
    *value.pointer_mut(at).unwrap() = json!("PLACE");
    value.to_string().replacen("\"PLACE\"", text, 1)
}

#[test]
fn members_that_stand_twice_and_numbers_that_are_none() {
    for seed in SEEDS.iter().filter(|seed| seed.target == "json_api_types") {
        let ty = &API_TYPES[usize::from(seed.bytes[0])];
        let text = std::str::from_utf8(&seed.bytes[1..]).unwrap();
        let value: Value = serde_json::from_str(text).unwrap();
        for at in pointers(&value) {
            for junk in [
                "NaN",
                "Infinity",
                "-Infinity",
                "1e400",
                "\"NaN\"",
                "-1",
                "1.5",
                "18446744073709551616",
                "\"x01000\"",
                "\"f0\u{ff10}\"",
                "{\"/\":\"bafy\"}",
                "[[[]]]",
                "true",
            ] {
                run_type(ty, replaced(&value, &at, junk).as_bytes());
            }
        }
        if let Some(inner) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            assert!(!run_type(ty, format!("{{{inner},{inner}}}").as_bytes()), "{} twice", seed.ty);
        }
    }
}

#[test]
fn lying_lengths_take_no_memory() {
    let heads: [&[u8]; 9] = [
        &[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        &[0x5a, 0x7f, 0xff, 0xff, 0xff],
        &[0x5a, 0x00, 0x1f, 0xff, 0xff],
        &[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        &[0x9b, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x20, 0x00],
        &[0x99, 0x20, 0x00],
        &[0xb9, 0x20, 0x00],
        &[0x79, 0xff, 0xff],
        &[0xf9, 0x7e, 0x00],
    ];
    for seed in SEEDS.iter().filter(|seed| seed.target.starts_with("cbor_")) {
        for at in 0..seed.bytes.len() {
            for head in heads {
                run(target(seed.target), &[&seed.bytes[..at], head, &seed.bytes[at + 1..]].concat());
            }
        }
    }
}

/// A seed, with bytes changed, removed, added, doubled or cut off.
fn mutated() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let edit = (any::<Index>(), any::<Index>(), any::<u8>(), 0u8..6);
    (any::<Index>(), vec(edit, 1..8)).prop_map(|(seed, edits)| {
        let seed = seed.get(&SEEDS);
        let mut bytes = seed.bytes.clone();
        for (at, to, byte, edit) in edits {
            let at = at.index(bytes.len() + 1);
            let end = at + to.index(bytes.len() - at + 1);
            match edit {
                0 if at < bytes.len() => bytes[at] = byte,
                1 if at < bytes.len() => drop(bytes.remove(at)),
                2 => bytes.insert(at, byte),
                3 => bytes.extend_from_within(at..end),
                4 => drop(bytes.drain(at..end.min(at + 16))),
                _ => bytes.truncate(end),
            }
        }
        (seed.target, bytes)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn mutated_seeds((name, bytes) in mutated()) {
        run(target(name), &bytes);
    }

    #[test]
    fn random_bytes(bytes in vec(any::<u8>(), 0..400)) {
        TARGETS.iter().for_each(|target| _ = run(target, &bytes));
    }

    #[test]
    fn random_text(text in "\\PC{0,120}") {
        TARGETS.iter().for_each(|target| _ = run(target, text.as_bytes()));
    }
}

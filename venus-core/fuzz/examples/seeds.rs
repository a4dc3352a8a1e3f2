//! Writes the samples of the crate's tests as corpora: `corpus/<target>/<type>-<n>`.
//!
//! An example, because `cargo fuzz` takes every binary for a target.

use std::{collections::HashMap, error::Error, fs, path::Path};

use venus_core::testing::fuzz;

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| fs::read_to_string(root.join("../tests/data").join(name));
    let samples = read("api_types.jsonl")? + &read("gateway_types.jsonl")?;
    let mut counts = HashMap::new();
    for seed in fuzz::seeds(&samples)? {
        let folder = root.join("corpus").join(seed.target);
        let count: &mut u32 = counts.entry((seed.target, seed.ty.clone())).or_default();
        *count += 1;
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("{}-{count}", seed.ty)), seed.bytes)?;
    }
    println!("{} seeds of {} kinds", counts.values().sum::<u32>(), counts.len());
    Ok(())
}

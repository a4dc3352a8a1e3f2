#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! JSON of recorded tipsets, both directions.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::Value;
use venus_core::types::{BlockHeader, Tipset};

/// The recorded tipset with the most blocks, as a node writes it.
fn tipset() -> String {
    let chain: Value = serde_json::from_str(include_str!("../tests/data/lotus_chain.json")).unwrap();
    let recorded = chain["tipsets"].as_array().unwrap();
    let most = recorded.iter().max_by_key(|tipset| tipset["blocks"].as_array().unwrap().len()).unwrap();
    let blocks = most["blocks"].as_array().unwrap().iter();
    let headers: Vec<BlockHeader> =
        blocks.map(|block| serde_json::from_value(block["header"].clone()).unwrap()).collect();
    serde_json::to_string(&Tipset::new(headers).unwrap()).unwrap()
}

fn tipsets(c: &mut Criterion) {
    let json = tipset();
    let tipset: Tipset = serde_json::from_str(&json).unwrap();
    let mut group = c.benchmark_group("tipset");
    group.throughput(Throughput::Bytes(json.len() as u64));
    group.bench_function("read", |b| b.iter(|| serde_json::from_str::<Tipset>(black_box(&json)).unwrap()));
    group.bench_function("write", |b| b.iter(|| serde_json::to_string(black_box(&tipset)).unwrap()));
    group.finish();
}

criterion_group!(benches, tipsets);
criterion_main!(benches);

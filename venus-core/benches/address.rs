#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! Texts of addresses, one by one and a thousand at once.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use venus_core::types::{Address, Network, address};

fn kinds() -> [(&'static str, Address); 5] {
    [
        ("f0", Address::new_id(1_234_567)),
        ("f1", Address::new_secp256k1(&[7; 65]).unwrap()),
        ("f2", Address::new_actor(&[7; 32])),
        ("f3", Address::new_bls(&[7; 48]).unwrap()),
        ("f4", Address::new_delegated(10, &[7; 20]).unwrap()),
    ]
}

fn one_by_one(c: &mut Criterion) {
    for (kind, address) in kinds() {
        let text = address::format(&address, Network::Mainnet);
        c.bench_function(&format!("parse {kind}"), |b| b.iter(|| address::parse(black_box(&text)).unwrap()));
        c.bench_function(&format!("print {kind}"), |b| {
            b.iter(|| address::format(black_box(&address), Network::Mainnet))
        });
    }
}

fn thousand(c: &mut Criterion) {
    let addresses: Vec<Address> =
        kinds().into_iter().map(|(_, address)| address).cycle().take(1000).collect();
    let texts = address::format_many(&addresses, Network::Mainnet);
    let mut group = c.benchmark_group("1000 at once");
    group.throughput(Throughput::Elements(1000));
    group.bench_function("parse", |b| b.iter(|| address::parse_many(black_box(&texts))));
    group.bench_function("print", |b| {
        b.iter(|| address::format_many(black_box(&addresses), Network::Mainnet))
    });
    group.finish();
}

criterion_group!(benches, one_by_one, thousand);
criterion_main!(benches);

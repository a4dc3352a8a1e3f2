#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! CBOR and CIDs of messages and headers.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use serde_json::Value;
use venus_core::cbor::{Decode, Encode};
use venus_core::types::{
    Address, BlockHeader, Message, MessageExt, RawBytes, SignedMessage, TokenAmount, cids_of,
};

fn message(params: usize) -> Message {
    Message {
        version: 0,
        to: Address::new_id(1000),
        from: Address::new_secp256k1(&[7; 65]).unwrap(),
        sequence: 4711,
        value: TokenAmount::from_nano(1_000_000_007),
        method_num: 5,
        params: RawBytes::new(vec![9; params]),
        gas_limit: 20_000_000,
        gas_fee_cap: TokenAmount::from_atto(101_234),
        gas_premium: TokenAmount::from_atto(99_000),
    }
}

fn messages(c: &mut Criterion) {
    for params in [0, 200, 2000] {
        let message = message(params);
        let cbor = message.to_cbor();
        let mut group = c.benchmark_group(format!("message with {params} bytes of parameters"));
        group.throughput(Throughput::Bytes(cbor.len() as u64));
        group.bench_function("cid", |b| b.iter(|| black_box(&message).cid()));
        group.bench_function("encode", |b| b.iter(|| black_box(&message).to_cbor()));
        group.bench_function("decode", |b| b.iter(|| Message::from_cbor(black_box(&cbor)).unwrap()));
        group.finish();
    }
    let many: Vec<Message> = (0..1000).map(|n| message(n % 300)).collect();
    c.bench_function("CIDs of 1000 messages", |b| {
        b.iter_batched_ref(|| many.clone(), |many| cids_of(black_box(many)), BatchSize::LargeInput)
    });
}

fn headers(c: &mut Criterion) {
    let headers: Value = serde_json::from_str(include_str!("../tests/data/block_headers.json")).unwrap();
    let hex = headers[0]["cbor_hex"].as_str().unwrap();
    let cbor = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
    let header = BlockHeader::from_cbor(&cbor).unwrap();
    c.bench_function("header: cid", |b| b.iter(|| black_box(&header).cid()));
    c.bench_function("header: decode", |b| b.iter(|| BlockHeader::from_cbor(black_box(&cbor)).unwrap()));
    let signature = venus_core::types::Signature::secp256k1(vec![3; 65]);
    let signed = SignedMessage { message: message(200), signature };
    c.bench_function("signed message: cid", |b| b.iter(|| black_box(&signed).cid()));
}

criterion_group!(benches, messages, headers);
criterion_main!(benches);

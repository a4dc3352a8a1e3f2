#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    venus_core::testing::fuzz::cbor_receipt(bytes);
});

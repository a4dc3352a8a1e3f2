#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    venus_core::testing::fuzz::rpc_frame(bytes);
});

//! What every decoder promises for any bytes at all, as functions that panic where the promise is broken.
//!
//! They are written once and run twice: by the fuzz targets in `venus-core/fuzz`, and on generated input in
//! `tests/fuzz_bodies.rs` with every test run.
//!
//! Each takes raw bytes and tells whether they were a value. The promise: no panic; what is taken goes out as it came
//! in (CBOR, text) or in a form that does not change any more (JSON, which is read leniently); what is refused is
//! refused with a short text that names the place.

#![allow(missing_docs, reason = "hidden: the names say it, and nobody outside the tests calls them")]

mod cbor;
mod json;
mod seeds;
mod text;
#[cfg(feature = "_session")]
mod wire;

pub use cbor::{PARAMS, cbor_header, cbor_message, cbor_params, cbor_receipt, cbor_signed_message};
pub use json::{API_TYPES, json_api_types, json_header, json_message, json_tipset};
pub use seeds::{Seed, seeds};
pub use text::{address_text, amount_text};
#[cfg(feature = "_session")]
pub use wire::{api_info, rpc_frame};

/// A promise: takes any bytes, panics where it is broken, and tells whether the bytes were a value.
pub type Check = fn(&[u8]) -> bool;

/// A fuzz target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name of its file.
    pub name: &'static str,
    pub check: Check,
}

/// A type behind a target that reads many.
#[derive(Clone, Copy, Debug)]
pub struct Type {
    pub name: &'static str,
    pub check: Check,
    /// Decodes and nothing else, so that the decoder's memory can be measured alone.
    pub decode: Check,
}

/// Longest error text, in bytes: an error does not repeat its input.
const MAX_ERROR: usize = 1000;

/// All fuzz targets.
pub const TARGETS: &[Target] = &[
    Target { name: "cbor_message", check: cbor_message },
    Target { name: "cbor_signed_message", check: cbor_signed_message },
    Target { name: "cbor_header", check: cbor_header },
    Target { name: "cbor_receipt", check: cbor_receipt },
    Target { name: "cbor_params", check: cbor_params },
    Target { name: "address_text", check: address_text },
    Target { name: "amount_text", check: amount_text },
    Target { name: "json_message", check: json_message },
    Target { name: "json_header", check: json_header },
    Target { name: "json_tipset", check: json_tipset },
    Target { name: "json_api_types", check: json_api_types },
    #[cfg(feature = "_session")]
    Target { name: "rpc_frame", check: rpc_frame },
    #[cfg(feature = "_session")]
    Target { name: "api_info", check: api_info },
];

/// Many types behind one target: the first byte picks the type, the rest is its input.
fn pick(types: &[Type], bytes: &[u8]) -> bool {
    let Some((first, rest)) = bytes.split_first() else { return false };
    types.get(usize::from(*first) % types.len()).is_some_and(|ty| (ty.check)(rest))
}

/// The error text of refused input, checked.
fn refused(error: &dyn std::fmt::Display, names_the_place: impl FnOnce(&str) -> bool) -> bool {
    let text = error.to_string();
    assert!(text.len() <= MAX_ERROR, "an error of {} bytes repeats its input", text.len());
    assert!(names_the_place(&text), "no field is named: {text}");
    false
}

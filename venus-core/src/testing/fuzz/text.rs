//! Addresses and amounts as people and configuration files write them.

use super::refused;
use crate::types::{address, fil, parse_fil};

pub fn address_text(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    match address::parse_with_network(text) {
        Ok((parsed, network)) => {
            assert_eq!(address::format(&parsed, network), text, "another text stands for this address");
            assert_eq!(address::parse(text).ok(), Some(parsed));
            true
        }
        Err(e) => refused(&e, |text| text.starts_with("address")),
    }
}

pub fn amount_text(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    match parse_fil(text) {
        Ok(amount) => {
            assert_eq!(parse_fil(&fil(&amount)).ok(), Some(amount));
            true
        }
        Err(e) => refused(&e, |text| !text.is_empty()),
    }
}

//! How addresses are written.

use venus_core::types::{Address, Network, address};

/// As sophon-auth writes them: always `f`, whatever network the pool is on.
pub(crate) fn address(address: &Address) -> String {
    address::format(address, Network::Mainnet)
}

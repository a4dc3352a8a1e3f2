//! Lotus-JSON: what Lotus and Venus nodes put on the wire.
//!
//! Reading is lenient as Go is: keys in any case, unknown members ignored, `null`, `[]` and an absent member
//! alike, `f` and `t` addresses alike; only a member that stands twice is refused. Writing is exact: names, order,
//! `null` or `[]`, padding.
//!
//! Our own types implement serde with these rules. Types of other crates cannot, so they travel inside
//! [`Json`], or as members of our types through [`LotusJson`].
//!
//! An address is written with the prefix of the service that writes it. Serde has no room for such a context,
//! so a service serialises inside [`with_network`]; without it addresses carry `f`. The few types that Lotus
//! and Venus write differently look at [`with_face`].
//!
//! ```
//! use fvm_shared::address::{Address, Network};
//! use venus_core::json::{Json, with_network};
//!
//! let address: Json<Address> = serde_json::from_str(r#""f01000""#)?;
//! assert_eq!(with_network(Network::Testnet, || serde_json::to_string(&address))?, r#""t01000""#);
//! # Ok::<(), serde_json::Error>(())
//! ```

mod face;
mod float;
mod fvm;
mod map;
mod scalar;
mod time;
#[macro_use]
mod object;

use std::cell::Cell;

use fvm_shared::address::Network;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use face::{Face, with_face};

pub(crate) use face::current_face;
pub(crate) use object::lotus_json;
#[doc(hidden)]
pub use object::{Key, Member};
pub(crate) use scalar::CowText;

/// Writes and reads a value in Lotus-JSON.
pub trait LotusJson: Sized {
    /// Writes the value exactly as Lotus does.
    ///
    /// # Errors
    /// Only those of the serializer.
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Reads the value leniently.
    ///
    /// # Errors
    /// If the input is no such value.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;

    /// What an absent or `null` member means: Go's zero value where one exists, `None` where the member is needed.
    fn absent() -> Option<Self> {
        None
    }
}

/// A value that travels in Lotus-JSON although its type belongs to another crate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Json<T>(pub T);

impl<T> Json<T> {
    /// The value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> From<T> for Json<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T: LotusJson> Serialize for Json<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

impl<'de, T: LotusJson> Deserialize<'de> for Json<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Self)
    }
}

/// Borrowed counterpart of [`Json`] for writing.
#[derive(Clone, Copy, Debug)]
pub struct JsonRef<'a, T>(pub &'a T);

impl<T: LotusJson> Serialize for JsonRef<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

thread_local! {
    static NETWORK: Cell<Network> = const { Cell::new(Network::Mainnet) };
}

/// Runs `f` with all addresses that it serialises on this thread written for `network`.
///
/// Nests, restores the outer network on return and on unwinding, and touches no other thread.
pub fn with_network<R>(network: Network, f: impl FnOnce() -> R) -> R {
    struct Restore(Network);
    impl Drop for Restore {
        fn drop(&mut self) {
            NETWORK.set(self.0);
        }
    }
    let _restore = Restore(NETWORK.replace(network));
    f()
}

pub(crate) fn current_network() -> Network {
    NETWORK.get()
}

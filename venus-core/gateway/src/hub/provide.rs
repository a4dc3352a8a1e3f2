//! What providers say, and what operators ask about them.

use uuid::Uuid;
use venus_core::types::Address;
use venus_core::types::gateway::{
    ConnectionStates, MarketConnectionState, ResponseEvent, WalletDetail, WalletRegisterPolicy,
};

use super::Hub;
use crate::error::HubError;
use crate::provider::{Events, Provider};

impl Hub {
    /// A wallet registers. The policy is checked before this returns; the rest happens on the channel: the hub asks for
    /// the list, has each key prove itself, and says `InitConnect`.
    ///
    /// # Errors
    /// [`HubError`]: `Denied` without an account, `Invalid`, `TooMany`, `Identity` for accounts that do not exist.
    pub async fn listen_wallet(
        &self,
        _who: Provider,
        _policy: WalletRegisterPolicy,
    ) -> Result<Events, HubError> {
        Err(HubError::Stopped)
    }

    /// A prover registers for a miner of its account.
    ///
    /// # Errors
    /// As [`Hub::listen_wallet`]; `Denied` for a miner of another account.
    pub async fn listen_proof(&self, _who: Provider, _miner: Address) -> Result<Events, HubError> {
        Err(HubError::Stopped)
    }

    /// A sealer registers for a miner of its account.
    ///
    /// # Errors
    /// As [`Hub::listen_proof`].
    pub async fn listen_market(&self, _who: Provider, _miner: Address) -> Result<Events, HubError> {
        Err(HubError::Stopped)
    }

    /// A provider answers. It counts if the question was asked on the same connection and still waits.
    ///
    /// # Errors
    /// [`HubError::NoRequest`].
    pub fn respond(&self, _connection: u64, response: ResponseEvent) -> Result<(), HubError> {
        Err(HubError::NoRequest(response.id))
    }

    /// A wallet has more keys. Each proves itself; those that were there already are success.
    ///
    /// # Errors
    /// `NoChannelOf`, `Unproven` for the first key that could not be proven (the others count), `TooMany`.
    pub async fn add_addresses(
        &self,
        _who: &Provider,
        _channel: Uuid,
        _addresses: &[Address],
    ) -> Result<(), HubError> {
        Err(HubError::Stopped)
    }

    /// A wallet has some keys no more.
    ///
    /// # Errors
    /// `NoChannel`.
    pub async fn remove_addresses(
        &self,
        _who: &Provider,
        _channel: Uuid,
        _addresses: &[Address],
    ) -> Result<(), HubError> {
        Err(HubError::Stopped)
    }

    /// A wallet serves one account more.
    ///
    /// # Errors
    /// `NoAccount` without a wallet of the caller's, `NoChannel`, `Denied`, `TooMany`, `Identity`.
    pub async fn support_account(
        &self,
        _who: &Provider,
        _channel: Uuid,
        _account: &str,
    ) -> Result<(), HubError> {
        Err(HubError::Stopped)
    }

    /// All wallets, by account.
    pub fn wallets(&self) -> Vec<WalletDetail> {
        Vec::new()
    }

    /// The wallets of an account.
    ///
    /// # Errors
    /// [`HubError::NoAccount`].
    pub fn wallet(&self, account: &str) -> Result<WalletDetail, HubError> {
        Err(HubError::NoAccount(account.to_owned()))
    }

    /// The miners that have provers, in order.
    pub fn miners(&self) -> Vec<Address> {
        Vec::new()
    }

    /// The provers of a miner.
    ///
    /// # Errors
    /// [`HubError::NoMiner`].
    pub fn miner(&self, miner: &Address) -> Result<ConnectionStates, HubError> {
        Err(HubError::NoMiner(*miner))
    }

    /// The sealers of all miners, in order.
    pub fn markets(&self) -> Vec<MarketConnectionState> {
        Vec::new()
    }
}

/// What somebody may do no more; [`Hub::end`] ends what rests on it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// A token, by its SHA-256 in hex.
    Token(String),
    /// An account.
    Account(String),
    /// An account has a miner no more.
    Miner(String, Address),
    /// An account has a signer no more.
    Signer(String, Address),
    /// Nobody may use an address, a signer's or a miner's.
    Address(Address),
    /// Nobody may come from there.
    Ip(std::net::IpAddr),
    /// What was missed is unknown: nothing that was looked up counts any more, and everything that is registered is
    /// looked up again.
    Everything,
}

impl Hub {
    /// Ends everything that rests on what is gone: channels, offered keys, cached accounts. Returns how many channels
    /// ended.
    pub fn end(&self, _what: &Ended) -> usize {
        0
    }
}

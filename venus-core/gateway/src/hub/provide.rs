//! What providers say, and what operators ask about them.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::Arc;

use futures::StreamExt;
use uuid::Uuid;
use venus_core::types::Address;
use venus_core::types::gateway::{
    ConnectedCompleted, ConnectionStates, MarketConnectionState, ResponseEvent, WalletDetail,
    WalletRegisterPolicy,
};

use super::Hub;
use crate::channel::{Channel, SignBytes};
use crate::error::HubError;
use crate::list;
use crate::provider::{Events, Kind, Provider};
use crate::register::{Asked, Failure, Refusals, bounded, changed, check_name, not_granted};

impl Hub {
    /// A wallet registers. The policy is checked before this returns; the rest happens on the channel: the hub asks for
    /// the list, has each key prove itself, and says `InitConnect`. Needs a tokio runtime.
    ///
    /// # Errors
    /// [`HubError`]: `Denied` without an account, `Invalid`, `TooMany`, `UnknownAccount` and `Identity` for accounts that
    /// do not exist or could not be looked up. Those that the wallet may not serve are left out and reported.
    pub async fn listen_wallet(
        &self,
        who: Provider,
        policy: WalletRegisterPolicy,
    ) -> Result<Events, HubError> {
        let opened = self.open_wallet(&who, policy).await;
        self.noted(&who, Kind::Wallet, opened)
    }

    /// A prover registers for a miner of its account.
    ///
    /// # Errors
    /// As [`Hub::listen_wallet`]; `Denied` for a miner of another account.
    pub async fn listen_proof(&self, who: Provider, miner: Address) -> Result<Events, HubError> {
        let opened = self.open_miner(&who, Kind::Proof, "ListenProofEvent", miner).await;
        self.noted(&who, Kind::Proof, opened)
    }

    /// A sealer registers for a miner of its account.
    ///
    /// # Errors
    /// As [`Hub::listen_proof`].
    pub async fn listen_market(&self, who: Provider, miner: Address) -> Result<Events, HubError> {
        let opened = self.open_miner(&who, Kind::Market, "ListenMarketEvent", miner).await;
        self.noted(&who, Kind::Market, opened)
    }

    /// A provider answers. It counts if the question was asked on the same connection and still waits.
    ///
    /// # Errors
    /// [`HubError::NoRequest`].
    pub fn respond(&self, connection: u64, response: ResponseEvent) -> Result<(), HubError> {
        let unknown = HubError::NoRequest(bounded(&response.id, 64));
        let Ok(id) = Uuid::from_str(&response.id) else { return Err(unknown) };
        let asked = {
            let state = self.inner.registry.read();
            state.of_connection(connection).iter().find(|channel| channel.asks(id)).cloned()
        };
        match asked {
            Some(channel) if channel.answered(id, response) => Ok(()),
            _ => Err(unknown),
        }
    }

    /// A wallet has more keys. Each proves itself, those that it had already, too.
    ///
    /// # Errors
    /// `NoChannelOf`, `Unproven` for the first key that could not be proven (the others count), `TooMany`, `Timeout`, `Closed`.
    pub async fn add_addresses(
        &self,
        who: &Provider,
        channel: Uuid,
        addresses: &[Address],
    ) -> Result<(), HubError> {
        let unknown = HubError::NoChannelOf { account: who.account.clone(), channel };
        let Some((channel, _)) = self.wallet_channel(who, channel) else { return Err(unknown) };
        if addresses.len() > self.options().limits.addresses {
            return Err(HubError::TooMany("addresses of one wallet"));
        }
        let end = self.handshake_end();
        let late = self.slow_provider("AddNewAddress");
        self.in_time(&channel, end, late, self.prove_more(&channel, addresses)).await
    }

    /// A wallet has some keys no more.
    ///
    /// # Errors
    /// `NoChannel`, `TooMany` for more at once than a wallet may have.
    pub async fn remove_addresses(
        &self,
        who: &Provider,
        channel: Uuid,
        addresses: &[Address],
    ) -> Result<(), HubError> {
        let Some((channel, _)) = self.wallet_channel(who, channel) else {
            return Err(HubError::NoChannel(channel));
        };
        // It is done under the lock that everybody waits for.
        if addresses.len() > self.options().limits.addresses {
            return Err(HubError::TooMany("addresses of one wallet"));
        }
        let orphans: Vec<&Address> = {
            let mut state = self.inner.registry.write();
            state.remove_addresses(&channel, addresses);
            changed("removed", addresses.len(), &state.counts());
            addresses.iter().filter(|address| state.with_signer(address).is_empty()).collect()
        };
        orphans.into_iter().for_each(|address| self.options().verifier.forget(address));
        Ok(())
    }

    /// A wallet serves one account more, if its token lets it.
    ///
    /// # Errors
    /// `NoAccount` without a wallet of the caller's, `NoChannel`, `Denied`, `TooMany`, `UnknownAccount`, `Identity`.
    pub async fn support_account(
        &self,
        who: &Provider,
        channel: Uuid,
        account: &str,
    ) -> Result<(), HubError> {
        if self.inner.registry.read().account(&who.account).is_none() {
            return Err(HubError::NoAccount(who.account.clone()));
        }
        let Some((channel, supports)) = self.wallet_channel(who, channel) else {
            return Err(HubError::NoChannel(channel));
        };
        check_name(account)?;
        // The own account is there always, and is no support account.
        let others = supports.len().saturating_sub(1);
        if !supports.contains(account) && others >= self.options().limits.support_accounts {
            return Err(HubError::TooMany("support accounts of one wallet"));
        }
        // The channel lives as long as its own token, so that one has to allow it.
        if account != who.account && !self.granted(&channel.provider, account) {
            return Err(HubError::Denied(not_granted(account)));
        }
        let end = self.handshake_end();
        let late = self.slow_directory("SupportNewAccount");
        self.in_time(&channel, end, late, self.support_more(&channel, account)).await
    }

    /// All wallets, by account.
    pub fn wallets(&self) -> Vec<WalletDetail> {
        let wallets = list::wallets(&self.inner.registry.read());
        list::in_order(wallets)
    }

    /// The wallets of an account.
    ///
    /// # Errors
    /// [`HubError::NoAccount`].
    pub fn wallet(&self, account: &str) -> Result<WalletDetail, HubError> {
        let wallet = self.inner.registry.read().account(account).map(|of| list::wallet(account, of));
        let wallets = list::in_order(wallet.into_iter().collect());
        wallets.into_iter().next().ok_or_else(|| HubError::NoAccount(bounded(account, 256)))
    }

    /// The miners that have provers, in order.
    pub fn miners(&self) -> Vec<Address> {
        list::miners(&self.inner.registry.read(), Kind::Proof)
    }

    /// The provers of a miner.
    ///
    /// # Errors
    /// [`HubError::NoMiner`].
    pub fn miner(&self, miner: &Address) -> Result<ConnectionStates, HubError> {
        match self.inner.registry.read().of_miner(Kind::Proof, miner) {
            [] => Err(HubError::NoMiner(*miner)),
            channels => Ok(list::connections(channels)),
        }
    }

    /// The sealers of all miners, in order.
    pub fn markets(&self) -> Vec<MarketConnectionState> {
        list::markets(&self.inner.registry.read())
    }

    /// Why providers could not register lately, or not with everything; the latest first. Bounded to some for each account,
    /// and to a thousand in all.
    pub fn failures(&self) -> Vec<Failure> {
        self.inner.failures.list()
    }
}

impl Hub {
    async fn open_wallet(&self, who: &Provider, policy: WalletRegisterPolicy) -> Result<Events, HubError> {
        let (accounts, mut refusals) = self.wallet_policy(who, &policy)?;
        let end = self.handshake_end();
        let asked = Asked {
            kind: Kind::Wallet,
            miner: None,
            ext: policy.ext,
            sign_bytes: SignBytes(policy.sign_bytes),
        };
        let (channel, events) = self.open(who.clone(), asked)?;
        let lookup = self.check_accounts(accounts, &mut refusals);
        let late = self.slow_directory("ListenWalletEvent");
        let supports = self.in_time(&channel, end, late, lookup).await?;
        self.shake_hands(channel, supports, refusals, end);
        Ok(events)
    }

    async fn open_miner(
        &self,
        who: &Provider,
        kind: Kind,
        method: &'static str,
        miner: Address,
    ) -> Result<Events, HubError> {
        self.miner_policy(who)?;
        let end = self.handshake_end();
        let (channel, events) = self.open(who.clone(), Asked::miner(kind, miner))?;
        let late = self.slow_directory(method);
        self.in_time(&channel, end, late, self.check_miner(who, kind, &miner)).await?;
        // Before it is offered, because it is the first thing that a prover hears.
        self.tell(&channel, "InitConnect", &ConnectedCompleted { channel_id: channel.id })?;
        self.offer_miner(&channel, miner)?;
        Ok(events)
    }

    async fn prove_more(&self, channel: &Arc<Channel>, addresses: &[Address]) -> Result<(), HubError> {
        let (mut good, mut bad, mut refusals) = (Vec::new(), None, Refusals::default());
        {
            let mut proofs = std::pin::pin!(self.prove(channel, addresses));
            while let Some((n, result)) = proofs.next().await {
                let Some(address) = addresses.get(n) else { continue };
                match result {
                    Ok(()) => good.push(*address),
                    Err(error) => {
                        refusals.address(address, &error.to_string());
                        if bad.as_ref().is_none_or(|(first, _)| n < *first) {
                            bad = Some((n, error));
                        }
                    }
                }
            }
        }
        let supports = self.offer_more(channel, &good)?;
        self.bind(channel, supports, &good, &mut refusals).await;
        self.report(channel, &refusals);
        bad.map_or(Ok(()), |(_, error)| Err(error))
    }

    /// In one step; whom the wallet serves then.
    fn offer_more(&self, channel: &Arc<Channel>, good: &[Address]) -> Result<BTreeSet<String>, HubError> {
        let mut state = self.inner.registry.write();
        let most = self.options().limits.addresses;
        let room = state.add_addresses(channel, good.iter().copied(), most);
        changed("added", good.len(), &state.counts());
        let wallet = state.wallet(channel).ok_or(HubError::Closed)?;
        match room {
            true => Ok(wallet.supports.clone()),
            false => Err(HubError::TooMany("addresses of one wallet")),
        }
    }

    async fn support_more(&self, channel: &Arc<Channel>, account: &str) -> Result<(), HubError> {
        let mut refusals = Refusals::default();
        self.check_accounts(vec![account.to_owned()], &mut refusals).await?;
        let addresses: Vec<Address> = {
            let mut state = self.inner.registry.write();
            state.support(channel, account);
            let wallet = state.wallet(channel).ok_or(HubError::Closed)?;
            wallet.addresses.iter().copied().collect()
        };
        self.bind(channel, BTreeSet::from([account.to_owned()]), &addresses, &mut refusals).await;
        if let Some(reason) = refusals.summary() {
            self.inner.failures.note(&channel.provider, channel.kind, self.now(), &reason);
        }
        self.report(channel, &refusals);
        Ok(())
    }

    /// A channel of the caller's account on which a wallet is offered, and whom it serves.
    fn wallet_channel(&self, who: &Provider, id: Uuid) -> Option<(Arc<Channel>, BTreeSet<String>)> {
        let state = self.inner.registry.read();
        let channel = state.channel(&id).filter(|channel| channel.provider.account == who.account)?;
        let wallet = state.wallet(channel)?;
        Some((channel.clone(), wallet.supports.clone()))
    }
}

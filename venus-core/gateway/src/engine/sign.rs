//! Having wallets sign.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use venus_core::types::gateway::{EXT_ACCOUNTS, WalletSignRequest};
use venus_core::types::{Address, MsgMeta, MsgType, Signature};

use super::accounts::Wallet;
use super::deadline;
use super::exec::{Limits, Request, json, read};
use super::failure::Failure;
use super::measure::Measured;

use crate::channel::Channel;
use crate::error::HubError;
use crate::hub::{Accounts, Inner};

struct Sign<'a> {
    signer: &'a Address,
    to_sign: &'a [u8],
    meta: &'a MsgMeta,
    wallets: &'a [Wallet],
    accounts: Accounts<'a>,
    until: Instant,
    /// [`Inner::ends`] before the wallets were chosen.
    ends: u64,
    hub: &'a Inner,
}

impl Request for Sign<'_> {
    type Answer = Signature;

    const METHOD: &'static str = "WalletSign";

    fn payload(&self, channel: &Channel) -> Result<Vec<u8>, HubError> {
        let named = channel.ext.contains(&EXT_ACCOUNTS);
        let wallet = self.wallets.iter().find(|wallet| named && wallet.channel.id == channel.id);
        json(&WalletSignRequest {
            signer: *self.signer,
            to_sign: self.to_sign.to_vec(),
            meta: self.meta.clone(),
            accounts: wallet.map(|wallet| wallet.accounts.clone()).unwrap_or_default(),
        })
    }

    /// A signature leaves only if it verifies, from whomever it comes, and if it still may.
    async fn read(&self, channel: &Channel, payload: &[u8]) -> Result<Signature, Failure> {
        let wrong = |reason| Failure::wrong_signature(self.signer, reason);
        let signature: Option<Signature> = read(payload)?;
        let signature = signature.ok_or_else(|| wrong("the wallet answered null".to_owned()))?;
        let verifier = &self.hub.options.verifier;
        verifier.verify(self.signer, self.to_sign, self.meta, &signature).await.map_err(wrong)?;
        match self.may_still(channel).await {
            Ok(true) => Ok(signature),
            Ok(false) => Err(Failure::Final(HubError::NoWallet { signer: *self.signer })),
            Err(error) => Err(Failure::Final(error)),
        }
    }
}

impl Sign<'_> {
    /// Whether this wallet would be chosen again. Asked only if rights ended while it worked: the end of its own account
    /// has ended the channel, but not that of another one that it serves, nor that of the key (I5).
    async fn may_still(&self, channel: &Channel) -> Result<bool, HubError> {
        if self.hub.ends() == self.ends {
            return Ok(true);
        }
        self.hub.may_use(channel, self.signer, self.accounts, self.until).await
    }
}

impl Inner {
    /// Whether somebody could be asked to sign.
    pub(crate) async fn wallet_has(
        &self,
        signer: &Address,
        accounts: Accounts<'_>,
    ) -> Result<bool, HubError> {
        let (_, until) = deadline(None, self.options.sign);
        Ok(!self.wallets(signer, accounts, until).await?.is_empty())
    }

    /// Has a wallet sign.
    pub(crate) async fn wallet_sign(
        &self,
        signer: &Address,
        accounts: Accounts<'_>,
        to_sign: &[u8],
        meta: &MsgMeta,
        asked: Option<Duration>,
    ) -> Result<Signature, HubError> {
        let measured = Measured::begin("venus_gateway_wallet_sign_seconds");
        let result = self.sign(signer, accounts, to_sign, meta, asked).await;
        measured.end(&result);
        result
    }

    async fn sign(
        &self,
        signer: &Address,
        accounts: Accounts<'_>,
        to_sign: &[u8],
        meta: &MsgMeta,
        asked: Option<Duration>,
    ) -> Result<Signature, HubError> {
        // A caller that could ask challenges could claim a wallet's keys at another gateway.
        if meta.msg_type == MsgType::VerifyAddress {
            let text = "verifyaddress: only gateways ask for it, of wallets that register";
            return Err(HubError::Denied(text.into()));
        }
        let (deadline, until) = deadline(asked, self.options.sign);
        let ends = self.ends();
        let wallets = self.wallets(signer, accounts, until).await?;
        if wallets.is_empty() {
            return Err(self.unless_stopped(HubError::NoWallet { signer: *signer }));
        }
        let candidates: Vec<Arc<Channel>> = wallets.iter().map(|wallet| wallet.channel.clone()).collect();
        let request = Sign { signer, to_sign, meta, wallets: &wallets, accounts, until, ends, hub: self };
        self.run(&request, &candidates, Limits { deadline, until }).await
    }
}

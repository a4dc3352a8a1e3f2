//! Telling the account service whose keys were proven.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, stream};
use tokio::time::sleep;
use venus_core::api::IdentityError;
use venus_core::error::{Classify, ErrorKind};
use venus_core::types::Address;

use super::report::Refusals;
use crate::channel::Channel;
use crate::hub::Hub;

/// Accounts that are told at once for one registration.
const AT_ONCE: usize = 4;
/// The first pause before the account service is told again, and the longest.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(30)];

impl Hub {
    /// Binds proven keys to the accounts that a wallet serves. What is refused is not routable for that account; it is
    /// reported, and no reason to refuse the wallet. What could not be told is told again as long as the channel lives.
    pub(crate) async fn bind(
        &self,
        channel: &Arc<Channel>,
        accounts: BTreeSet<String>,
        addresses: &[Address],
        refusals: &mut Refusals,
    ) {
        if addresses.is_empty() {
            return;
        }
        let told = accounts.into_iter().map(|account| async move {
            let told = self.inner.directory.register_signers(&account, addresses).await;
            (account, told)
        });
        let mut told = stream::iter(told).buffer_unordered(AT_ONCE);
        while let Some((account, result)) = told.next().await {
            let Err(error) = result else { continue };
            refusals.subject(account.clone(), &reason(&error));
            if matches!(error.kind(), ErrorKind::Transient | ErrorKind::Timeout | ErrorKind::RateLimited) {
                self.bind_later(channel, account, addresses.to_vec());
            }
        }
        // Errors, too: some may have been bound all the same.
        self.inner.forget_signers(addresses);
    }

    fn bind_later(&self, channel: &Arc<Channel>, account: String, addresses: Vec<Address>) {
        let (hub, channel) = (self.clone(), channel.clone());
        self.inner.tasks.spawn(async move {
            tokio::select! {
                () = channel.ended.cancelled() => {}
                () = hub.bind_until_told(&channel, &account, addresses) => {}
            }
        });
    }

    async fn bind_until_told(&self, channel: &Channel, account: &str, mut addresses: Vec<Address>) {
        let [mut pause, longest] = PAUSES;
        loop {
            sleep(pause).await;
            pause = (pause * 2).min(longest);
            // What the wallet took back meanwhile is not bound.
            addresses.retain(|address| {
                let state = self.inner.registry.read();
                state.wallet(channel).is_some_and(|wallet| {
                    wallet.addresses.contains(address) && wallet.supports.contains(account)
                })
            });
            if addresses.is_empty() {
                return;
            }
            match self.inner.directory.register_signers(account, &addresses).await {
                Err(error) if error.kind() == ErrorKind::Transient || error.kind() == ErrorKind::Timeout => {}
                Err(error) if error.kind() == ErrorKind::RateLimited => {}
                Err(error) => {
                    let who = &channel.provider;
                    return self.inner.failures.note(who, channel.kind, self.now(), &reason(&error));
                }
                Ok(()) => return self.inner.forget_signers(&addresses),
            }
        }
    }
}

fn reason(error: &IdentityError) -> String {
    match error {
        IdentityError::NotYourSigner { signer } => format!(
            "{} belongs to another account, whose owner has to consent; the other addresses were bound",
            crate::error::text(signer)
        ),
        error => format!("the account service did not bind its addresses: {error}"),
    }
}

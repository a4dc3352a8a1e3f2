//! Who takes part and who sends what when: all of it follows from the arguments.

use venus_core::api::MessageRequest;
use venus_core::entropy::{Entropy, SeededEntropy};
use venus_core::types::{Address, ChainEpoch, TokenAmount};
use venus_signer::{KeyType, LocalWallet};

use super::error::DemoError;
use super::state::Spec;

/// Senders share the work, so that no queue of one sender gets long.
const MESSAGES_PER_SENDER: u64 = 100;
const MAX_SENDERS: u64 = 64;
/// Bytes of public keys.
const SECP_PUB_LEN: usize = 65;
const BLS_PUB_LEN: usize = 48;

/// The pool's keys and everybody's addresses.
#[derive(Debug)]
pub(crate) struct Cast {
    /// The pool's own keys: senders, owners, workers. Never the rival's.
    pub(crate) wallet: LocalWallet,
    /// Accounts that send, half secp256k1 and half BLS.
    pub(crate) senders: Vec<Address>,
    /// The pool's miners.
    pub(crate) miners: Vec<MinerKeys>,
    /// The miner that makes the fork. Its keys lie in a wallet of its own, so that no key of the pool ever signs
    /// two blocks of one height.
    pub(crate) rival: Option<Rival>,
}

/// Who acts for a miner.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MinerKeys {
    pub(crate) owner: Address,
    pub(crate) worker: Address,
}

#[derive(Debug)]
pub(crate) struct Rival {
    pub(crate) wallet: LocalWallet,
    pub(crate) keys: MinerKeys,
}

impl Cast {
    /// Makes all keys anew from the seed; the same arguments make the same ones.
    ///
    /// # Errors
    /// If a key cannot be made.
    pub(crate) async fn new(spec: &Spec) -> Result<Self, DemoError> {
        let wallet = LocalWallet::in_memory();
        let senders = spec.messages.div_ceil(MESSAGES_PER_SENDER).clamp(2, MAX_SENDERS / 2) * 2;
        let senders = addresses(&wallet, spec.seed, "senders", senders).await?;
        let mut miners = Vec::new();
        for index in 0..spec.miners {
            miners.push(miner_keys(&wallet, spec.seed, &format!("miner {index}")).await?);
        }
        let rival = if spec.fork { Some(Rival::new(spec.seed).await?) } else { None };
        Ok(Self { wallet, senders, miners, rival })
    }
}

impl Rival {
    async fn new(seed: u64) -> Result<Self, DemoError> {
        let wallet = LocalWallet::in_memory();
        let keys = miner_keys(&wallet, seed, "rival").await?;
        Ok(Self { wallet, keys })
    }
}

fn entropy(seed: u64, what: &str) -> SeededEntropy {
    SeededEntropy::new(seed, &format!("venus-pool demo {what}"))
}

/// `count` new addresses, secp256k1 and BLS by turns.
async fn addresses(
    wallet: &LocalWallet,
    seed: u64,
    what: &str,
    count: u64,
) -> Result<Vec<Address>, DemoError> {
    let entropy = entropy(seed, what);
    let mut addresses = Vec::new();
    for index in 0..count {
        let kind = if index % 2 == 0 { KeyType::Secp256k1 } else { KeyType::Bls };
        addresses.push(wallet.generate(kind, &entropy).await?);
    }
    Ok(addresses)
}

async fn miner_keys(wallet: &LocalWallet, seed: u64, what: &str) -> Result<MinerKeys, DemoError> {
    let entropy = entropy(seed, what);
    let owner = wallet.generate(KeyType::Secp256k1, &entropy).await?;
    // Tickets and elections are BLS signatures of the worker.
    let worker = wallet.generate(KeyType::Bls, &entropy).await?;
    Ok(MinerKeys { owner, worker })
}

/// One message to deliver.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Transfer {
    /// Its name at the messager.
    pub(crate) id: String,
    pub(crate) from: Address,
    pub(crate) to: Address,
    /// In attoFIL; no two transfers have the same, so that each is recognised on the chain.
    pub(crate) value: TokenAmount,
    /// It is handed over before this epoch is mined.
    pub(crate) due: ChainEpoch,
}

impl Transfer {
    pub(crate) fn request(&self) -> MessageRequest {
        MessageRequest::transfer(self.from, self.to, self.value.clone())
    }
}

/// All messages of a run, in the order in which they are handed over.
///
/// By turns every sender pays to an address that the chain does not know and to another sender. An unknown address
/// gets one transfer only: creating it costs gas, and with two transfers it would depend on their order which one
/// pays. A reorg may turn that order round after the gas of both was estimated, and the chain charges the other.
///
/// # Errors
/// If an address cannot be made.
pub(crate) fn transfers(spec: &Spec, cast: &Cast) -> Result<Vec<Transfer>, DemoError> {
    // The last fifth of the epochs is left for what was handed over late to land.
    let span = (spec.epochs * 4 / 5).max(1);
    let senders = cast.senders.iter().cycle();
    let known = cast.senders.iter().cycle().skip(1);
    let entropy = entropy(spec.seed, "recipients");
    let transfer = |((index, from), known): ((u64, &Address), &Address)| {
        let is_new = (index / cast.senders.len() as u64).is_multiple_of(2);
        Ok(Transfer {
            id: format!("demo-{}-{index}", spec.seed),
            from: *from,
            to: if is_new { unknown(&entropy, index)? } else { *known },
            value: TokenAmount::from_nano(index + 1),
            due: ChainEpoch::try_from(1 + index * span / spec.messages).unwrap_or(ChainEpoch::MAX),
        })
    };
    (0..spec.messages).zip(senders).zip(known).map(transfer).collect()
}

/// An address that nobody has the key of, which receives all the same: secp256k1 and BLS by turns.
fn unknown(entropy: &SeededEntropy, index: u64) -> Result<Address, DemoError> {
    let failed = |reason: &dyn std::error::Error| DemoError::Recipient(reason.to_string());
    if index.is_multiple_of(2) {
        let mut key = [0; SECP_PUB_LEN];
        entropy.fill(&mut key).map_err(|e| failed(&e))?;
        return Address::new_secp256k1(&key).map_err(|e| failed(&e));
    }
    let mut key = [0; BLS_PUB_LEN];
    entropy.fill(&mut key).map_err(|e| failed(&e))?;
    Address::new_bls(&key).map_err(|e| failed(&e))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use venus_core::types::Protocol;

    use super::*;

    async fn plan(spec: &Spec) -> (Cast, Vec<Transfer>) {
        let cast = Cast::new(spec).await.unwrap();
        let transfers = transfers(spec, &cast).unwrap();
        (cast, transfers)
    }

    #[tokio::test]
    async fn the_seed_decides() {
        let spec = Spec::new(7, 50, 2, 10, true);
        let (cast, transfers) = plan(&spec).await;
        assert_eq!(plan(&spec).await.1, transfers);
        assert_ne!(plan(&Spec::new(8, 50, 2, 10, true)).await.1, transfers);
        let rival = cast.rival.unwrap();
        assert!(!cast.miners.iter().any(|miner| miner.worker == rival.keys.worker));
    }

    #[tokio::test]
    async fn senders_are_of_both_kinds_and_recipients_new_and_known() {
        let (cast, transfers) = plan(&Spec::new(7, 100, 3, 20, false)).await;
        let of = |protocol| cast.senders.iter().filter(|a| a.protocol() == protocol).count();
        assert_eq!((of(Protocol::Secp256k1), of(Protocol::BLS)), (2, 2));
        let senders: HashSet<_> = transfers.iter().map(|t| t.from).collect();
        assert_eq!(senders.len(), 4);
        let (known, new): (Vec<_>, Vec<_>) = transfers.iter().partition(|t| cast.senders.contains(&t.to));
        assert!(known.len() >= 48 && new.len() >= 48);
        let recipients: HashSet<_> = new.iter().map(|t| t.to).collect();
        assert_eq!(recipients.len(), new.len(), "a new address is paid to once");
        let payers: HashSet<_> = new.iter().map(|t| t.from).collect();
        assert_eq!(payers.len(), 4, "every sender pays to new addresses");
        assert!(transfers.iter().all(|t| t.from != t.to));
    }

    #[tokio::test]
    async fn amounts_and_names_differ_and_epochs_rise() {
        for (messages, epochs) in [(1, 1), (3, 100), (1000, 1), (777, 30)] {
            let (_, transfers) = plan(&Spec::new(1, messages, 1, epochs, false)).await;
            assert_eq!(transfers.len() as u64, messages);
            let values: HashSet<_> = transfers.iter().map(|t| t.value.atto().clone()).collect();
            let names: HashSet<_> = transfers.iter().map(|t| &t.id).collect();
            assert_eq!((values.len(), names.len()), (transfers.len(), transfers.len()));
            assert!(transfers.is_sorted_by_key(|t| t.due));
            let last = transfers.last().unwrap().due;
            assert!(transfers[0].due == 1 && last >= 1 && last <= epochs as ChainEpoch);
        }
    }
}

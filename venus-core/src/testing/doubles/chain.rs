//! A chain that moves when the test says so.

use std::sync::{Arc, Mutex};

use cid::Cid;
use fvm_shared::address::{Address, Network};
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;
use fvm_shared::error::ExitCode;
use tokio::sync::watch;

use super::ledger::{Accounts, Executed, Ledger};
use super::{VALID_PROOF, lock};
use crate::api::ChainError;
use crate::consensus::beacon;
use crate::crypto::hash::blake2b_256;
use crate::types::{
    BlockMessages, BlockMsg, BlockTemplate, ElectionProof, NetworkInfo, PostProof, Signature, SignedMessage,
    Ticket, Tipset, TipsetKey,
};

/// A chain in memory: real headers, CIDs, roots, receipts, weights and base fees, without consensus. It moves by
/// [`mine`](Self::mine), [`reorg`](Self::reorg) and [`set_head`](Self::set_head). Clones share the chain.
///
/// Accounts have nonces and balances, transfers move value, gas is free. Tickets, elections and block signatures
/// of mined blocks are fixed bytes that no node would accept. Everything depends on the order of calls only.
#[derive(Clone, Debug)]
pub struct ScriptedChain {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    script: Mutex<Script>,
    pub(super) head: watch::Sender<Head>,
    pub(super) network: Arc<NetworkInfo>,
}

#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) tipset: Arc<Tipset>,
    /// Counts [`ScriptedChain::disconnect`].
    pub(super) connection: u64,
}

#[derive(Debug)]
struct Script {
    ledger: Ledger,
    null_rounds: ChainEpoch,
    /// Makes the tickets of mined blocks differ.
    made: u64,
}

impl ScriptedChain {
    /// A chain of a genesis block with these accounts: key address and balance in attoFIL. Their IDs are f0100,
    /// f0101 and so on. Receivers of transfers that are new get the next IDs.
    pub fn new(accounts: impl IntoIterator<Item = (Address, TokenAmount)>) -> Self {
        let mut genesis = Accounts::default();
        accounts.into_iter().for_each(|(key, balance)| genesis.add(key, balance));
        let mut ledger = Ledger::new(genesis);
        let network = NetworkInfo {
            name: "localnet-scripted".into(),
            address_network: Network::Testnet,
            network_version: 28,
            block_delay_secs: 4,
            genesis_timestamp: 1_600_000_000,
            eip155_chain_id: 31_415_926,
        };
        let header = ledger.genesis(network.genesis_timestamp);
        ledger.store(header.clone(), BlockMessages::default());
        #[allow(clippy::expect_used, reason = "a genesis block always is a tipset")]
        let tipset = Arc::new(Tipset::new(vec![header]).expect("genesis"));
        let inner = Inner {
            script: Mutex::new(Script { ledger, null_rounds: 0, made: 0 }),
            head: watch::Sender::new(Head { tipset, connection: 0 }),
            network: Arc::new(network),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Puts one block with these messages on the head and makes it the head.
    ///
    /// # Errors
    /// [`ChainError::Invalid`] if a BLS signature is no point of the curve.
    pub fn mine(&self, messages: &[SignedMessage]) -> Result<Arc<Tipset>, ChainError> {
        self.mine_blocks(&[messages.to_vec()])
    }

    /// Puts a tipset of several blocks on the head, one for each list of messages, and makes it the head. The
    /// miners are f01000, f01001 and so on.
    ///
    /// # Errors
    /// As [`mine`](Self::mine); [`ChainError::Invalid`] for no block at all.
    pub fn mine_blocks(&self, blocks: &[Vec<SignedMessage>]) -> Result<Arc<Tipset>, ChainError> {
        let parent = self.head_now();
        let skipped = std::mem::take(&mut lock(&self.inner.script).null_rounds);
        let tipset = self.extend(parent.key(), parent.height() + 1 + skipped, blocks)?;
        self.move_head(tipset.clone());
        Ok(tipset)
    }

    /// Leaves `count` epochs without blocks before the next one that is mined.
    pub fn null_rounds(&self, count: ChainEpoch) {
        lock(&self.inner.script).null_rounds += count;
    }

    /// Stores a tipset on any other one without moving the head.
    ///
    /// # Errors
    /// As [`mine_blocks`](Self::mine_blocks); [`ChainError::TipsetNotFound`] for unknown parents.
    pub fn extend(
        &self,
        parents: &TipsetKey,
        epoch: ChainEpoch,
        blocks: &[Vec<SignedMessage>],
    ) -> Result<Arc<Tipset>, ChainError> {
        let mut script = lock(&self.inner.script);
        let mut headers = Vec::new();
        for (miner, messages) in (1000..).map(Address::new_id).zip(blocks) {
            let template = self.template(&mut script, miner, parents, epoch, messages)?;
            let (mut block, messages) = script.ledger.assemble(&template)?;
            block.header.block_sig = Some(Signature::bls(vec![0; 96]));
            headers.push(block.header.clone());
            script.ledger.store(block.header, messages);
        }
        let key = Tipset::new(headers).map_err(|e| ChainError::Invalid(e.to_string()))?.key().clone();
        Ok(script.ledger.executed(&key)?.tipset.clone())
    }

    /// Makes a stored tipset the head, whatever its weight.
    ///
    /// # Errors
    /// [`ChainError::TipsetNotFound`].
    pub fn set_head(&self, key: &TipsetKey) -> Result<Arc<Tipset>, ChainError> {
        let tipset = self.executed(key)?.tipset.clone();
        self.move_head(tipset.clone());
        Ok(tipset)
    }

    /// Replaces the last `depth` tipsets by `depth + 1` others, or as many as there are lists in `messages` if
    /// those are more: the first gets the first list, and so on. Answers the new head.
    ///
    /// # Errors
    /// As [`mine`](Self::mine); [`ChainError::Invalid`] if that would replace the genesis.
    pub fn reorg(&self, depth: usize, messages: &[Vec<SignedMessage>]) -> Result<Arc<Tipset>, ChainError> {
        let mut base = self.head_now();
        for _ in 0..depth {
            if base.height() == 0 {
                return Err(ChainError::Invalid("a reorg cannot replace the genesis".into()));
            }
            base = self.executed(&base.parents())?.tipset.clone();
        }
        for i in 0..messages.len().max(depth + 1) {
            let block = messages.get(i).cloned().unwrap_or_default();
            base = self.extend(base.key(), base.height() + 1, &[block])?;
        }
        self.move_head(base.clone());
        Ok(base)
    }

    /// Ends all head streams that are open with [`ChainError::Transport`]. New ones work.
    pub fn disconnect(&self) {
        self.inner.head.send_modify(|head| head.connection += 1);
    }

    /// Makes a message end with `exit_code` in every tipset that is mined from now on. `message` is its chain
    /// CID. The nonce counts and value moves as if it had succeeded.
    pub fn exit_with(&self, message: Cid, exit_code: ExitCode) {
        lock(&self.inner.script).ledger.exit_codes.insert(message, exit_code);
    }

    /// The head, without waiting.
    pub fn head_now(&self) -> Arc<Tipset> {
        self.inner.head.borrow().tipset.clone()
    }

    fn move_head(&self, tipset: Arc<Tipset>) {
        self.inner.head.send_modify(|head| head.tipset = tipset);
    }

    fn template(
        &self,
        script: &mut Script,
        miner: Address,
        parents: &TipsetKey,
        epoch: ChainEpoch,
        messages: &[SignedMessage],
    ) -> Result<BlockTemplate, ChainError> {
        script.made += 1;
        let proof = blake2b_256(&script.made.to_be_bytes()).to_vec();
        let parent_epoch = script.ledger.executed(parents)?.tipset.height();
        Ok(BlockTemplate {
            miner,
            parents: parents.clone(),
            ticket: Ticket { vrf_proof: proof.clone() },
            election_proof: ElectionProof { win_count: 1, vrf_proof: proof },
            beacon_values: beacon::mock_entries_for_block(parent_epoch, epoch).collect(),
            messages: messages.to_vec(),
            epoch,
            timestamp: self.inner.network.timestamp_of(epoch),
            winning_post_proof: vec![PostProof { post_proof: 0, proof_bytes: VALID_PROOF.to_vec() }],
        })
    }

    pub(super) fn executed(&self, key: &TipsetKey) -> Result<Arc<Executed>, ChainError> {
        let head = self.head_now();
        lock(&self.inner.script).ledger.executed(if key.is_empty() { head.key() } else { key })
    }

    pub(super) fn with_ledger<R>(&self, f: impl FnOnce(&mut Ledger) -> R) -> R {
        f(&mut lock(&self.inner.script).ledger)
    }

    /// Takes a finished block, and makes its tipset the head if that is heavier.
    pub(super) fn submit(&self, block: &BlockMsg, messages: BlockMessages) -> Result<(), ChainError> {
        let tipset = self.with_ledger(|ledger| {
            ledger.store(block.header.clone(), messages);
            let siblings = ledger.blocks.values().map(|(header, _)| header);
            let siblings: Vec<_> = siblings
                .filter(|h| h.height == block.header.height && h.parents == block.header.parents)
                .cloned()
                .collect();
            let tipset = Tipset::new(siblings).map_err(|e| ChainError::Invalid(e.to_string()))?;
            ledger.executed(tipset.key())
        })?;
        if tipset.weight > self.executed(&TipsetKey::default())?.weight {
            self.move_head(tipset.tipset.clone());
        }
        Ok(())
    }
}

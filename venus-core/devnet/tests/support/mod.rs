//! A small miner, and a devnet for it to mine on.
#![allow(
    dead_code,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

pub(crate) mod traffic;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use venus_core::api::{
    BlockProducer, ChainReader, GasEstimator, GasSpec, MessagePool, MessageRequest, SignerExt, StateReader,
};
use venus_core::clock::ManualClock;
use venus_core::consensus::election::win_count;
use venus_core::consensus::ticket::quality;
use venus_core::consensus::vrf::{election_input, ticket_input};
use venus_core::testing::doubles::TestSigner;
use venus_core::types::{
    Address, BlockMsg, BlockTemplate, ChainEpoch, Cid, ElectionProof, MiningBaseInfo, PostProof,
    SignedMessage, Ticket, Tipset, TipsetKey, TokenAmount,
};
use venus_devnet::{Devnet, DevnetConfig, FAKE_PROOF, GenesisAccount, GenesisMiner};

pub(crate) const GENESIS: u64 = 1_700_000_000;
pub(crate) const DELAY: u64 = 4;

pub(crate) struct World {
    pub(crate) devnet: Devnet,
    pub(crate) config: DevnetConfig,
    pub(crate) clock: ManualClock,
    pub(crate) signer: Arc<TestSigner>,
    pub(crate) bls: Address,
    pub(crate) secp: Address,
}

pub(crate) fn fil(n: i64) -> TokenAmount {
    TokenAmount::from_whole(n)
}

impl World {
    pub(crate) fn new(seed: u64, miners: usize) -> Self {
        Self::open(seed, miners, None)
    }

    pub(crate) fn open(seed: u64, miners: usize, dir: Option<&Path>) -> Self {
        let signer = Arc::new(TestSigner::new(seed));
        let (bls, secp) = (signer.new_bls(), signer.new_secp());
        let account = |address| GenesisAccount { address, balance: fil(1000) };
        let miner = |_| {
            let worker = signer.new_bls();
            GenesisMiner { worker, owner: bls, ..GenesisMiner::default() }
        };
        let config = DevnetConfig {
            seed,
            genesis_timestamp: GENESIS,
            block_delay_secs: DELAY,
            accounts: vec![account(bls), account(secp)],
            miners: (0..miners).map(miner).collect(),
            ..DevnetConfig::default()
        };
        let clock = ManualClock::new(Duration::from_secs(GENESIS));
        let devnet = Devnet::open(config.clone(), Arc::new(clock.clone()), dir).unwrap();
        Self { devnet, config, clock, signer, bls, secp }
    }

    /// The same again, as after a restart.
    pub(crate) fn reopen(self, dir: &Path) -> Self {
        let Self { devnet, config, clock, signer, bls, secp } = self;
        drop(devnet);
        let devnet = Devnet::open(config.clone(), Arc::new(clock.clone()), Some(dir)).unwrap();
        Self { devnet, config, clock, signer, bls, secp }
    }

    pub(crate) async fn head(&self) -> Arc<Tipset> {
        self.devnet.head().await.unwrap()
    }

    /// Lets the time of an epoch come.
    pub(crate) fn at(&self, epoch: ChainEpoch) {
        self.clock.advance_to(Duration::from_secs(GENESIS + epoch as u64 * DELAY));
    }

    /// What a miner would mine with at an epoch, if it wins.
    pub(crate) async fn template(
        &self,
        miner: Address,
        epoch: ChainEpoch,
        base: &Tipset,
    ) -> Option<(BlockTemplate, MiningBaseInfo)> {
        let info = self.devnet.base_info(&miner, epoch, base.key()).await.unwrap()?;
        let rbase = &info.randomness_base().data;
        let worker = &info.worker_key;
        let draw = election_input(epoch, &miner).params(rbase);
        let vrf_proof = self.signer.draw_vrf(worker, &draw).await.unwrap();
        let wins = win_count(&vrf_proof, &info.miner_power, &info.network_power);
        if wins == 0 {
            return None;
        }
        let draw = ticket_input(epoch, &miner, Some(base.min_ticket())).params(rbase);
        let template = BlockTemplate {
            miner,
            parents: base.key().clone(),
            ticket: Ticket { vrf_proof: self.signer.draw_vrf(worker, &draw).await.unwrap() },
            election_proof: ElectionProof { win_count: wins, vrf_proof },
            beacon_values: info.beacon_entries.clone(),
            messages: Vec::new(),
            epoch,
            timestamp: GENESIS + epoch as u64 * DELAY,
            winning_post_proof: vec![PostProof { post_proof: 0, proof_bytes: FAKE_PROOF.to_vec() }],
        };
        Some((template, info))
    }

    pub(crate) async fn sign(&self, block: &mut BlockMsg, worker: &Address) {
        block.header.block_sig = Some(self.signer.sign_block(worker, &block.header).await.unwrap());
    }

    /// The signed blocks of all winners of an epoch on a base, messages included.
    pub(crate) async fn blocks(&self, epoch: ChainEpoch, base: &Tipset) -> Vec<BlockMsg> {
        self.at(epoch);
        let mut templates = Vec::new();
        for miner in self.devnet.miners() {
            templates.extend(self.template(miner, epoch, base).await);
        }
        let qualities: Vec<f64> = templates.iter().map(|(t, _)| quality(&t.ticket.vrf_proof)).collect();
        let lists = self.devnet.select_messages(base.key(), &qualities).await.unwrap();
        let mut blocks = Vec::new();
        for ((mut template, info), messages) in templates.into_iter().zip(lists) {
            template.messages = messages;
            let mut block = self.devnet.create_block(&template).await.unwrap();
            self.sign(&mut block, &info.worker_key).await;
            blocks.push(block);
        }
        blocks
    }

    /// Mines one epoch on the head. Answers how many blocks there were.
    pub(crate) async fn mine(&self, epoch: ChainEpoch) -> usize {
        let blocks = self.blocks(epoch, &*self.head().await).await;
        for block in &blocks {
            self.devnet.submit_block(block).await.unwrap();
            self.devnet.check_supply().unwrap();
        }
        blocks.len()
    }

    /// Mines epochs until one has a block.
    pub(crate) async fn extend(&self) -> Arc<Tipset> {
        let mut epoch = self.head().await.height() + 1;
        while self.mine(epoch).await == 0 {
            epoch += 1;
        }
        self.head().await
    }

    /// Mines an epoch in which others than `rival` win, who can make a branch later.
    pub(crate) async fn extend_without(&self, rival: &Address) {
        let base = self.head().await;
        for epoch in base.height() + 1.. {
            let blocks = self.blocks(epoch, &base).await;
            let others: Vec<_> = blocks.iter().filter(|b| b.header.miner != *rival).collect();
            for block in &others {
                self.devnet.submit_block(block).await.unwrap();
            }
            if !others.is_empty() {
                return;
            }
        }
    }

    /// The blocks of the first epoch on the head that `winners` miners win; none of them is submitted.
    pub(crate) async fn blocks_of(&self, winners: usize) -> Vec<BlockMsg> {
        let base = self.head().await;
        let mut epoch = base.height() + 1;
        loop {
            let blocks = self.blocks(epoch, &base).await;
            if blocks.len() == winners {
                return blocks;
            }
            epoch += 1;
        }
    }

    /// Lands messages of both kinds, `n` of each, and leaves epochs empty. Answers the messages, those of the BLS account
    /// first, and the first empty epoch.
    pub(crate) async fn history(&self, n: u64) -> (Vec<Cid>, ChainEpoch) {
        let mut sent = self.send(self.bls, self.secp, n).await;
        self.extend().await;
        sent.extend(self.send(self.secp, self.bls, n).await);
        self.extend().await;
        let null = self.head().await.height() + 1;
        let mut epoch = null + 2;
        while self.mine(epoch).await == 0 {
            epoch += 1;
        }
        self.extend().await;
        (sent.iter().map(|message| message.cid()).collect(), null)
    }

    pub(crate) async fn extend_to(&self, height: ChainEpoch) {
        for epoch in self.head().await.height() + 1..=height {
            self.mine(epoch).await;
        }
    }

    /// A signed transfer with estimated gas.
    pub(crate) async fn transfer(&self, from: Address, to: Address, nonce: u64) -> SignedMessage {
        let mut message = MessageRequest::transfer(from, to, TokenAmount::from_atto(7)).message;
        message.sequence = nonce;
        let message = self.devnet.estimate(&message, &GasSpec::default()).await.unwrap();
        self.signer.sign_message(&message).await.unwrap()
    }

    /// Pushes `n` transfers of an account.
    pub(crate) async fn send(&self, from: Address, to: Address, n: u64) -> Vec<SignedMessage> {
        let mut sent = Vec::new();
        for _ in 0..n {
            let nonce = self.devnet.next_nonce(&from).await.unwrap();
            let signed = self.transfer(from, to, nonce).await;
            self.devnet.push(&signed).await.unwrap();
            sent.push(signed);
        }
        sent
    }

    pub(crate) async fn nonce(&self, address: &Address) -> u64 {
        self.devnet.actor(address, &TipsetKey::default()).await.unwrap().map_or(0, |a| a.nonce)
    }
}

//! Messages of all three kinds of senders, by a seed.

use venus_core::api::{GasEstimator, GasSpec, MessagePool, MessageRequest};
use venus_core::crypto::delegated::METHOD_INVOKE_EVM;
use venus_core::types::{Address, ChainEpoch, SignedMessage, TokenAmount};
use venus_devnet::EpochSpec;

use super::{World, fil};

/// A small generator (splitmix64): the same seed gives the same numbers on every machine.
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

/// Senders of all kinds; the delegated one is paid by the others.
pub(crate) struct Traffic {
    rng: Rng,
    delegated: Address,
    funded: bool,
    pub(crate) sent: Vec<SignedMessage>,
}

impl Traffic {
    pub(crate) fn new(world: &World, seed: u64) -> Self {
        Self { rng: Rng(seed), delegated: world.signer.new_delegated(), funded: false, sent: Vec::new() }
    }

    /// Pushes up to three messages.
    pub(crate) async fn send(&mut self, world: &World) {
        if !self.funded {
            self.transfer(world, world.bls, self.delegated, fil(10)).await;
            self.funded = true;
        }
        for _ in 0..self.rng.below(4) {
            let value = TokenAmount::from_atto(1 + self.rng.below(1_000_000));
            match self.rng.below(4) {
                0 => self.transfer(world, world.bls, world.secp, value).await,
                1 => self.transfer(world, world.secp, world.bls, value).await,
                2 => {
                    // An account that comes to be by this.
                    let stranger = Address::new_secp256k1(&[self.rng.below(256) as u8; 65]).unwrap();
                    self.transfer(world, world.secp, stranger, value).await;
                }
                _ => self.call(world, value).await,
            }
        }
    }

    async fn transfer(&mut self, world: &World, from: Address, to: Address, value: TokenAmount) {
        let mut message = MessageRequest::transfer(from, to, value).message;
        message.sequence = world.devnet.next_nonce(&from).await.unwrap();
        let message = world.devnet.estimate(&message, &GasSpec::default()).await.unwrap();
        let signed = venus_core::api::SignerExt::sign_message(&*world.signer, &message).await.unwrap();
        self.push(world, signed).await;
    }

    /// The delegated account calls the first account, once it exists.
    async fn call(&mut self, world: &World, value: TokenAmount) {
        let Ok(nonce) = world.devnet.next_nonce(&self.delegated).await else { return };
        let mut message = MessageRequest::transfer(self.delegated, Address::new_id(100), value).message;
        (message.sequence, message.method_num) = (nonce, METHOD_INVOKE_EVM);
        // A placeholder becomes an account by its first message, and only then may have several waiting.
        if nonce > 0 && world.nonce(&self.delegated).await == 0 {
            return;
        }
        let message = world.devnet.estimate(&message, &GasSpec::default()).await.unwrap();
        let signed = world.signer.sign_delegated(&message).await.unwrap();
        self.push(world, signed).await;
    }

    async fn push(&mut self, world: &World, signed: SignedMessage) {
        world.devnet.push(&signed).await.unwrap();
        self.sent.push(signed);
    }
}

/// Mines an epoch on the head with all miners, without their own prover. Answers the number of blocks.
pub(crate) async fn mine(world: &World, epoch: ChainEpoch) -> usize {
    world.at(epoch);
    let base = world.head().await.key().clone();
    let spec = EpochSpec { epoch, base, miners: world.devnet.miners(), messages: true };
    world.devnet.mine(&spec, &*world.signer).await.unwrap().len()
}

/// A chain of so many epochs with traffic, an epoch now and then left out.
pub(crate) async fn run(world: &World, seed: u64, epochs: ChainEpoch) -> Traffic {
    let mut traffic = Traffic::new(world, seed);
    for epoch in 1..=epochs {
        if epoch % 17 == 11 {
            continue;
        }
        traffic.send(world).await;
        mine(world, epoch).await;
        world.devnet.check_supply().unwrap();
    }
    traffic
}

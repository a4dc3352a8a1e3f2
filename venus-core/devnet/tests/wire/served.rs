//! A devnet with a face on a socket.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretSlice};
use venus_core::api::Permissions;
use venus_core::clock::ManualClock;
use venus_core::json;
use venus_core::testing::doubles::TestSigner;
use venus_core::types::Network;
use venus_devnet::face::{Face, FaceKind, FaceServer, Tokens};
use venus_devnet::{Devnet, DevnetConfig, GenesisAccount, GenesisMiner};

use crate::support::{DELAY, GENESIS, World, fil};

pub(crate) struct Served {
    pub(crate) world: World,
    pub(crate) face: Face,
    pub(crate) tokens: Tokens,
    pub(crate) server: FaceServer,
}

/// Three miners of two sectors each, whose workers have FIL, as on the networks that were recorded.
pub(crate) fn world(seed: u64) -> World {
    let signer = Arc::new(TestSigner::new(seed));
    let (bls, secp) = (signer.new_bls(), signer.new_secp());
    let workers: Vec<_> = (0..3).map(|_| signer.new_bls()).collect();
    let account = |address| GenesisAccount { address, balance: fil(1_000_000) };
    let miner = |worker| GenesisMiner { worker, owner: worker, sectors: 2, ..GenesisMiner::default() };
    let config = DevnetConfig {
        seed,
        genesis_timestamp: GENESIS,
        block_delay_secs: DELAY,
        accounts: workers.iter().copied().chain([bls, secp]).map(account).collect(),
        miners: workers.iter().copied().map(miner).collect(),
        ..DevnetConfig::default()
    };
    let clock = ManualClock::new(Duration::from_secs(GENESIS));
    let devnet = Devnet::open(config.clone(), Arc::new(clock.clone()), None).unwrap();
    World { devnet, config, clock, signer, bls, secp }
}

impl Served {
    pub(crate) async fn new(world: World, kind: FaceKind) -> Self {
        let tokens = Tokens::new(SecretSlice::from(vec![7; 32])).unwrap().like(kind);
        let mut face = Face::new(world.devnet.clone(), kind).with_tokens(tokens.clone());
        if kind != FaceKind::Venus {
            face = face.with_keys(world.signer.clone());
        }
        let server = face.listen("127.0.0.1:0".parse().unwrap(), tokens.clone()).await.unwrap();
        Self { world, face, tokens, server }
    }

    /// A value as the face writes it.
    pub(crate) fn face_json(&self, value: &impl serde::Serialize) -> serde_json::Value {
        let face = match self.face.kind() {
            FaceKind::Venus => json::Face::Venus,
            FaceKind::Lotus | FaceKind::Forest => json::Face::Lotus,
        };
        json::with_face(face, || {
            json::with_network(Network::Testnet, || serde_json::to_value(value).unwrap())
        })
    }

    pub(crate) fn token(&self, permissions: Permissions) -> String {
        self.tokens.issue(permissions).expose_secret().to_owned()
    }
}

//! What stands behind a face: a scripted chain with a pool, a producer, miners and a market.

use std::sync::Arc;

use venus_core::api::*;
use venus_core::testing::doubles::*;
use venus_core::types::{Address, Message, SignedMessage, TokenAmount};

pub const MINER: Address = Address::new_id(2000);
pub const STRANGER: Address = Address::new_id(2001);

#[derive(Clone)]
pub struct World {
    pub signer: Arc<TestSigner>,
    pub chain: ScriptedChain,
    pub pool: MemoryPool,
    pub producer: Arc<ScriptedProducer>,
    pub miners: Arc<ScriptedMiners>,
    pub market: Arc<ScriptedMarket>,
    pub bls: Address,
    pub secp: Address,
}

impl World {
    pub fn new() -> Self {
        let signer = Arc::new(TestSigner::new(7));
        let (bls, secp) = (signer.new_bls(), signer.new_secp());
        let rich = TokenAmount::from_whole(1000);
        let chain = ScriptedChain::new([(bls, rich.clone()), (secp, rich)]);
        let pool = MemoryPool::new(chain.clone());
        let producer = ScriptedProducer::new(chain.clone(), pool.clone()).with_miner(MINER, bls, 1 << 19);
        let (producer, miners, market) = (Arc::new(producer), Arc::default(), Arc::default());
        Self { signer, chain, pool, producer, miners, market, bls, secp }
    }

    pub async fn transfer(&self, from: Address, to: Address, nonce: u64) -> SignedMessage {
        let message = MessageRequest::transfer(from, to, TokenAmount::from_atto(10)).message;
        let message = self.pool.estimate(&message, &GasSpec::default()).await.unwrap();
        self.signer.sign_message(&Message { sequence: nonce, ..message }).await.unwrap()
    }

    /// Genesis, two blocks with messages, a null round, a block with one, a block without.
    pub async fn history(&self) -> SignedMessage {
        let a = self.transfer(self.bls, self.secp, 0).await;
        let b = self.transfer(self.secp, self.bls, 0).await;
        self.chain.mine_blocks(&[vec![a.clone(), b.clone()], vec![b]]).unwrap();
        self.chain.null_rounds(1);
        self.chain.mine(&[self.transfer(self.bls, self.secp, 1).await]).unwrap();
        self.chain.mine(&[]).unwrap();
        a
    }

    /// Whether anybody has the address.
    pub async fn exists(
        &self,
        address: &Address,
        at: &venus_core::types::TipsetKey,
    ) -> Result<bool, ChainError> {
        if [MINER, STRANGER].contains(address) {
            return Ok(true);
        }
        let known = [
            self.miners.info(address, at).await.map(drop),
            self.market.market_balance(address, at).await.map(drop),
        ];
        if known.iter().any(Result::is_ok) {
            return Ok(true);
        }
        let on_chain = self.chain.actor(address, at).await;
        // Doubles of miners and of the market have pasts of their own, which the chain knows nothing of.
        let of_doubles =
            known.iter().any(|k| matches!(k, Err(ChainError::ActorNotFound(_)))) && !at.is_empty();
        if of_doubles { Ok(false) } else { Ok(on_chain?.is_some()) }
    }
}

//! The methods of a face.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use venus_core::api::*;
use venus_core::json::Json;
use venus_core::types::*;

use super::Style;
use super::face::{Args, Face, Methods};
use super::texts::wire_error;

pub fn register(m: &mut Methods) {
    network(m);
    chain(m);
    state(m);
    pool(m);
    gas(m);
    blocks(m);
    super::miners::register(m);
    m.add_heads();
}

fn network(m: &mut Methods) {
    m.add("Version", 0, |face, _| async move {
        let agent = match face.style {
            Style::Lotus => Some("lotus"),
            Style::Forest => Some("forest"),
            Style::Venus => None,
        };
        Ok(Version {
            version: "1.0.0".into(),
            api_version: Version::api_number(2, 3, 0),
            block_delay: agent.map(|_| 4),
            agent: agent.map(String::from),
        })
    });
    m.add("StateNetworkName", 0, |face, _| async move { Ok(face.name.to_string()) });
    m.add("StateNetworkVersion", 1, |face, _| async move {
        Ok(face.world.chain.network().await?.network_version)
    });
    m.add("StateGetNetworkParams", 0, |face, _| async move {
        let network = face.world.chain.network().await?;
        Ok(NetworkParams {
            network_name: face.name.to_string(),
            block_delay_secs: network.block_delay_secs,
            consensus_miner_min_power: 2048.into(),
            supported_proof_types: None,
            pre_commit_challenge_delay: 10,
            fork_upgrade_params: ForkUpgradeParams::default(),
            eip155_chain_id: network.eip155_chain_id,
            genesis_timestamp: (face.style != Style::Venus).then_some(network.genesis_timestamp),
        })
    });
}

fn pairs(messages: Vec<(Cid, Message)>) -> Option<Json<Vec<ChainMessage>>> {
    let list: Vec<_> = messages.into_iter().map(|(cid, message)| ChainMessage { cid, message }).collect();
    (!list.is_empty()).then_some(Json(list)) // Go writes null for no messages.
}

async fn at_height(face: &Face, args: &Args, null: NullRound) -> Result<Arc<Tipset>, ChainError> {
    face.world.chain.tipset_at(args.get(0), &args.get(1), null).await
}

fn chain(m: &mut Methods) {
    m.add("ChainHead", 0, |face, _| async move { face.world.chain.head().await.map(Json) });
    m.add("ChainGetGenesis", 0, |face, _| async move { face.world.chain.genesis().await.map(Json) });
    m.add("ChainGetTipSet", 1, |face, args| async move {
        let key: TipsetKey = args.get(0);
        if key.is_empty() && face.style != Style::Venus {
            return Err(ChainError::Invalid("NewTipSet called with zero length array of blocks".into()));
        }
        face.world.chain.tipset(&key).await.map(Json)
    });
    m.add("ChainGetTipSetByHeight", 2, |face, args| async move {
        at_height(&face, &args, NullRound::Before).await.map(Json)
    });
    m.add("ChainGetTipSetAfterHeight", 2, |face, args| async move {
        at_height(&face, &args, NullRound::After).await.map(Json)
    });
    m.add("ChainGetBlock", 1, |face, args| async move {
        face.world.chain.block(&args.get::<Json<Cid>>(0).0).await
    });
    m.add("ChainGetBlockMessages", 1, |face, args| async move {
        face.world.chain.block_messages(&args.get::<Json<Cid>>(0).0).await
    });
    m.add("ChainGetMessage", 1, |face, args| async move {
        face.world.chain.message(&args.get::<Json<Cid>>(0).0).await.map(Json)
    });
    m.add("ChainGetMessagesInTipset", 1, |face, args| async move {
        face.world.chain.tipset_messages(&args.get(0)).await.map(pairs)
    });
    m.add("ChainGetParentMessages", 1, |face, args| async move {
        let block = args.get::<Json<Cid>>(0).0;
        if face.world.chain.block(&block).await?.height == 0 {
            return Ok(None);
        }
        face.world.chain.parent_messages(&block).await.map(pairs)
    });
    m.add("ChainGetParentReceipts", 1, |face, args| async move {
        let receipts = face.world.chain.parent_receipts(&args.get::<Json<Cid>>(0).0).await?;
        Ok((!receipts.is_empty()).then_some(receipts))
    });
    m.add("ChainGetPath", 2, |face, args| async move {
        let (from, to): (TipsetKey, TipsetKey) = (args.get(0), args.get(1));
        if from.is_empty() || to.is_empty() {
            return Err(ChainError::Invalid("NewTipSet called with zero length array of blocks".into()));
        }
        let change = face.world.chain.path(&from, &to).await?;
        Ok(Json(steps(change)))
    });
    m.add("ChainTipSetWeight", 1, |face, args| async move {
        Ok(Json(child(&face, &args.get(0)).await?.parent_weight().clone()))
    });
}

/// A change as nodes send it.
pub fn steps(change: HeadChange) -> Vec<HeadChangeStep> {
    let revert =
        change.revert.into_iter().map(|tipset| HeadChangeStep { kind: HeadChangeKind::Revert, tipset });
    let apply = change.apply.into_iter().map(|tipset| HeadChangeStep { kind: HeadChangeKind::Apply, tipset });
    revert.chain(apply).collect()
}

/// Nodes answer for the empty key with the state that the head's messages were executed on.
async fn parent_state(face: &Face, key: TipsetKey) -> Result<TipsetKey, ChainError> {
    Ok(if key.is_empty() { face.world.chain.head().await?.key().clone() } else { key })
}

fn state(m: &mut Methods) {
    m.add("StateGetActor", 2, |face, args| async move {
        let (address, key) = (args.get::<Json<Address>>(0).0, args.get::<TipsetKey>(1));
        let found = face.world.exists(&address, &key).await?;
        let at = parent_state(&face, key).await?;
        match face.world.chain.actor(&address, &at).await {
            Ok(Some(actor)) => Ok(Some(actor)),
            _ if found => Ok(Some(ActorInfo {
                code: blake2b_cid(b"code"),
                head: blake2b_cid(b"head"),
                nonce: 0,
                balance: TokenAmount::default(),
                delegated_address: None,
            })),
            _ if face.style == Style::Forest => Ok(None),
            _ => Err(ChainError::Invalid("actor not found".into())),
        }
    });
    m.add("StateLookupID", 2, |face, args| async move {
        let (address, key) = (args.get::<Json<Address>>(0).0, args.get::<TipsetKey>(1));
        if address.protocol() == Protocol::ID {
            return Ok(Json(address));
        }
        face.world.chain.lookup_id(&address, &parent_state(&face, key).await?).await.map(Json)
    });
    m.add("StateAccountKey", 2, |face, args| async move {
        let (address, key) = (args.get::<Json<Address>>(0).0, args.get::<TipsetKey>(1));
        if address == super::world::MINER {
            let text =
                "failed to get account actor state for t02000: actor code is not account: storageminer";
            return Err(ChainError::Invalid(text.into()));
        }
        if matches!(address.protocol(), Protocol::Secp256k1 | Protocol::BLS) {
            return Ok(Json(address));
        }
        face.world.chain.account_key(&address, &parent_state(&face, key).await?).await.map(Json)
    });
    m.add("StateSearchMsg", 4, |face, args| async move {
        let limit: i64 = args.get(2);
        let options = SearchOptions {
            from: args.get(0),
            lookback: (limit >= 0).then_some(limit),
            allow_replaced: args.get(3),
        };
        let cid = args.get::<Json<Cid>>(1).0;
        face.world.chain.message(&cid).await?;
        face.world.chain.search_message(&cid, &options).await
    });
}

/// Nodes refuse what they have.
async fn push(face: &Face, message: &SignedMessage) -> Result<Cid, ChainError> {
    let (chain, pool) = (&face.world.chain, &face.world.pool);
    if pool.pending().await?.contains(message) {
        return Err(PoolReject::NonceTaken.into());
    }
    let actor = chain.actor(&message.message.from, &TipsetKey::default()).await?;
    let expected = actor.map_or(0, |actor| actor.nonce);
    if message.message.sequence < expected {
        return Err(PoolReject::NonceTooLow { expected }.into());
    }
    pool.push(message).await
}

fn pool(m: &mut Methods) {
    m.add("MpoolPush", 1, |face, args| async move { push(&face, &args.get(0)).await.map(Json) });
    m.add("MpoolBatchPush", 1, |face, args| async move {
        let mut taken = Vec::new();
        for message in args.get::<Vec<SignedMessage>>(0) {
            taken.push(push(&face, &message).await?);
        }
        Ok(Json(taken))
    });
    m.add("MpoolPending", 1, |face, _| async move {
        let mut pending = face.world.pool.pending().await?;
        pending.reverse(); // Nodes have no order.
        Ok(pending)
    });
    m.add("MpoolGetNonce", 1, |face, args| async move {
        face.world.pool.next_nonce(&args.get::<Json<Address>>(0).0).await
    });
}

/// The bound of the node's configuration, for messages without one.
const DEFAULT_MAX_FEE: u64 = 1_000_000;

async fn estimate(
    face: &Face,
    message: &Message,
    spec: Option<MessageSendSpec>,
) -> Result<Message, ChainError> {
    let spec = spec.unwrap_or_default();
    let max_fee = match spec.max_fee.is_zero() {
        true => TokenAmount::from_atto(DEFAULT_MAX_FEE),
        false => spec.max_fee,
    };
    let (over_estimation, over_premium) = match face.style {
        Style::Venus => (spec.gas_over_estimation, spec.gas_over_premium.max(1.0)),
        Style::Lotus | Style::Forest => (1.25, 1.0),
    };
    let estimate =
        face.world.pool.estimate(message, &GasSpec { max_fee, over_estimation, over_premium }).await?;
    Ok(Message { sequence: 77, ..estimate })
}

fn gas(m: &mut Methods) {
    m.add("GasEstimateMessageGas", 3, |face, args| async move {
        estimate(&face, &args.get::<Json<Message>>(0).0, args.get(1)).await.map(Json)
    });
    m.add("GasEstimateGasLimit", 2, |face, args| async move {
        let spec = GasSpec { over_estimation: 1.0, ..GasSpec::default() };
        let estimate = face.world.pool.estimate(&args.get::<Json<Message>>(0).0, &spec).await?;
        Ok(estimate.gas_limit)
    });
    m.add("GasBatchEstimateMessageGas", 3, |face, args| async move {
        let (mut nonce, mut results): (u64, Vec<EstimateResult>) = (args.get(1), Vec::new());
        for EstimateMessage { msg, spec } in args.get::<Vec<EstimateMessage>>(0) {
            let spec = Some(spec.expect("Venus fails without a spec"));
            results.push(match estimate(&face, &msg, spec).await {
                Ok(estimate) => {
                    nonce += 1;
                    EstimateResult {
                        msg: Some(Message { sequence: nonce - 1, ..estimate }),
                        err: String::new(),
                    }
                }
                Err(e) => EstimateResult { msg: Some(msg), err: wire_error(face.style, &e).message },
            });
        }
        Ok(results)
    });
}

/// A block on top of a tipset, which nobody hears of: its header says what executing the tipset gave.
async fn child(face: &Face, key: &TipsetKey) -> Result<Arc<Tipset>, ChainError> {
    let height = face.world.chain.tipset(key).await?.height();
    // Far ahead, so that it is no sibling of what is made in earnest.
    face.world.chain.extend(key, height + 500, &[Vec::new()])
}

fn blocks(m: &mut Methods) {
    m.add("MinerGetBaseInfo", 3, |face, args| async move {
        let (miner, base) = (args.get::<Json<Address>>(0).0, args.get::<TipsetKey>(2));
        if base.is_empty() {
            return Err(ChainError::Invalid("NewTipSet called with zero length array of blocks".into()));
        }
        let info = face.world.producer.base_info(&miner, args.get(1), &base).await?;
        match info.is_none() && face.world.chain.tipset(&base).await.is_ok() {
            true => Err(ChainError::Invalid("loading miner in current state: actor not found".into())),
            false => Ok(info),
        }
    });
    m.add("MpoolSelect", 2, |face, args| async move {
        // A list for one ticket knows nothing of other tickets.
        let mut lists = face.world.producer.select_messages(&args.get(0), &[args.get(1)]).await?;
        Ok(lists.pop().filter(|list| !list.is_empty()))
    });
    m.add("MpoolSelects", 2, |face, args| async move {
        let mut lists = face.world.producer.select_messages(&args.get(0), &args.get::<Vec<f64>>(1)).await?;
        let first = lists.first().cloned().unwrap_or_default();
        lists.iter_mut().filter(|list| list.is_empty()).for_each(|list| *list = first.clone());
        let lists: Vec<_> = lists.into_iter().map(|list| (!list.is_empty()).then_some(list)).collect();
        Ok(Some(lists))
    });
    m.add("MinerCreateBlock", 1, |face, args| async move {
        let block = face.world.producer.create_block(&args.get(0)).await;
        let mut block = block.map_err(|e| match e {
            ChainError::Invalid(why) => {
                ChainError::Invalid(format!("message not valid for block inclusion: {why}"))
            }
            other => other,
        })?;
        if face.state.other_miner.load(Ordering::SeqCst) {
            block.header.miner = super::world::STRANGER;
        }
        let signs = match face.style {
            Style::Venus => false,
            Style::Lotus | Style::Forest if face.state.no_key.load(Ordering::SeqCst) => {
                let text = format!(
                    "failed to sign new block: failed to sign with {}: key not found",
                    face.world.bls
                );
                return Err(ChainError::Invalid(text));
            }
            Style::Lotus | Style::Forest => true,
        };
        if signs {
            let signature = face.world.signer.sign_block(&face.world.bls, &block.header).await;
            block.header.block_sig = Some(signature.unwrap());
        }
        Ok(block)
    });
    m.add("SyncSubmitBlock", 1, |face, args| async move {
        let block: BlockMsg = args.get(0);
        know_pool(&face, &block).await?;
        face.world.producer.submit_block(&block).await
    });
    m.add("StateCompute", 3, |face, args| async move {
        let key: TipsetKey = args.get(2);
        assert!(args.get::<Vec<Message>>(1).is_empty());
        let child = child(&face, &key).await?;
        let block = child.cids()[0];
        let chain = &face.world.chain;
        let receipts = chain.parent_receipts(&block).await?;
        let messages = chain.tipset_messages(&key).await?;
        let system = Message { from: Address::new_id(0), ..transfer(face.world.bls) };
        let mut trace = vec![traced(system, Receipt::new(ExitCode::OK, Vec::new(), 0))];
        trace.extend(messages.into_iter().zip(receipts).map(|((_, m), receipt)| traced(m, receipt)));
        Ok(ComputeStateOutput { root: *child.parent_state(), trace })
    });
}

/// A node has what waits in its pool. The double knows of blocks that it assembled only.
async fn know_pool(face: &Face, block: &BlockMsg) -> Result<(), ChainError> {
    let header = block.header.clone();
    let parents = TipsetKey::from(header.parents);
    let (Some(ticket), Some(election_proof)) = (header.ticket, header.election_proof) else { return Ok(()) };
    if face.world.chain.tipset(&parents).await.is_err() {
        return Ok(());
    }
    let template = BlockTemplate {
        miner: header.miner,
        parents,
        ticket,
        election_proof,
        beacon_values: header.beacon_entries,
        messages: face.world.pool.pending().await?,
        epoch: header.height,
        timestamp: header.timestamp,
        winning_post_proof: header.win_post_proof,
    };
    face.world.producer.create_block(&template).await.map(drop)
}

fn transfer(from: Address) -> Message {
    MessageRequest::transfer(from, from, TokenAmount::default()).message
}

fn traced(msg: Message, receipt: Receipt) -> InvocResult {
    InvocResult {
        msg_cid: msg.cid(),
        execution_trace: ExecutionTrace {
            msg: MessageTrace {
                from: msg.from,
                to: msg.to,
                value: msg.value.clone(),
                method: msg.method_num,
                params: Vec::new(),
                params_codec: 0,
                gas_limit: 0,
                read_only: false,
            },
            msg_rct: ReturnTrace { exit_code: receipt.exit_code, return_data: Vec::new(), return_codec: 0 },
            invoked_actor: None,
            gas_charges: Vec::new(),
            subcalls: Vec::new(),
            logs: Vec::new(),
            ipld_ops: Vec::new(),
        },
        msg,
        msg_rct: Some(receipt),
        gas_cost: GasCost::default(),
        error: String::new(),
        duration: 0,
    }
}

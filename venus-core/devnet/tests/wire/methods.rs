//! What single methods answer, where the recorded calls do not look closely.

use serde_json::{Value, json};
use venus_core::api::{
    BlockProducer, ChainReader, MessagePool, Permissions, SearchOptions, SignerExt, StateReader,
};
use venus_core::cbor::Encode;
use venus_core::node::{LotusNode, NodeConfig};
use venus_core::types::{MessageExt, SignedMessage, TipsetKey};
use venus_devnet::face::FaceKind;

use crate::raw::request;
use crate::served::{Served, world};

fn link(cid: &impl ToString) -> Value {
    json!({ "/": cid.to_string() })
}

fn bytes(value: &Value) -> Vec<u8> {
    data_encoding::BASE64.decode(value.as_str().unwrap().as_bytes()).unwrap()
}

async fn landed(kind: FaceKind) -> (Served, Vec<SignedMessage>) {
    let world = world(1);
    let mut sent = world.send(world.bls, world.secp, 1).await;
    sent.extend(world.send(world.secp, world.bls, 1).await);
    world.extend().await;
    world.extend().await;
    (Served::new(world, kind).await, sent)
}

#[tokio::test]
async fn objects_have_the_bytes_that_their_cids_are_made_of() {
    let (served, sent) = landed(FaceKind::Lotus).await;
    let head = served.world.head().await;
    let parent = served.world.devnet.tipset(&head.parents()).await.unwrap();
    let block = parent.min_ticket_block();
    let mut cids = vec![block.cid(), block.messages, head.min_ticket_block().parent_message_receipts];
    cids.extend(sent.iter().map(|m| m.message.cid()));
    cids.extend(sent.iter().map(SignedMessage::cid));
    for cid in cids {
        let object = bytes(&served.result("ChainReadObj", json!([link(&cid)])).await);
        assert_eq!(venus_core::types::blake2b_cid(&object), cid);
        assert_eq!(served.result("ChainHasObj", json!([link(&cid)])).await, true);
    }
    let nothing = venus_core::types::blake2b_cid(b"nothing");
    assert_eq!(served.result("ChainHasObj", json!([link(&nothing)])).await, false);
    assert_eq!(
        served.call("ChainReadObj", json!([link(&nothing)])).await.error(),
        (1, format!("blockstore get: ipld: could not find {nothing}"))
    );
}

#[tokio::test]
async fn receipts_by_their_root() {
    let (served, _) = landed(FaceKind::Venus).await;
    let head = served.world.head().await;
    let root = head.min_ticket_block().parent_message_receipts;
    let receipts = served.result("ChainGetReceipts", json!([link(&root)])).await;
    let block = served.result("ChainGetParentReceipts", json!([link(&head.cids()[0])])).await;
    assert_eq!(receipts, block);
    assert_eq!(receipts.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn old_and_new_searches_find_the_same() {
    let (served, sent) = landed(FaceKind::Lotus).await;
    let cid = link(&sent[0].cid());
    let token = served.token(Permissions::ALL);
    let found = served.result("StateSearchMsg", json!([[], cid, -1, true])).await;
    assert_eq!(found["Receipt"]["ExitCode"], 0);
    let old = [
        request("StateSearchMsg", &json!([cid])),
        request("StateSearchMsgLimited", &json!([cid, 20])),
        request("StateWaitMsg", &json!([cid, 0])),
        request("StateWaitMsgLimited", &json!([cid, 0, -1])),
    ];
    for body in old {
        let reply = served.post("/rpc/v0", Some(&token), &body).await.unwrap();
        assert_eq!(reply.json()["result"], found, "{body}");
    }
    let receipt =
        served.post("/rpc/v0", Some(&token), &request("StateGetReceipt", &json!([cid, []]))).await.unwrap();
    assert_eq!(receipt.json()["result"], found["Receipt"]);
}

/// Each call gets a nonce of its own, however many come at once, and a sender may be named by its ID.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn messages_that_are_sent_at_once_have_nonces_of_their_own() {
    let world = world(6);
    let (from, to) = (world.secp, world.bls);
    let id = world.devnet.lookup_id(&from, &TipsetKey::default()).await.unwrap();
    let served = Served::new(world, FaceKind::Lotus).await;
    let send = |n: u32| {
        let from = served.face_json(&venus_core::json::Json(if n.is_multiple_of(2) { from } else { id }));
        let message = json!({
            "Version": 0, "To": served.face_json(&venus_core::json::Json(to)), "From": from, "Nonce": 0,
            "Value": n.to_string(), "GasLimit": 0, "GasFeeCap": "0", "GasPremium": "0", "Method": 0, "Params": null,
        });
        served.result("MpoolPushMessage", json!([message, null]))
    };
    let sent = futures::future::join_all((0..16).map(send)).await;
    let mut nonces: Vec<_> = sent.iter().map(|sent| sent["Message"]["Nonce"].as_u64().unwrap()).collect();
    nonces.sort_unstable();
    assert_eq!(nonces, (0..16).collect::<Vec<u64>>());
    assert_eq!(served.world.devnet.pending().await.unwrap().len(), 16);
    let key = served.face_json(&venus_core::json::Json(from));
    assert!(sent.iter().all(|sent| sent["Message"]["From"] == key));
    let id = served.face_json(&venus_core::json::Json(id));
    // The signer of this test signs no unknown bytes; it says with which key it was to.
    let by_key = served.call("WalletSign", json!([key, "aGk="])).await.error();
    assert_eq!(served.call("WalletSign", json!([id, "aGk="])).await.error(), by_key);
}

/// Both look at the state before the messages of the head.
#[tokio::test]
async fn a_wallet_has_what_its_actor_has() {
    for kind in [FaceKind::Lotus, FaceKind::Venus, FaceKind::Forest] {
        let world = world(4);
        world.extend().await;
        let (from, to) = (world.bls, world.secp);
        world.send(from, to, 1).await;
        world.extend().await;
        let served = Served::new(world, kind).await;
        for address in [from, to] {
            let address = served.face_json(&venus_core::json::Json(address));
            let actor = served.result("StateGetActor", json!([address, []])).await;
            assert_eq!(served.result("WalletBalance", json!([address])).await, actor["Balance"]);
        }
        assert_eq!(served.result("WalletBalance", json!(["t0999999"])).await, "0");
    }
}

/// A limit of one is the tipset from which is looked, and that one is looked at in any case.
#[tokio::test]
async fn limits_of_searches_count_as_in_nodes() {
    let (served, sent) = landed(FaceKind::Lotus).await;
    let (cid, executed) = (link(&sent[0].cid()), served.world.head().await.height());
    let found = served.result("StateSearchMsg", json!([[], cid, 0, true])).await;
    assert_eq!(found["Height"], executed, "the head is looked at");
    served.world.extend().await;
    let above = served.world.extend().await.height() - executed;
    for (limit, is_found) in [(-2, false), (-1, true), (0, false), (above, false), (above + 1, true)] {
        let found = served.result("StateSearchMsg", json!([[], cid, limit, true])).await;
        assert_eq!(!found.is_null(), is_found, "limit {limit}, {above} below the head");
    }
}

/// The limit is for where the wait begins: else a message would get out of reach while its confidence grows.
#[tokio::test]
async fn a_wait_with_a_limit_ends() {
    let (served, sent) = landed(FaceKind::Lotus).await;
    let body = request("StateWaitMsgLimited", &json!([link(&sent[0].cid()), 12, 8]));
    let token = served.token(Permissions::ALL);
    let counted = venus_devnet::face::FaultKind::Delay(std::time::Duration::ZERO);
    let fault = venus_devnet::face::Fault { kind: counted, count: 1 };
    served.face.faults().inject("StateWaitMsgLimited", fault).unwrap();
    let wait = served.post("/rpc/v0", Some(&token), &body);
    let mine = async {
        served.face.faults().used_up().await;
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        let height = served.world.head().await.height();
        served.world.extend_to(height + 20).await;
    };
    let (reply, ()) = tokio::join!(wait, mine);
    assert_eq!(reply.unwrap().json()["result"]["Receipt"]["ExitCode"], 0);
}

/// Nobody waits for a message whose nonce another one took.
#[tokio::test]
async fn a_nonce_that_is_taken_ends_every_search() {
    for kind in [FaceKind::Lotus, FaceKind::Venus, FaceKind::Forest] {
        let world = world(3);
        let lost = world.send(world.secp, world.bls, 1).await.remove(0);
        let mut taker = lost.message.clone();
        taker.value += venus_core::types::TokenAmount::from_atto(1);
        taker.gas_premium = &taker.gas_premium * 2;
        taker.gas_fee_cap = &taker.gas_fee_cap * 2;
        let taker = world.signer.sign_message(&taker).await.unwrap();
        world.devnet.push(&taker).await.unwrap();
        world.extend().await;
        world.extend().await;
        let served = Served::new(world, kind).await;
        let (cid, other) = (lost.cid(), taker.cid());
        let text = format!(
            "found message with equal nonce as the one we are looking for that is NOT a valid replacement message \
             (F:{cid} n 0, TS: {other} n0)"
        );
        let code = if kind == FaceKind::Forest { -32603 } else { 1 };
        for replaced in [true, false] {
            let searched = served.call("StateSearchMsg", json!([[], link(&cid), -1, replaced])).await;
            assert_eq!(searched.error(), (code, text.clone()), "{kind:?}");
            let waited = served.call("StateWaitMsg", json!([link(&cid), 1, -1, replaced])).await;
            assert_eq!(waited.error(), (code, text.clone()), "{kind:?}");
        }
        let found = served.result("StateSearchMsg", json!([[], link(&other), -1, false])).await;
        assert_eq!(found["Message"], link(&other));
        if kind == FaceKind::Lotus {
            let url = format!("{}/rpc/v1", served.server.url());
            let node = LotusNode::connect_url(&url, NodeConfig::default()).await.unwrap();
            let over_the_wire = node.search_message(&cid, &SearchOptions::default()).await.unwrap();
            assert_eq!(over_the_wire, None, "as in process");
        }
    }
}

/// Draws as a miner makes them from the same base info.
#[tokio::test]
async fn randomness_is_drawn_by_the_protocol() {
    use venus_core::consensus::draw::{draw_from_digest, draw_randomness_raw};
    let (served, _) = landed(FaceKind::Venus).await;
    let head = served.world.head().await;
    let (entropy, epoch) = (b"\x43\x00\xe8\x07".as_slice(), head.height());
    let text = data_encoding::BASE64.encode(entropy);
    let drawn = bytes(&served.result("StateGetRandomnessFromBeacon", json!([4, epoch, text, []])).await);
    let entry = served.result("StateGetBeaconEntry", json!([epoch])).await;
    assert_eq!(drawn, draw_randomness_raw(&bytes(&entry["Data"]), 4, epoch, entropy));
    assert_eq!(bytes(&entry["Data"]), head.min_ticket_block().beacon_entries.last().unwrap().data);
    let drawn = bytes(&served.result("StateGetRandomnessFromTickets", json!([5, epoch, text, []])).await);
    assert_eq!(drawn, draw_randomness_raw(head.min_ticket(), 5, epoch, entropy));
    let digest = bytes(&served.result("StateGetRandomnessDigestFromTickets", json!([epoch, []])).await);
    assert_eq!(drawn, draw_from_digest(&digest.try_into().unwrap(), 5, epoch, entropy));
    let ahead = served.call("StateGetRandomnessFromTickets", json!([5, epoch + 1, text, []])).await;
    assert_eq!(ahead.error().1, "cannot draw randomness from the future");
}

#[tokio::test]
async fn who_signs_a_block_depends_on_the_node() {
    for kind in [FaceKind::Lotus, FaceKind::Venus] {
        let served = Served::new(world(2), kind).await;
        let base = served.world.head().await;
        let mut epoch = base.height() + 1;
        let (template, info) = loop {
            let won = served.world.template(served.world.devnet.miners()[0], epoch, &base).await;
            if let Some(won) = won {
                break won;
            }
            epoch += 1;
        };
        let asked = served.face_json(&template);
        let mut made = served.result("MinerCreateBlock", json!([asked])).await;
        assert_eq!(made["Header"]["BlockSig"].is_null(), kind == FaceKind::Venus);
        if kind == FaceKind::Venus {
            let mut block = served.world.devnet.create_block(&template).await.unwrap();
            served.world.sign(&mut block, &info.worker_key).await;
            made = served.face_json(&block);
        }
        served.world.at(epoch);
        assert_eq!(served.result("SyncSubmitBlock", json!([made])).await, Value::Null);
        assert_eq!(served.world.head().await.height(), epoch);
        // A second block of the same miner at this height would cost it.
        made["Header"]["Timestamp"] = json!(1);
        let fault = served.call("SyncSubmitBlock", json!([made])).await.error();
        assert!(fault.1.starts_with("<!!> SLASH FILTER DETECTED FAULT due to witness bafy"), "{fault:?}");
    }
}

#[tokio::test]
async fn lotus_says_what_is_wrong_with_a_block_and_venus_does_not() {
    for kind in [FaceKind::Lotus, FaceKind::Venus] {
        let served = Served::new(world(3), kind).await;
        served.world.extend().await;
        let base = served.world.head().await;
        let block = loop_until_blocks(&served, base.height() + 1).await;
        let mut bad = block.clone();
        bad.header.parent_weight += 1;
        let reply = served.call("SyncSubmitBlock", json!([served.face_json(&bad)])).await;
        match kind {
            FaceKind::Venus => assert!(reply.json().get("error").is_none(), "{reply:?}"),
            _ => assert!(reply.error().1.starts_with("sync to submitted block failed: "), "{reply:?}"),
        }
        let mut orphan = block.clone();
        orphan.header.parents = vec![venus_core::types::blake2b_cid(b"no block")];
        let reply = served.call("SyncSubmitBlock", json!([served.face_json(&orphan)])).await;
        assert!(reply.error().1.starts_with("loading parent block: "), "{reply:?}");
        let mut unknown = block.clone();
        unknown.bls_messages = vec![venus_core::types::blake2b_cid(b"no message")];
        let reply = served.call("SyncSubmitBlock", json!([served.face_json(&unknown)])).await;
        assert!(reply.error().1.starts_with("failed to load bls messages: "), "{reply:?}");
        assert_eq!(served.world.head().await.key(), base.key());
        assert_eq!(served.result("SyncSubmitBlock", json!([served.face_json(&block)])).await, Value::Null);
        assert_eq!(served.world.head().await.height(), block.header.height);
    }
}

async fn loop_until_blocks(served: &Served, from: i64) -> venus_core::types::BlockMsg {
    let base = served.world.head().await;
    for epoch in from.. {
        if let Some(block) = served.world.blocks(epoch, &base).await.into_iter().next() {
            return block;
        }
    }
    unreachable!()
}

#[tokio::test]
async fn a_node_with_keys_sends_for_its_owner() {
    let served = Served::new(world(4), FaceKind::Lotus).await;
    let (from, to) = (served.world.secp, served.world.bls);
    let message = venus_core::api::MessageRequest::transfer(from, to, crate::support::fil(1)).message;
    let asked = served.face_json(&venus_core::json::Json(message));
    let pushed = served.result("MpoolPushMessage", json!([asked, null])).await;
    assert_eq!(pushed["Message"]["Nonce"], 0);
    let pending = served.world.devnet.pending().await.unwrap();
    assert_eq!(pending.len(), 1);
    assert_eq!(served.face_json(&pending[0]), pushed);
    assert_eq!(served.result("MpoolPending", json!([[]])).await, json!([pushed]));
    let signed = served.world.signer.sign_message(&pending[0].message).await.unwrap();
    let object = bytes(&served.result("ChainReadObj", json!([link(&signed.message.cid())])).await);
    assert_eq!(object, signed.message.to_cbor());
    let tilted = served.call("MpoolPushMessage", json!([pushed["Message"], null])).await;
    assert_eq!(tilted.json()["error"], Value::Null, "nonce 0 is no nonce");
}

/// What Lotus's command line asks before it sends.
#[tokio::test]
async fn messages_are_checked_before_they_are_sent() {
    let served = Served::new(world(5), FaceKind::Lotus).await;
    let message = served.world.transfer(served.world.secp, served.world.bls, 0).await.message;
    let asked = served.face_json(&venus_core::json::Json(message.clone()));
    let checks =
        served.result("MpoolCheckMessages", json!([[{ "Message": asked, "ValidNonce": false }]])).await;
    let checks = checks[0].as_array().unwrap();
    let codes: Vec<_> = checks.iter().map(|check| check["Code"].as_i64().unwrap()).collect();
    assert_eq!(codes, [9, 11, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12]);
    assert!(checks.iter().all(|check| check["OK"] == true && check["Err"] == ""), "{checks:?}");
    assert_eq!(served.result("MpoolCheckPendingMessages", json!([asked["From"]])).await, Value::Null);
    let poor = venus_core::types::Message { value: crate::support::fil(2_000_000), gas_limit: 1, ..message };
    let asked = served.face_json(&venus_core::json::Json(poor));
    let checks =
        served.result("MpoolCheckMessages", json!([[{ "Message": asked, "ValidNonce": true }]])).await;
    let bad: Vec<_> = checks[0].as_array().unwrap().iter().filter(|check| check["OK"] == false).collect();
    assert_eq!(bad.iter().map(|check| check["Code"].as_i64().unwrap()).collect::<Vec<_>>(), [4, 12]);
}

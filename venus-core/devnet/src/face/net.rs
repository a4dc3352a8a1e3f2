//! `Net*`: what a node without peers says.

use cid::multibase::Base;
use serde_json::{Map, Value, json};
use venus_core::json::Json;
use venus_core::types::AddrInfo;

use super::Face;
use super::error::FaceError;
use super::methods::{Answer, Methods, method};

/// Bytes of a peer ID before its Ed25519 key: the multihash `identity` of a key in protobuf.
const PEER_PREFIX: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];
/// `NotConnected`.
const NOT_CONNECTED: u8 = 0;

pub(super) fn register(m: &mut Methods) {
    method!(m, Read "Filecoin.NetAddrsListen" () => listen, .idempotent());
    method!(m, Read "Filecoin.NetPeers" () => peers, .idempotent());
    method!(m, Read "Filecoin.NetAgentVersion" (p: String = "peer.ID") => agent, .idempotent());
    method!(m, Read "Filecoin.NetFindPeer" (p: String = "peer.ID") => find, .idempotent());
    method!(m, Read "Filecoin.NetConnectedness" (p: String = "peer.ID") => connectedness, .idempotent());
    method!(m, Read "Filecoin.NetAutoNatStatus" () => nat, .idempotent());
    method!(m, Read "Filecoin.NetPubsubScores" () => peers, .idempotent());
    if m.venus() {
        method!(m, Admin "Filecoin.NetConnect" (a: Json<AddrInfo> = "peer.AddrInfo") => connect, .void());
        method!(m, Admin "Filecoin.NetDisconnect" (p: String = "peer.ID") => disconnect, .void());
    } else {
        method!(m, Write "Filecoin.NetConnect" (a: Json<AddrInfo> = "peer.AddrInfo") => connect, .void());
        method!(m, Write "Filecoin.NetDisconnect" (p: String = "peer.ID") => disconnect, .void());
        method!(m, Read "Filecoin.ID" () => id, .idempotent());
    }
}

/// A devnet listens to nobody but who calls its API.
async fn listen(face: Face) -> Answer<Json<AddrInfo>> {
    Ok(Json(AddrInfo { id: peer_id(&face), addrs: Vec::new() }))
}

async fn id(face: Face) -> Answer<String> {
    Ok(peer_id(&face))
}

/// The same for every start of a devnet. Nobody has the key that belongs to it.
fn peer_id(face: &Face) -> String {
    let genesis = face.devnet.genesis_info().tipset.key().to_bytes();
    let key = venus_core::crypto::hash::blake2b_256(&genesis);
    Base::Base58Btc.encode([PEER_PREFIX.as_slice(), &key].concat())
}

async fn peers(_: Face) -> Answer<Vec<Value>> {
    Ok(Vec::new())
}

async fn agent(_: Face, _: String) -> Answer<String> {
    Err(FaceError::said("item not found"))
}

async fn find(_: Face, _: String) -> Answer<Json<AddrInfo>> {
    Err(FaceError::said("routing: not found"))
}

async fn connectedness(_: Face, _: String) -> Answer<u8> {
    Ok(NOT_CONNECTED)
}

async fn nat(_: Face) -> Answer<Value> {
    Ok(json!({ "Reachability": 0, "PublicAddrs": null }))
}

async fn connect(face: Face, Json(peer): Json<AddrInfo>) -> Answer<Map<String, Value>> {
    match peer.id == peer_id(&face) {
        true => Err(FaceError::said("dial to self attempted")),
        false => Err(FaceError::said(format!("failed to dial {}: a devnet has no peers", peer.id))),
    }
}

async fn disconnect(_: Face, _: String) -> Answer<()> {
    Ok(())
}

//! The state root.
//!
//! The layout is the devnet's own, not the HAMT of Filecoin, because nothing but the devnet reads it: the root is
//! `[2, [shard or null; 128]]`, a shard is the list of its actors by ascending ID, an actor is
//! `[id, code, head, nonce, balance, delegated address or null, f2 address or null]`, and an actor belongs to the
//! shard `id mod 128`.
//! It commits to everything, and the same state has the same root however it came about.

use std::collections::BTreeMap;
use std::sync::Arc;

use cid::Cid;
use fvm_shared::ActorID;
use fvm_shared::address::Address;
use venus_core::cbor::{Encode, Writer};
use venus_core::types::blake2b_cid;

use super::{Actor, StateTree};

/// Version of the layout.
const LAYOUT: u64 = 2;
/// ID of the first account of a genesis.
pub(crate) const FIRST_ACCOUNT: ActorID = 100;
/// ID of the first miner of a genesis.
pub(crate) const FIRST_MINER: ActorID = 1000;

impl StateTree {
    /// The CID of the state. Costs hashing what changed since the last root.
    pub(crate) fn root(&self) -> Cid {
        let shards: Vec<Option<Cid>> = self.actors.digests(shard_digest).collect();
        let mut w = Writer::with_capacity(64 * shards.len());
        w.array(2);
        w.uint(LAYOUT);
        shards.encode(&mut w);
        blake2b_cid(w.as_slice())
    }

    /// The CID of the index of addresses, which follows from the actors.
    pub(crate) fn address_map(&self) -> Cid {
        let digest = |ids: &BTreeMap<Address, ActorID>| {
            let mut w = Writer::new();
            w.array(ids.len() as u64);
            for (address, id) in ids {
                w.array(2);
                address.encode(&mut w);
                w.uint(*id);
            }
            blake2b_cid(w.as_slice())
        };
        let shards: Vec<Option<Cid>> = self.ids.digests(digest).collect();
        blake2b_cid(&shards.to_cbor())
    }
}

fn shard_digest(actors: &BTreeMap<ActorID, Arc<Actor>>) -> Cid {
    let mut w = Writer::with_capacity(128 * actors.len());
    w.array(actors.len() as u64);
    for (id, actor) in actors {
        w.array(7);
        w.uint(*id);
        w.cid(&actor.code());
        w.cid(&actor.head());
        w.uint(actor.nonce);
        actor.balance.encode(&mut w);
        actor.delegated_address().encode(&mut w);
        actor.robust.encode(&mut w);
    }
    blake2b_cid(w.as_slice())
}

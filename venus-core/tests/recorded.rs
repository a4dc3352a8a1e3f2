//! What a Venus node, a Lotus node and a pool said to each other: read into our types and written back.
//!
//! Texts must be equal letter by letter, member order included; values that are JSON to us must be equal.
//! Counts are exact, so that a part of the data that is skipped is a failure.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::collections::BTreeMap;

use common::text;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;
use venus_core::cbor::{Decode, Encode};
use venus_core::json::{Face, Json, with_face, with_network};
use venus_core::types::*;

/// A list that may be `null` as a whole: methods differ in it, types do not.
type List<T> = Option<Json<Vec<T>>>;

/// A line of a file: an answer, the parameters of a call, or a value of a channel.
#[derive(Deserialize)]
struct Line {
    method: String,
    result: Option<Box<RawValue>>,
    params: Option<Box<RawValue>>,
    value: Option<Box<RawValue>>,
}

fn lines(name: &str) -> Vec<Line> {
    let text = text(&format!("recorded/{name}.jsonl"));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Reads and writes back as one of the services does.
type Echo = fn(&str) -> String;

fn echo<T: Serialize + DeserializeOwned>(text: &str) -> String {
    let value: T = serde_json::from_str(text).unwrap_or_else(|e| panic!("{e} in {text}"));
    serde_json::to_string(&value).unwrap()
}

struct Row {
    method: &'static str,
    venus: usize,
    lotus: usize,
    echo: Echo,
}

fn row<T: Serialize + DeserializeOwned>(method: &'static str, venus: usize, lotus: usize) -> Row {
    Row { method, venus, lotus, echo: echo::<T> }
}

/// Answers of nodes: type, method, and how many a Venus and a Lotus node gave.
#[rustfmt::skip]
fn node_rows() -> Vec<Row> { vec![
    row::<BlockHeader>("ChainGetBlock", 1, 1),
    row::<BlockMessages>("ChainGetBlockMessages", 4, 4),
    row::<Tipset>("ChainGetGenesis", 1, 1),
    row::<Json<Message>>("ChainGetMessage", 1, 1),
    row::<List<ChainMessage>>("ChainGetMessagesInTipset", 3, 1),
    row::<List<ChainMessage>>("ChainGetParentMessages", 2, 2),
    row::<List<Receipt>>("ChainGetParentReceipts", 2, 2),
    row::<List<HeadChangeStep>>("ChainGetPath", 2, 2),
    row::<Tipset>("ChainGetTipSet", 13, 3),
    row::<Tipset>("ChainGetTipSetAfterHeight", 4, 4),
    row::<Tipset>("ChainGetTipSetByHeight", 4, 4),
    row::<Json<bool>>("ChainHasObj", 1, 1),
    row::<Tipset>("ChainHead", 3, 4),
    row::<Json<Vec<u8>>>("ChainReadObj", 3, 3),
    row::<Json<BigInt>>("ChainTipSetWeight", 1, 1),
    row::<F3Manifest>("F3GetManifest", 1, 1),
    row::<F3Progress>("F3GetProgress", 1, 1),
    row::<Json<bool>>("F3IsRunning", 1, 1),
    row::<List<F3Participant>>("F3ListParticipants", 1, 1),
    row::<List<EstimateResult>>("GasBatchEstimateMessageGas", 2, 0),
    row::<Json<TokenAmount>>("GasEstimateFeeCap", 1, 1),
    row::<Json<i64>>("GasEstimateGasLimit", 1, 1),
    row::<Json<TokenAmount>>("GasEstimateGasPremium", 1, 1),
    row::<Json<Message>>("GasEstimateMessageGas", 3, 3),
    row::<BlockMsg>("MinerCreateBlock", 1, 1),
    row::<Option<MiningBaseInfo>>("MinerGetBaseInfo", 2, 2),
    row::<MpoolConfig>("MpoolGetConfig", 1, 1),
    row::<Json<u64>>("MpoolGetNonce", 2, 2),
    row::<List<SignedMessage>>("MpoolPending", 1, 1),
    row::<List<SignedMessage>>("MpoolSelect", 2, 2),
    row::<List<Option<Vec<SignedMessage>>>>("MpoolSelects", 1, 0),
    row::<AddrInfo>("NetAddrsListen", 1, 1),
    row::<List<AddrInfo>>("NetPeers", 1, 1),
    row::<ProtocolParams>("ProtocolParameters", 1, 0),
    row::<Json<Uuid>>("Session", 0, 1),
    row::<Json<Address>>("StateAccountKey", 1, 1),
    row::<Json<BTreeMap<String, Cid>>>("StateActorCodeCIDs", 1, 1),
    row::<Json<Cid>>("StateActorManifestCID", 1, 1),
    row::<InvocResult>("StateCall", 3, 3),
    row::<Json<TokenAmount>>("StateCirculatingSupply", 1, 1),
    row::<DealCollateralBounds>("StateDealProviderCollateralBounds", 1, 1),
    row::<Value>("StateDecodeParams", 1, 1),
    row::<ActorInfo>("StateGetActor", 2, 2),
    row::<Option<Allocation>>("StateGetAllocation", 1, 1),
    row::<Option<Allocation>>("StateGetAllocationForPendingDeal", 1, 1),
    row::<Json<BTreeMap<u64, Allocation>>>("StateGetAllocations", 1, 1),
    row::<BeaconEntry>("StateGetBeaconEntry", 1, 1),
    row::<Option<Claim>>("StateGetClaim", 1, 1),
    row::<Json<BTreeMap<u64, Claim>>>("StateGetClaims", 1, 1),
    row::<NetworkParams>("StateGetNetworkParams", 2, 2),
    row::<Json<Vec<u8>>>("StateGetRandomnessDigestFromBeacon", 1, 1),
    row::<Json<Vec<u8>>>("StateGetRandomnessDigestFromTickets", 1, 1),
    row::<Json<Vec<u8>>>("StateGetRandomnessFromBeacon", 1, 1),
    row::<Json<Vec<u8>>>("StateGetRandomnessFromTickets", 1, 1),
    row::<List<Address>>("StateListActors", 1, 1),
    row::<List<Address>>("StateListMiners", 1, 1),
    row::<Json<Address>>("StateLookupID", 3, 3),
    row::<Json<Address>>("StateLookupRobustAddress", 1, 1),
    row::<MarketBalance>("StateMarketBalance", 2, 2),
    row::<Json<BTreeMap<u64, MarketDeal>>>("StateMarketDeals", 1, 1),
    row::<Json<BTreeMap<String, MarketBalance>>>("StateMarketParticipants", 1, 1),
    row::<MarketDeal>("StateMarketStorageDeal", 3, 3),
    row::<List<SectorOnChainInfo>>("StateMinerActiveSectors", 1, 1),
    row::<Json<TokenAmount>>("StateMinerAvailableBalance", 1, 1),
    row::<List<Deadline>>("StateMinerDeadlines", 1, 1),
    row::<Json<BitField>>("StateMinerFaults", 1, 1),
    row::<MinerInfo>("StateMinerInfo", 3, 3),
    row::<Json<TokenAmount>>("StateMinerInitialPledgeCollateral", 1, 1),
    row::<Json<TokenAmount>>("StateMinerInitialPledgeForSector", 1, 1),
    row::<List<Partition>>("StateMinerPartitions", 3, 3),
    row::<MinerPower>("StateMinerPower", 3, 3),
    row::<Json<TokenAmount>>("StateMinerPreCommitDepositForPower", 1, 1),
    row::<DeadlineInfo>("StateMinerProvingDeadline", 1, 1),
    row::<Json<BitField>>("StateMinerRecoveries", 1, 1),
    row::<Json<bool>>("StateMinerSectorAllocated", 2, 2),
    row::<MinerSectors>("StateMinerSectorCount", 1, 1),
    row::<Json<u64>>("StateMinerSectorSize", 1, 0),
    row::<List<SectorOnChainInfo>>("StateMinerSectors", 2, 2),
    row::<Json<Address>>("StateMinerWorkerAddress", 1, 0),
    row::<Json<String>>("StateNetworkName", 3, 3),
    row::<Json<u64>>("StateNetworkVersion", 2, 2),
    row::<ActorState>("StateReadState", 9, 9),
    row::<InvocResult>("StateReplay", 1, 1),
    row::<Option<MessageLookup>>("StateSearchMsg", 3, 3),
    row::<SectorExpiration>("StateSectorExpiration", 2, 2),
    row::<Option<SectorOnChainInfo>>("StateSectorGetInfo", 3, 3),
    row::<SectorLocation>("StateSectorPartition", 2, 2),
    row::<Option<SectorPreCommitOnChainInfo>>("StateSectorPreCommitInfo", 3, 3),
    row::<Option<Json<BigInt>>>("StateVerifiedClientStatus", 1, 1),
    row::<Json<Address>>("StateVerifiedRegistryRootKey", 1, 1),
    row::<Option<Json<BigInt>>>("StateVerifierStatus", 1, 1),
    row::<Option<MessageLookup>>("StateWaitMsg", 1, 1),
    row::<SyncState>("SyncState", 1, 1),
    row::<Version>("Version", 2, 2),
    row::<Json<TokenAmount>>("WalletBalance", 1, 1),
    row::<MaybeAddress>("WalletDefaultAddress", 1, 1),
    row::<Json<bool>>("WalletHas", 1, 1),
    row::<List<Address>>("WalletList", 0, 1),
    row::<Json<Address>>("WalletValidateAddress", 0, 1),
    row::<Json<bool>>("WalletVerify", 0, 1),
] }

/// Methods whose answers have no type here, because no part of a pool asks for them.
const UNTYPED: [&str; 2] = ["NodeStatus", "StateVMCirculatingSupplyInternal"];

/// Whether parts of the answer are JSON to us, whose members we may reorder.
fn has_free_parts(method: &str) -> bool {
    matches!(method, "F3GetManifest" | "F3GetProgress" | "StateDecodeParams" | "StateReadState")
}

#[track_caller]
fn assert_same(method: &str, written: &str, recorded: &str) {
    if !has_free_parts(method) {
        assert_eq!(written, recorded, "{method}");
    }
    let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(value(written), value(recorded), "{method}");
}

fn check_node(face: Face, name: &str, count_of: fn(&Row) -> usize) -> usize {
    let rows = node_rows();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut untyped = 0;
    for line in lines(name) {
        let Some(row) = rows.iter().find(|row| row.method == line.method) else {
            assert!(UNTYPED.contains(&line.method.as_str()), "{} has no type", line.method);
            untyped += 1;
            continue;
        };
        let recorded = line.result.as_ref().map_or("null", |r| r.get());
        let written = with_face(face, || with_network(Network::Testnet, || (row.echo)(recorded)));
        assert_same(row.method, &written, recorded);
        *counts.entry(row.method).or_default() += 1;
    }
    for row in &rows {
        assert_eq!(counts.get(row.method).copied().unwrap_or_default(), count_of(row), "{}", row.method);
    }
    assert_eq!(untyped, UNTYPED.len());
    counts.values().sum()
}

#[test]
fn recorded_answers_of_a_venus_node() {
    assert_eq!(check_node(Face::Venus, "venus", |row| row.venus), 169);
}

#[test]
fn recorded_answers_of_a_lotus_node() {
    assert_eq!(check_node(Face::Lotus, "lotus", |row| row.lotus), 156);
}

/// What members of a pool said: kind of line, method, type and count.
fn pool_rows() -> Vec<(&'static str, &'static str, usize, Echo)> {
    vec![
        ("value", "Filecoin.ChainNotify", 12, echo::<Json<Vec<HeadChangeStep>>>),
        ("params", "Filecoin.GasBatchEstimateMessageGas", 5, echo::<(Vec<EstimateMessage>, u64, TipsetKey)>),
        ("params", "Filecoin.MinerCreateBlock", 4, echo::<(BlockTemplate,)>),
        ("params", "Filecoin.MpoolBatchPushUntrusted", 5, echo::<(Vec<SignedMessage>,)>),
        ("params", "Filecoin.SyncSubmitBlock", 4, echo::<(BlockMsg,)>),
        ("params", "Gateway.WalletSign", 11, echo::<(Json<Address>, Vec<String>, Json<Vec<u8>>, MsgMeta)>),
        ("result", "Filecoin.ChainGetMessagesInTipset", 5, echo::<List<ChainMessage>>),
        ("result", "Filecoin.ChainGetParentMessages", 5, echo::<List<ChainMessage>>),
        ("result", "Filecoin.ChainGetParentReceipts", 5, echo::<List<Receipt>>),
        ("result", "Filecoin.ChainGetTipSet", 5, echo::<Tipset>),
        ("result", "Filecoin.ChainHead", 8, echo::<Tipset>),
        ("result", "Filecoin.GasBatchEstimateMessageGas", 5, echo::<List<EstimateResult>>),
        ("result", "Filecoin.MinerCreateBlock", 4, echo::<BlockMsg>),
        ("result", "Filecoin.MinerGetBaseInfo", 4, echo::<Option<MiningBaseInfo>>),
        ("result", "Filecoin.MpoolBatchPushUntrusted", 5, echo::<List<Cid>>),
        ("result", "Filecoin.MpoolSelects", 4, echo::<List<Option<Vec<SignedMessage>>>>),
        ("result", "Filecoin.StateGetActor", 5, echo::<ActorInfo>),
        ("result", "Filecoin.StateGetBeaconEntry", 4, echo::<BeaconEntry>),
        ("result", "Filecoin.StateGetNetworkParams", 6, echo::<NetworkParams>),
        ("result", "Filecoin.StateMinerDeadlines", 4, echo::<List<Deadline>>),
        ("result", "Filecoin.StateMinerInfo", 4, echo::<MinerInfo>),
        ("result", "Filecoin.StateMinerPartitions", 4, echo::<List<Partition>>),
        ("result", "Filecoin.StateNetworkName", 7, echo::<Json<String>>),
        ("result", "Filecoin.StateNetworkVersion", 9, echo::<Json<u64>>),
        ("result", "Filecoin.StateSectorGetInfo", 4, echo::<Option<SectorOnChainInfo>>),
        ("result", "Filecoin.SyncState", 4, echo::<SyncState>),
        ("result", "Filecoin.Version", 4, echo::<Version>),
        ("result", "Gateway.WalletHas", 4, echo::<bool>),
        ("result", "Gateway.WalletSign", 11, echo::<Signature>),
        ("result", "Message.NetAddrsListen", 1, echo::<AddrInfo>),
        ("result", "Message.NetPeers", 1, echo::<List<AddrInfo>>),
        ("result", "Message.ReplaceMessage", 1, echo::<Json<Cid>>),
        ("result", "Message.Version", 1, echo::<Version>),
        ("result", "Message.WalletHas", 3, echo::<bool>),
        ("result", "Miner.Version", 1, echo::<Version>),
    ]
}

#[test]
fn recorded_talk_of_a_pool() {
    let rows = pool_rows();
    let mut counts = vec![0; rows.len()];
    for line in lines("pool") {
        let (kind, recorded) = match &line {
            Line { params: Some(params), .. } => ("params", params.get()),
            Line { value: Some(value), .. } => ("value", value.get()),
            Line { result, .. } => ("result", result.as_ref().map_or("null", |r| r.get())),
        };
        let at = rows.iter().position(|row| (row.0, row.1) == (kind, line.method.as_str()));
        let at = at.unwrap_or_else(|| panic!("{kind} of {} have no type", line.method));
        counts[at] += 1;
        // Nodes write for the network that they are on; sophon programs were told none and write `f`.
        let network = if recorded.contains("\"t0") || recorded.contains("\"t3") || recorded.contains("\"t4") {
            Network::Testnet
        } else {
            Network::Mainnet
        };
        let written = with_face(Face::Venus, || with_network(network, || (rows[at].3)(recorded)));
        assert_same(&line.method, &written, recorded);
    }
    for (row, count) in rows.iter().zip(&counts) {
        assert_eq!(*count, row.2, "{} {}", row.0, row.1);
    }
    assert_eq!(counts.iter().sum::<usize>(), 169);
}

#[test]
fn recorded_draws_are_canonical() {
    let mut draws = 0;
    for line in lines("pool").iter().filter(|line| line.method == "Gateway.WalletSign") {
        let Some(params) = &line.params else { continue };
        let (_, _, Json(bytes), meta): (Json<Address>, Vec<String>, Json<Vec<u8>>, MsgMeta) =
            serde_json::from_str(params.get()).unwrap();
        match meta.msg_type {
            MsgType::DrawRandomParam => {
                let params = DrawRandomParams::from_cbor(&bytes).unwrap();
                assert_eq!(params.to_cbor(), bytes);
                draws += 1;
            }
            MsgType::ChainMessage => {
                let message = Message::from_cbor(&meta.extra).unwrap();
                assert_eq!((message.to_cbor(), message.cid().to_bytes()), (meta.extra, bytes));
            }
            MsgType::Block => assert_eq!(BlockHeader::from_cbor(&bytes).unwrap().to_cbor(), bytes),
            other => panic!("{other}"),
        }
    }
    assert_eq!(draws, 6);
}

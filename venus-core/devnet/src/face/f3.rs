//! `F3*`: fast finality that is set up and has not begun, as on a young 2k network.

use fvm_shared::address::Address;
use serde_json::{Value, json};
use venus_core::json::Json;
use venus_core::rpc::{RpcError, codes};
use venus_core::types::{F3Manifest, F3Participant, F3Progress, TipsetKey};

use super::error::{F3_NOT_READY, FaceError};
use super::methods::{Answer, Methods, method};
use super::{Face, FaceKind};

/// Nanoseconds of a second.
const SECOND: i64 = 1_000_000_000;

pub(super) fn register(m: &mut Methods) {
    method!(m, Read "Filecoin.F3GetManifest" () => manifest, .idempotent());
    method!(m, Read "Filecoin.F3IsRunning" () => is_running, .idempotent());
    method!(m, Read "Filecoin.F3GetProgress" () => progress, .idempotent());
    method!(m, Read "Filecoin.F3GetLatestCertificate" () => certificate, .idempotent());
    method!(m, Read "Filecoin.F3ListParticipants" () => participants, .idempotent());
    method!(m, Sign "Filecoin.F3GetOrRenewParticipationTicket" (a: Json<Address> = "address.Address", p: Json<Vec<u8>> = "[]uint8", n: u64 = "uint64") => ticket);
    method!(m, Sign "Filecoin.F3Participate" (t: Json<Vec<u8>> = "[]uint8") => participate);
    method!(m, Read "Filecoin.F3GetCertificate" (n: u64 = "uint64") => certificate_of, .idempotent());
    method!(m, Read "Filecoin.F3GetECPowerTable" (k: TipsetKey = "types.TipSetKey") => power_table, .idempotent());
}

async fn is_running(_: Face) -> Answer<bool> {
    Ok(false)
}

async fn progress(_: Face) -> Answer<Json<F3Progress>> {
    Ok(Json(F3Progress { id: 0, round: 0, phase: 0, input: Value::Null }))
}

async fn participants(_: Face) -> Answer<Json<Vec<F3Participant>>> {
    Ok(Json(Vec::new()))
}

async fn certificate(_: Face) -> Answer<Value> {
    Err(not_running())
}

async fn certificate_of(_: Face, _: u64) -> Answer<Value> {
    Err(not_running())
}

async fn power_table(_: Face, _: TipsetKey) -> Answer<Value> {
    Err(not_running())
}

fn not_running() -> FaceError {
    FaceError::said("f3 is not running")
}

async fn ticket(face: Face, _: Json<Address>, _: Json<Vec<u8>>, _: u64) -> Answer<Json<Vec<u8>>> {
    Err(not_ready(&face))
}

async fn participate(face: Face, _: Json<Vec<u8>>) -> Answer<Value> {
    Err(not_ready(&face))
}

fn not_ready(face: &Face) -> FaceError {
    let code = if face.kind == FaceKind::Lotus { F3_NOT_READY } else { codes::METHOD };
    FaceError::Said(RpcError::new(code, "f3 isn't yet ready to participate"))
}

/// What nodes of 2k networks begin fast finality with, at the pace of this one. It begins beyond any devnet's life.
async fn manifest(face: Face) -> Answer<Json<F3Manifest>> {
    let at = face.devnet.at(&TipsetKey::default())?;
    let rules = at.view().tree.rules();
    let period = i64::try_from(rules.block_delay_secs).unwrap_or(i64::MAX).saturating_mul(SECOND);
    Ok(Json(F3Manifest {
        protocol_version: 7,
        initial_instance: 0,
        bootstrap_epoch: i64::MAX,
        network_name: face.devnet.genesis_info().network.name.clone(),
        initial_power_table: Value::Null,
        committee_lookback: 10,
        catch_up_alignment: 15 * SECOND,
        gpbft: voting(),
        ec: json!({
            "Period": period,
            "Finality": rules.finality,
            "DelayMultiplier": 2,
            "BaseDecisionBackoffTable": [1.3, 1.69, 2.2, 2.86, 3.71, 4.83, 6.27, 7.5],
            "HeadLookback": 4,
            "Finalize": true,
        }),
        certificate_exchange: json!({
            "ClientRequestTimeout": 10 * SECOND,
            "ServerRequestTimeout": 60 * SECOND,
            "MinimumPollInterval": 30 * SECOND,
            "MaximumPollInterval": 120 * SECOND,
        }),
        pub_sub: json!({
            "CompressionEnabled": true,
            "ChainCompressionEnabled": true,
            "GMessageSubscriptionBufferSize": 128,
            "ValidatedMessageBufferSize": 128,
        }),
        chain_exchange: exchange(),
        partial_message_manager: buffers(),
    }))
}

fn voting() -> Value {
    json!({
        "Delta": 6 * SECOND,
        "DeltaBackOffExponent": 2,
        "QualityDeltaMultiplier": 1,
        "MaxLookaheadRounds": 5,
        "ChainProposedLength": 100,
        "RebroadcastBackoffBase": 6 * SECOND,
        "RebroadcastBackoffExponent": 1.3,
        "RebroadcastBackoffSpread": 0.1,
        "RebroadcastBackoffMax": 60 * SECOND,
    })
}

fn exchange() -> Value {
    json!({
        "SubscriptionBufferSize": 32,
        "MaxChainLength": 100,
        "MaxInstanceLookahead": 10,
        "MaxDiscoveredChainsPerInstance": 1000,
        "MaxWantedChainsPerInstance": 1000,
        "RebroadcastInterval": 2 * SECOND,
        "MaxTimestampAge": 8 * SECOND,
    })
}

fn buffers() -> Value {
    json!({
        "PendingDiscoveredChainsBufferSize": 100,
        "PendingPartialMessagesBufferSize": 100,
        "PendingChainBroadcastsBufferSize": 100,
        "PendingInstanceRemovalBufferSize": 10,
        "CompletedMessagesBufferSize": 100,
        "MaxBufferedMessagesPerInstance": 25_000,
        "MaxCachedValidatedMessagesPerInstance": 25_000,
    })
}

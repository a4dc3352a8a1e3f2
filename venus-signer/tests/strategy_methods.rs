#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! Names of methods by actors version.

use std::collections::{BTreeMap, BTreeSet};

use venus_signer::strategy::{is_method_name, method_names};

/// Printed by `strategy methods` of venus-wallet v1.0.
const V1_0: &str = "ActivateDeals AddBalance AddLockedFund AddSigner AddVerifiedClient AddVerifier ApplyRewards Approve \
    AwardBlockReward Cancel ChangeMultiaddrs ChangeNumApprovalsThreshold ChangeOwnerAddress ChangePeerID \
    ChangeWorkerAddress CheckSectorProven Collect CompactPartitions CompactSectorNumbers ComputeDataCommitment \
    ConfirmSectorProofsValid ConfirmUpdateWorkerKey Constructor ControlAddresses CreateMiner CronTick CurrentTotalPower \
    DeclareFaults DeclareFaultsRecovered DisputeWindowedPoSt EnrollCronEvent EpochTick Exec ExtendSectorExpiration \
    LockBalance OnConsensusFault OnDeferredCronEvent OnEpochTickEnd OnMinerSectorsTerminate PreCommitSector Propose \
    ProveCommitSector PubkeyAddress PublishStorageDeals RemoveSigner RemoveVerifier RepayDebt ReportConsensusFault \
    RestoreBytes Send Settle SubmitPoRepForBulkVerify SubmitWindowedPoSt SwapSigner TerminateSectors ThisEpochReward \
    UpdateChannelState UpdateClaimedPower UpdateNetworkKPI UpdatePledgeTotal UseBytes VerifyDealsForActivation \
    WithdrawBalance";

type Versions = BTreeMap<u32, BTreeMap<String, BTreeMap<u64, String>>>;

fn recorded() -> Versions {
    #[derive(serde::Deserialize)]
    struct Table {
        actors_version: Versions,
    }
    let table: Table = serde_json::from_str(include_str!("data/method_table.json")).unwrap();
    table.actors_version
}

#[test]
fn names_are_those_of_the_recorded_table() {
    let mut names = BTreeSet::from(["Send".to_owned()]);
    let mut counts = Vec::new();
    for (version, actors) in recorded() {
        names.extend(actors.into_values().flat_map(BTreeMap::into_values));
        assert_eq!(method_names(version), names.iter().map(String::as_str).collect::<Vec<_>>(), "v{version}");
        counts.push((version, names.len()));
    }
    let expected = [
        (3, 63),
        (5, 65),
        (7, 67),
        (9, 93),
        (10, 166),
        (12, 167),
        (13, 172),
        (14, 174),
        (16, 176),
        (18, 179),
        (19, 179),
    ];
    for row in expected {
        assert!(counts.contains(&row), "{row:?} in {counts:?}");
    }
}

#[test]
fn the_first_63_are_those_of_v1_0() {
    assert_eq!(method_names(3), V1_0.split_whitespace().collect::<Vec<_>>());
    assert_eq!(method_names(u32::MAX), method_names(19));
    assert!(V1_0.split_whitespace().all(is_method_name));
    assert!(!is_method_name("send"));
}

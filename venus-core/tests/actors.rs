//! Actor parameters byte by byte, and the method table against the whole of Go's.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::{hex_of, json, list, str_of};
use data_encoding::HEXLOWER;
use venus_core::actors::{ActorKind, BatchReturn, account, datacap, init, market, methods, miner, multisig};
use venus_core::actors::{power, reward, verifreg};
use venus_core::cbor::{CborError, Decode, Encode};
use venus_core::crypto;
use venus_core::types::*;

type Echo = fn(&[u8]) -> Result<Vec<u8>, CborError>;

fn echo<T: Encode + Decode>(bytes: &[u8]) -> Result<Vec<u8>, CborError> {
    T::from_cbor(bytes).map(|value| value.to_cbor())
}

fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    HEXLOWER.decode(digits.as_bytes()).unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// Bytes that stand for themselves and for nothing longer, shorter or of another length.
#[track_caller]
fn assert_golden(name: &str, bytes: &[u8], echo: Echo) {
    assert_eq!(echo(bytes).unwrap_or_else(|e| panic!("{name}: {e}")), bytes, "{name}");
    for end in 0..bytes.len() {
        assert!(echo(&bytes[..end]).is_err(), "{name} cut to {end} bytes");
    }
    assert!(echo(&[bytes, &[0]].concat()).is_err(), "{name} with a trailing byte");
    if bytes[0] >> 5 == 4 {
        for other in [bytes[0] - 1, bytes[0] + 1] {
            assert!(
                echo(&[&[other], &bytes[1..], &[0]].concat()).is_err(),
                "{name} as a tuple of another length"
            );
            assert!(echo(&[&[other], &bytes[1..]].concat()).is_err(), "{name} as a tuple of another length");
        }
    }
}

/// CBOR of a CID with the digest of all `07`: a CommR of a 2 KiB sector.
const COMM_R: &str =
    "d82a5829000182e20381e80220 0707070707070707070707070707070707070707070707070707070707070707";
/// CBOR of a CID of a piece.
const PIECE: &str =
    "d82a5828000181e203922020 0808080808080808080808080808080808080808080808080808080808080808";

#[test]
fn golden_tuples() {
    // Written by hand from the actors' specifications: f01000 is 4300e807, 1 attoFIL is 420001.
    let golden: &[(&str, &str, Echo)] = &[
        (
            "miner.ControlAddressesReturn",
            "83 420064 4300e807 81 420065",
            echo::<miner::ControlAddressesReturn>,
        ),
        ("miner.ChangeWorkerAddress", "82 420064 82 420065 420066", echo::<miner::ChangeWorkerAddressParams>),
        ("miner.ChangePeerID", "81 42 0102", echo::<miner::ChangePeerIdParams>),
        ("miner.ChangeMultiaddrs", "81 82 4101 420203", echo::<miner::ChangeMultiaddrsParams>),
        ("miner.WithdrawBalance", "81 420001", echo::<miner::WithdrawBalanceParams>),
        ("miner.ReportConsensusFault", "83 4101 4102 40", echo::<miner::ReportConsensusFaultParams>),
        ("miner.ChangeBeneficiary", "83 420064 420005 1903e8", echo::<miner::ChangeBeneficiaryParams>),
        (
            "miner.GetBeneficiaryReturn",
            "82 82 420064 83 420005 40 1903e8 85 420065 420006 1907d0 f5 f4",
            echo::<miner::GetBeneficiaryReturn>,
        ),
        ("miner.GetBeneficiaryReturn", "82 82 420064 83 40 40 00 f6", echo::<miner::GetBeneficiaryReturn>),
        (
            "miner.SubmitWindowedPoSt",
            "85 05 82 82 00 40 82 01 41 0c 81 82 0a 43 010203 187b 4104",
            echo::<miner::SubmitWindowedPostParams>,
        ),
        ("miner.TerminateSectors", "81 81 83 02 03 41 0c", echo::<miner::TerminateSectorsParams>),
        ("miner.TerminateSectorsReturn", "81 f5", echo::<miner::TerminateSectorsReturn>),
        ("miner.DeclareFaults", "81 82 83 02 03 41 0c 83 182f 00 40", echo::<miner::DeclareFaultsParams>),
        ("miner.CheckSectorProven", "81 1903e8", echo::<miner::CheckSectorProvenParams>),
        ("miner.CompactPartitions", "82 07 41 74", echo::<miner::CompactPartitionsParams>),
        ("miner.CompactSectorNumbers", "81 42 b002", echo::<miner::CompactSectorNumbersParams>),
        ("miner.DisputeWindowedPoSt", "82 07 02", echo::<miner::DisputeWindowedPostParams>),
        ("power.CreateMiner", "85 420064 420065 0a 42 0102 81 4103", echo::<power::CreateMinerParams>),
        ("power.CreateMinerReturn", "82 4300e807 420065", echo::<power::CreateMinerReturn>),
        ("market.WithdrawBalance", "82 4300e807 420001", echo::<market::WithdrawBalanceParams>),
        ("market.PublishStorageDealsReturn", "82 82 07 08 41 0c", echo::<market::PublishStorageDealsReturn>),
        (
            "market.SettleDealPaymentsReturn",
            "82 82 01 81 82 00 11 81 82 420001 f4",
            echo::<market::SettleDealPaymentsReturn>,
        ),
        ("market.SettleDealPayments", "41 74", echo::<market::SettleDealPaymentsParams>),
        ("market.MarketNotifyDeal", "82 43 010203 07", echo::<market::MarketNotifyDealParams>),
        ("market.GetBalanceReturn", "82 420007 420003", echo::<MarketBalance>),
        ("market.DealState", "84 07 1864 20 20", echo::<DealState>),
        ("verifreg.Grant", "82 420064 44 00010000", echo::<verifreg::GrantParams>),
        (
            "verifreg.ExtendClaimTerms",
            "81 81 83 1903e8 07 1a00503360",
            echo::<verifreg::ExtendClaimTermsParams>,
        ),
        ("verifreg.ClaimIds", "82 1903e8 82 01 02", echo::<verifreg::ClaimIdsParams>),
        ("verifreg.RemoveExpiredAllocations", "82 1864 80", echo::<verifreg::RemoveExpiredAllocationsParams>),
        (
            "verifreg.RemoveExpiredAllocationsReturn",
            "83 81 07 82 01 80 43 000800",
            echo::<verifreg::RemoveExpiredAllocationsReturn>,
        ),
        (
            "verifreg.AllocationsResponse",
            "83 82 02 80 82 00 80 82 07 08",
            echo::<verifreg::AllocationsResponse>,
        ),
        ("datacap.Transfer", "83 420006 420001 41 80", echo::<datacap::TransferParams>),
        ("datacap.TransferReturn", "83 420001 40 41 80", echo::<datacap::TransferReturn>),
        ("datacap.TransferFrom", "84 420064 420006 420001 40", echo::<datacap::TransferFromParams>),
        ("datacap.TransferFromReturn", "84 420001 40 420002 40", echo::<datacap::TransferFromReturn>),
        ("datacap.Allowance", "82 420064 420065", echo::<datacap::AllowanceParams>),
        ("datacap.ChangeAllowance", "82 420064 420001", echo::<datacap::ChangeAllowanceParams>),
        ("multisig.Constructor", "84 82 420064 420065 02 00 20", echo::<multisig::ConstructorParams>),
        ("multisig.Propose", "84 420064 420001 00 40", echo::<multisig::ProposeParams>),
        ("multisig.ProposeReturn", "84 03 f5 00 41 80", echo::<multisig::ProposeReturn>),
        ("multisig.TxnID", "82 03 42 0102", echo::<multisig::TxnIdParams>),
        ("multisig.ApproveReturn", "83 f4 12 40", echo::<multisig::ApproveReturn>),
        ("multisig.ProposalHashData", "85 420064 420065 420001 00 40", echo::<multisig::ProposalHashData>),
        ("multisig.AddSigner", "82 420064 f5", echo::<multisig::AddSignerParams>),
        ("multisig.RemoveSigner", "82 420064 f4", echo::<multisig::RemoveSignerParams>),
        ("multisig.SwapSigner", "82 420064 420065", echo::<multisig::SwapSignerParams>),
        (
            "multisig.ChangeNumApprovalsThreshold",
            "81 03",
            echo::<multisig::ChangeNumApprovalsThresholdParams>,
        ),
        ("multisig.LockBalance", "83 1864 1903e8 420001", echo::<multisig::LockBalanceParams>),
        ("init.ExecReturn", "82 4300e807 420065", echo::<init::ExecReturn>),
        ("account.AuthenticateMessage", "82 42 0102 41 03", echo::<account::AuthenticateMessageParams>),
        ("reward.AwardBlockReward", "84 4300e807 40 420001 02", echo::<reward::AwardBlockRewardParams>),
        ("BatchReturn", "82 02 82 82 01 10 82 03 12", echo::<BatchReturn>),
        ("Event", "82 1903e8 81 84 03 65 2474797065 1851 42 0102", echo::<Event>),
    ];
    for (name, text, echo) in golden {
        assert_golden(name, &hex(text), *echo);
    }
    assert_eq!(golden.len(), 54);
}

#[test]
fn golden_tuples_with_links() {
    let golden: [(&str, String, Echo); 13] = [
        (
            "miner.SectorPreCommitInfo",
            format!("87 08 1903e8 {COMM_R} 24 82 01 02 1863 {PIECE}"),
            echo::<SectorPreCommitInfo>,
        ),
        (
            "miner.SectorPreCommitOnChainInfo",
            format!("83 87 08 09 {COMM_R} 24 80 1863 f6 420001 07"),
            echo::<SectorPreCommitOnChainInfo>,
        ),
        (
            "miner.ProveCommitSectors3",
            format!("86 81 82 0d 81 84 {PIECE} 190800 82 1864 07 81 82 420005 41 07 80 4101 01 f5 f4"),
            echo::<miner::ProveCommitSectors3Params>,
        ),
        (
            "miner.ProveReplicaUpdates3",
            format!("87 81 85 0d 02 01 {COMM_R} 80 81 4101 40 00 f6 f4 f5"),
            echo::<miner::ProveReplicaUpdates3Params>,
        ),
        (
            "miner.ProveCommitSectorsNI",
            format!("86 81 86 0d 1903e8 {COMM_R} 0d 24 1863 4101 0f 01 182f f5"),
            echo::<miner::ProveCommitSectorsNiParams>,
        ),
        (
            "miner.ExtendSectorExpiration2",
            "81 81 85 02 03 410c 81 83 07 81 01 82 02 03 1863".to_owned(),
            echo::<miner::ExtendSectorExpiration2Params>,
        ),
        ("SectorInfo", format!("83 08 09 {COMM_R}"), echo::<SectorInfo>),
        (
            "SectorOnChainInfo",
            format!("90 09 05 {COMM_R} 80 00 1863 40 420007 420001 f6 420002 00 f6 {COMM_R} 01 420005"),
            echo::<SectorOnChainInfo>,
        ),
        (
            "verifreg.AllocationRequests",
            format!("82 81 86 1903e8 {PIECE} 190800 01 02 03 81 83 1903e8 07 1863"),
            echo::<verifreg::AllocationRequests>,
        ),
        ("Allocation", format!("87 1864 1903e8 {PIECE} 190800 01 02 03"), echo::<Allocation>),
        ("Claim", format!("88 1903e8 1864 {PIECE} 190800 01 02 03 04"), echo::<Claim>),
        (
            "verifreg.GetClaimsReturn",
            format!("82 82 01 80 81 88 1903e8 1864 {PIECE} 190800 01 02 03 04"),
            echo::<verifreg::GetClaimsReturn>,
        ),
        ("init.Exec4", format!("83 {PIECE} 4180 42 0102"), echo::<init::Exec4Params>),
    ];
    for (name, text, echo) in golden {
        assert_golden(name, &hex(&text), echo);
    }
    // Sectors from before FIP-0100 have no daily fee.
    let old = hex(&format!("8f 09 05 {COMM_R} 80 00 1863 40 420007 420001 f6 f6 00 f6 f6 01"));
    assert_eq!(SectorOnChainInfo::from_cbor(&old).unwrap().daily_fee, None);
    assert_eq!(echo::<SectorOnChainInfo>(&old).unwrap(), old);
    let exec = hex(&format!("82 {PIECE} 4180"));
    assert_eq!(echo::<init::ExecParams>(&exec).unwrap(), exec);
    let actor = hex(&format!("85 {PIECE} {COMM_R} 05 420001 f6"));
    assert_eq!(echo::<ActorInfo>(&actor).unwrap(), actor);
}

#[test]
fn recorded_parameters() {
    let mut counts = std::collections::BTreeMap::new();
    for row in list(&json("actor_params.json")) {
        let method = str_of(row, "method").to_owned();
        let echo: Echo = match method.as_str() {
            "market.AddBalance" => echo::<Address>,
            "market.PublishStorageDeals" => echo::<market::PublishStorageDealsParams>,
            "miner.ChangeMultiaddrs" => echo::<miner::ChangeMultiaddrsParams>,
            "miner.ChangePeerID" => echo::<miner::ChangePeerIdParams>,
            "miner.PreCommitSectorBatch2" => echo::<miner::PreCommitSectorBatch2Params>,
            "miner.ProveCommitSectors3" => echo::<miner::ProveCommitSectors3Params>,
            "miner.WithdrawBalance" => echo::<miner::WithdrawBalanceParams>,
            other => panic!("{other}"),
        };
        assert_golden(&method, &hex_of(row, "params"), echo);
        *counts.entry(method).or_insert(0) += 1;
    }
    assert_eq!(counts.values().copied().collect::<Vec<i32>>(), [2, 1, 1, 1, 3, 1, 1]);
}

fn recorded<T: Decode>(method: &str) -> Vec<T> {
    let rows = json("actor_params.json");
    let of_method = list(&rows).iter().filter(|row| str_of(row, "method") == method);
    of_method.map(|row| T::from_cbor(&hex_of(row, "params")).unwrap()).collect()
}

#[test]
fn recorded_deals_are_signed_by_their_clients() {
    let params: Vec<market::PublishStorageDealsParams> = recorded("market.PublishStorageDeals");
    let deals = &params[0].deals;
    for deal in deals {
        let bytes = deal.proposal.to_cbor();
        crypto::verify(&deal.client_signature, &deal.proposal.client, &bytes).unwrap();
        assert!(crypto::verify(&deal.client_signature, &deal.proposal.client, &bytes[1..]).is_err());
        assert!(!deal.proposal.verified_deal);
        assert_eq!(deal.proposal.provider, Address::new_id(1001));
        assert!(matches!(&deal.proposal.label, DealLabel::Text(text) if text.starts_with("bafk")));
        assert_ne!(deal.cid(), deal.proposal.cid());
    }
    let sizes: Vec<_> = deals.iter().map(|deal| deal.proposal.piece_size).collect();
    assert_eq!(sizes, [2048, 512, 512]);
}

#[test]
fn recorded_sectors() {
    let commits: Vec<miner::PreCommitSectorBatch2Params> = recorded("miner.PreCommitSectorBatch2");
    let numbers: Vec<_> = commits.iter().map(|c| c.sectors[0].sector_number).collect();
    assert_eq!(numbers, [13, 18, 21]);
    assert!(commits[0].sectors[0].unsealed_cid.is_none() && commits[2].sectors[0].unsealed_cid.is_some());
    let proofs: Vec<miner::ProveCommitSectors3Params> = recorded("miner.ProveCommitSectors3");
    assert_eq!(proofs[0].sector_activations[0].sector_number, 13);
    assert_eq!((proofs[0].sector_proofs[0].len(), proofs[0].aggregate_proof_type), (192, None));
}

#[test]
fn deal_labels() {
    let text = DealLabel::from("a");
    let bytes = DealLabel::Bytes(vec![0xff]);
    assert_eq!((text.to_cbor(), bytes.to_cbor()), (vec![0x61, b'a'], vec![0x41, 0xff]));
    for label in [text, bytes, DealLabel::default()] {
        assert_eq!(DealLabel::from_cbor(&label.to_cbor()).unwrap(), label);
    }
    // Old chains hold text that is no UTF-8; today's do not.
    assert!(DealLabel::from_cbor(&[0x61, 0xff]).is_err());
    assert!(DealLabel::from_cbor(&[0x01]).is_err());
}

#[test]
fn ids_of_published_deals() {
    let valid_deals = BitField::try_from_bits([0, 2, 3, 7]).unwrap();
    let published = market::PublishStorageDealsReturn { ids: vec![10, 11, 12, 13], valid_deals };
    let ids: Vec<_> = (0..9).map(|i| published.deal_id(i)).collect();
    let expected = [Some(10), None, Some(11), Some(12), None, None, None, Some(13), None];
    assert_eq!(ids, expected);
    let lying = market::PublishStorageDealsReturn { ids: vec![1], ..published };
    assert_eq!(lying.deal_id(7), None);
}

#[test]
fn batch_codes() {
    let batch = BatchReturn::from_cbor(&hex("82 02 82 82 01 10 82 03 12")).unwrap();
    assert_eq!((batch.len(), batch.is_empty()), (4, false));
    assert_eq!([batch.code(0), batch.code(1), batch.code(2), batch.code(3)], [0, 16, 0, 18]);
}

#[test]
fn method_table_is_gos() {
    let file = json("method_table.json");
    let (mut rows, mut tables) = (0, 0);
    for (version, actors) in file["actors_version"].as_object().unwrap() {
        let version: u32 = version.parse().unwrap();
        for kind in ActorKind::ALL {
            let expected = actors[kind.name()].as_object();
            let ours: Vec<_> = methods::all(*kind, version).collect();
            assert_eq!(ours.len(), expected.map_or(0, serde_json::Map::len), "{kind} {version}");
            tables += usize::from(!ours.is_empty());
            for (number, name) in expected.into_iter().flatten() {
                let number: u64 = number.parse().unwrap();
                assert_eq!(methods::name(*kind, version, number), name.as_str(), "{kind} {version} {number}");
                assert_eq!(
                    methods::number(*kind, version, name.as_str().unwrap()),
                    Some(number),
                    "{kind} {name}"
                );
                assert!(ours.contains(&(number, name.as_str().unwrap())));
                rows += 1;
            }
            assert_eq!(methods::name(*kind, version, 0), Some("Send"));
        }
        for kind in actors.as_object().unwrap().keys() {
            assert!(ActorKind::ALL.iter().any(|k| k.name() == kind), "{kind}");
        }
    }
    assert_eq!((rows, tables), (2397, 250));
    assert_eq!(file["actors_version"].as_object().unwrap().len(), 19);
}

#[test]
fn actors_of_a_manifest() {
    let line = common::text("recorded/lotus.jsonl");
    let line = line.lines().find(|l| l.contains("\"StateActorCodeCIDs\"")).unwrap();
    let answer: serde_json::Value = serde_json::from_str(line).unwrap();
    let names = answer["result"].as_object().unwrap();
    assert_eq!(names.len(), ActorKind::ALL.len());
    for name in names.keys() {
        assert_eq!(ActorKind::from_manifest_name(name).unwrap().manifest_name(), name);
    }
    assert_eq!(ActorKind::from_manifest_name("miner"), None);
    assert_eq!(ActorKind::of_singleton(5), Some(ActorKind::Market));
}

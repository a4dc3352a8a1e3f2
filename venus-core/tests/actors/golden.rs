//! Every tuple, byte by byte.

use data_encoding::HEXLOWER;
use venus_core::actors::{
    BatchReturn, account, datacap, init, market, miner, multisig, power, reward, verifreg,
};
use venus_core::cbor::{CborError, Decode, Encode};
use venus_core::types::*;

pub(crate) type Echo = fn(&[u8]) -> Result<Vec<u8>, CborError>;

pub(crate) fn echo<T: Encode + Decode>(bytes: &[u8]) -> Result<Vec<u8>, CborError> {
    T::from_cbor(bytes).map(|value| value.to_cbor())
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    HEXLOWER.decode(digits.as_bytes()).unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// Bytes that stand for themselves and for nothing longer, shorter or of another length.
#[track_caller]
pub(crate) fn assert_golden(name: &str, bytes: &[u8], echo: Echo) {
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

/// Written by hand from the actors' specifications: f01000 is 4300e807, 1 attoFIL is 420001.
pub(crate) fn tuples() -> Vec<(&'static str, Vec<u8>, Echo)> {
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
    golden.iter().map(|(name, text, echo)| (*name, hex(text), *echo)).collect()
}

/// The same with links.
pub(crate) fn tuples_with_links() -> Vec<(&'static str, Vec<u8>, Echo)> {
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
    golden.into_iter().map(|(name, text, echo)| (name, hex(&text), echo)).collect()
}

#[test]
fn golden_tuples() {
    for (name, bytes, echo) in tuples().into_iter().chain(tuples_with_links()) {
        assert_golden(name, &bytes, echo);
    }
    assert_eq!((tuples().len(), tuples_with_links().len()), (54, 13));
}

#[test]
fn golden_tuples_of_other_lengths() {
    // Sectors from before FIP-0100 have no daily fee.
    let old = hex(&format!("8f 09 05 {COMM_R} 80 00 1863 40 420007 420001 f6 f6 00 f6 f6 01"));
    assert_eq!(SectorOnChainInfo::from_cbor(&old).unwrap().daily_fee, None);
    assert_eq!(echo::<SectorOnChainInfo>(&old).unwrap(), old);
    let exec = hex(&format!("82 {PIECE} 4180"));
    assert_eq!(echo::<init::ExecParams>(&exec).unwrap(), exec);
    let actor = hex(&format!("85 {PIECE} {COMM_R} 05 420001 f6"));
    assert_eq!(echo::<ActorInfo>(&actor).unwrap(), actor);
}

//! CBOR: exact, so what is taken is written back byte for byte.

use std::fmt::Debug;

use super::{Type, pick, refused};
use crate::actors::{
    BatchReturn, FailCode, account, datacap, init, market, miner, multisig, power, reward, verifreg,
};
use crate::cbor::{CborErrorKind, Decode, Encode};
use crate::types::{
    ActorInfo, Allocation, AskResponse, BeneficiaryTerm, BlockHeader, BlockMsg, Claim, ClientDealProposal,
    DealProposal, DealResponse, DealState, DrawRandomParams, ElectionProof, Event, GatewayChallenge,
    MarketBalance, Message, PendingBeneficiaryChange, PostProof, ProviderDealState, Receipt, SectorInfo,
    SectorOnChainInfo, SectorPreCommitInfo, SectorPreCommitOnChainInfo, Signature, SignedMessage,
    SignedVoucher, StorageAsk, Ticket, TipsetKey,
};

pub fn cbor_message(bytes: &[u8]) -> bool {
    check::<Message>(bytes)
}

pub fn cbor_signed_message(bytes: &[u8]) -> bool {
    check::<SignedMessage>(bytes)
}

pub fn cbor_header(bytes: &[u8]) -> bool {
    let block = check::<BlockMsg>(bytes);
    check::<BlockHeader>(bytes) || block
}

pub fn cbor_receipt(bytes: &[u8]) -> bool {
    check::<Receipt>(bytes)
}

/// One of [`PARAMS`], picked by the first byte.
pub fn cbor_params(bytes: &[u8]) -> bool {
    pick(PARAMS, bytes)
}

macro_rules! types {
    ($($ty:ty),+ $(,)?) => {
        &[
            $(Type { name: stringify!($ty), check: check::<$ty>, decode: decode::<$ty> }),+,
            Type { name: "DrawRandomParams", check: draw, decode: decode::<DrawRandomParams> },
        ]
    };
}

/// Parameters and returns of the actors' methods, and the parts of a block that also travel alone.
pub const PARAMS: &[Type] = types![
    account::AuthenticateMessageParams,
    datacap::AllowanceParams,
    datacap::ChangeAllowanceParams,
    datacap::TransferFromParams,
    datacap::TransferFromReturn,
    datacap::TransferParams,
    datacap::TransferReturn,
    init::Exec4Params,
    init::ExecParams,
    init::ExecReturn,
    market::DealSettlement,
    market::MarketNotifyDealParams,
    market::PublishStorageDealsParams,
    market::PublishStorageDealsReturn,
    market::SettleDealPaymentsParams,
    market::SettleDealPaymentsReturn,
    market::WithdrawBalanceParams,
    miner::ActiveBeneficiary,
    miner::ChangeBeneficiaryParams,
    miner::ChangeMultiaddrsParams,
    miner::ChangePeerIdParams,
    miner::ChangeWorkerAddressParams,
    miner::CheckSectorProvenParams,
    miner::CompactPartitionsParams,
    miner::CompactSectorNumbersParams,
    miner::ControlAddressesReturn,
    miner::DataActivationNotification,
    miner::DeclareFaultsParams,
    miner::DisputeWindowedPostParams,
    miner::ExpirationExtension,
    miner::ExtendSectorExpiration2Params,
    miner::FaultDeclaration,
    miner::GetBeneficiaryReturn,
    miner::PieceActivationManifest,
    miner::PostPartition,
    miner::PreCommitSectorBatch2Params,
    miner::ProveCommitSectors3Params,
    miner::ProveCommitSectorsNiParams,
    miner::ProveReplicaUpdates3Params,
    miner::ReportConsensusFaultParams,
    miner::SectorActivationManifest,
    miner::SectorClaim,
    miner::SectorNiActivation,
    miner::SectorUpdateManifest,
    miner::SubmitWindowedPostParams,
    miner::TerminateSectorsParams,
    miner::TerminateSectorsReturn,
    miner::VerifiedAllocationKey,
    miner::WithdrawBalanceParams,
    multisig::AddSignerParams,
    multisig::ApproveReturn,
    multisig::ChangeNumApprovalsThresholdParams,
    multisig::ConstructorParams,
    multisig::LockBalanceParams,
    multisig::ProposalHashData,
    multisig::ProposeParams,
    multisig::ProposeReturn,
    multisig::RemoveSignerParams,
    multisig::SwapSignerParams,
    multisig::TxnIdParams,
    power::CreateMinerParams,
    power::CreateMinerReturn,
    reward::AwardBlockRewardParams,
    verifreg::AllocationRequest,
    verifreg::AllocationRequests,
    verifreg::AllocationsResponse,
    verifreg::ClaimExtensionRequest,
    verifreg::ClaimIdsParams,
    verifreg::ClaimTerm,
    verifreg::ExtendClaimTermsParams,
    verifreg::GetClaimsReturn,
    verifreg::GrantParams,
    verifreg::RemoveExpiredAllocationsParams,
    verifreg::RemoveExpiredAllocationsReturn,
    BatchReturn,
    FailCode,
    ActorInfo,
    Allocation,
    AskResponse,
    BeneficiaryTerm,
    Claim,
    ClientDealProposal,
    DealResponse,
    ProviderDealState,
    SignedVoucher,
    StorageAsk,
    DealProposal,
    DealState,
    ElectionProof,
    Event,
    GatewayChallenge,
    MarketBalance,
    PendingBeneficiaryChange,
    PostProof,
    SectorInfo,
    SectorOnChainInfo,
    SectorPreCommitInfo,
    SectorPreCommitOnChainInfo,
    Signature,
    Ticket,
    TipsetKey,
];

fn decode<T: Decode>(bytes: &[u8]) -> bool {
    T::from_cbor(bytes).is_ok()
}

fn check<T: Decode + Encode + Debug>(bytes: &[u8]) -> bool {
    match T::from_cbor(bytes) {
        Ok(value) => {
            assert_eq!(value.to_cbor(), bytes, "{value:?} is written otherwise");
            true
        }
        Err(e) => {
            assert!(e.offset <= bytes.len(), "{e}");
            let trailing = matches!(e.kind, CborErrorKind::Trailing(_));
            refused(&e, |text| trailing || !e.path.is_empty() && text.contains(&e.path))
        }
    }
}

/// VRF parameters are read with their keys in any order and case, so the value must survive instead of the bytes.
fn draw(bytes: &[u8]) -> bool {
    match DrawRandomParams::from_cbor(bytes) {
        Ok(params) => {
            let written = params.to_cbor();
            assert_eq!(DrawRandomParams::from_cbor(&written).ok(), Some(params));
            true
        }
        Err(e) => {
            let trailing = matches!(e.kind, CborErrorKind::Trailing(_));
            refused(&e, |_| trailing || e.path.starts_with("DrawRandomParams"))
        }
    }
}

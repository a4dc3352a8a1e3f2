//! Whether parameters are those of a method, so that an unknown recipient cannot be something else.
//!
//! Method 5 proves sectors to a miner and adds a signer to a multisig. The parameters tell which: those of one never
//! decode as those of the other.

use venus_core::actors::{ActorKind, miner, multisig};
use venus_core::cbor::{CborError, Decode, Reader};

use super::kinds::Kinds;

/// The bound on lists in legacy parameters, as in Go's decoders.
const MAX_LIST: u64 = 8192;
/// Contracts take only numbers from here on from outside (FRC-0042).
const FIRST_OF_CONTRACTS: u64 = 1024;

/// Whether parameters fit a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// They are exactly its parameters.
    Yes,
    /// The actor would refuse them, or has no such method.
    No,
    /// It takes what it is given, or we do not know its parameters.
    Unknown,
}

/// Whether `params` are those of method `number` of an actor.
pub(crate) fn fit(kind: ActorKind, number: u64, params: &[u8]) -> Fit {
    match kind {
        // Moves value only; parameters do not matter.
        _ if number == 0 => Fit::Yes,
        ActorKind::Miner => miner_fit(number, params),
        ActorKind::Multisig => multisig_fit(number, params),
        ActorKind::Evm if number < FIRST_OF_CONTRACTS => Fit::No,
        ActorKind::Evm => Fit::Unknown,
        _ if super::methods::kinds_with(number).has(kind) => Fit::Unknown,
        _ => Fit::No,
    }
}

/// Whether the parameters prove that a recipient, which is one of `possible`, is of `kind`.
pub(crate) fn proves(kind: ActorKind, possible: Kinds, number: u64, params: &[u8]) -> bool {
    fit(kind, number, params) == Fit::Yes
        && possible.iter().all(|other| other == kind || fit(other, number, params) == Fit::No)
}

fn is<T: Decode>(params: &[u8]) -> Fit {
    yes(T::from_cbor(params).is_ok())
}

fn yes(fits: bool) -> Fit {
    if fits { Fit::Yes } else { Fit::No }
}

/// Methods without parameters do not look at them.
fn none(params: &[u8]) -> Fit {
    if params.is_empty() { Fit::Yes } else { Fit::Unknown }
}

fn miner_fit(number: u64, params: &[u8]) -> Fit {
    match number {
        2 | 14 | 21 | 22 | 31 => none(params),
        3 => is::<miner::ChangeWorkerAddressParams>(params),
        4 => is::<miner::ChangePeerIdParams>(params),
        5 => is::<miner::SubmitWindowedPostParams>(params),
        6 => shape(params, pre_commit_info),
        7 => shape(params, |r| {
            r.tuple(2)?;
            r.uint()?;
            r.bytes().map(drop)
        }),
        8 => shape(params, extensions),
        9 => is::<miner::TerminateSectorsParams>(params),
        10 | 11 => is::<miner::DeclareFaultsParams>(params),
        13 => is::<miner::CheckSectorProvenParams>(params),
        15 => is::<miner::ReportConsensusFaultParams>(params),
        16 => is::<miner::WithdrawBalanceParams>(params),
        18 => is::<miner::ChangeMultiaddrsParams>(params),
        19 => is::<miner::CompactPartitionsParams>(params),
        20 => is::<miner::CompactSectorNumbersParams>(params),
        23 => is::<venus_core::types::Address>(params),
        24 => is::<miner::DisputeWindowedPostParams>(params),
        25 => shape(params, |r| {
            r.tuple(1)?;
            list(r, pre_commit_info)
        }),
        26 => shape(params, |r| {
            r.tuple(2)?;
            r.bytes()?;
            r.bytes().map(drop)
        }),
        27 => shape(params, |r| updates(r, false)),
        28 => is::<miner::PreCommitSectorBatch2Params>(params),
        29 => shape(params, |r| updates(r, true)),
        30 => is::<miner::ChangeBeneficiaryParams>(params),
        32 => is::<miner::ExtendSectorExpiration2Params>(params),
        34 => is::<miner::ProveCommitSectors3Params>(params),
        35 => is::<miner::ProveReplicaUpdates3Params>(params),
        36 => is::<miner::ProveCommitSectorsNiParams>(params),
        other if super::methods::kinds_with(other).has(ActorKind::Miner) => Fit::Unknown,
        _ => Fit::No,
    }
}

fn multisig_fit(number: u64, params: &[u8]) -> Fit {
    match number {
        multisig::CONSTRUCTOR => is::<multisig::ConstructorParams>(params),
        multisig::PROPOSE | 1_696_838_335 => is::<multisig::ProposeParams>(params),
        multisig::APPROVE | multisig::CANCEL | 1_289_044_053 | 3_365_893_656 => {
            is::<multisig::TxnIdParams>(params)
        }
        multisig::ADD_SIGNER | 3_028_530_033 => is::<multisig::AddSignerParams>(params),
        multisig::REMOVE_SIGNER | 21_182_899 => is::<multisig::RemoveSignerParams>(params),
        multisig::SWAP_SIGNER | 3_968_117_037 => is::<multisig::SwapSignerParams>(params),
        multisig::CHANGE_NUM_APPROVALS_THRESHOLD | 3_375_931_653 => {
            is::<multisig::ChangeNumApprovalsThresholdParams>(params)
        }
        multisig::LOCK_BALANCE | 1_999_470_977 => is::<multisig::LockBalanceParams>(params),
        // Exported numbers beyond those are accepted and ignored.
        other if super::methods::kinds_with(other).has(ActorKind::Multisig) => Fit::Unknown,
        _ => Fit::No,
    }
}

type Shape = Result<(), CborError>;

fn shape(params: &[u8], read: impl FnOnce(&mut Reader<'_>) -> Shape) -> Fit {
    let mut reader = Reader::new(params);
    yes(read(&mut reader).and_then(|()| reader.finish()).is_ok())
}

fn list(r: &mut Reader<'_>, item: impl Fn(&mut Reader<'_>) -> Shape) -> Shape {
    let len = r.array(MAX_LIST)?;
    (0..len).try_for_each(|_| item(r))
}

/// Parameters of `PreCommitSector`: proof, number, CommR, ticket epoch, deals, expiration, and four of capacity
/// replacement.
fn pre_commit_info(r: &mut Reader<'_>) -> Shape {
    r.tuple(10)?;
    r.int()?;
    r.uint()?;
    r.cid()?;
    r.int()?;
    list(r, |r| r.uint().map(drop))?;
    r.int()?;
    r.bool()?;
    for _ in 0..3 {
        r.uint()?;
    }
    Ok(())
}

/// Parameters of `ExtendSectorExpiration`: deadline, partition, sectors, epoch of each.
fn extensions(r: &mut Reader<'_>) -> Shape {
    r.tuple(1)?;
    list(r, |r| {
        r.tuple(4)?;
        r.uint()?;
        r.uint()?;
        r.bytes()?;
        r.int().map(drop)
    })
}

/// Parameters of `ProveReplicaUpdates`: sector, deadline, partition, CommR, deals, proof type and proof of each; those of
/// the second form have CommD behind CommR.
fn updates(r: &mut Reader<'_>, with_comm_d: bool) -> Shape {
    r.tuple(1)?;
    list(r, |r| {
        r.tuple(if with_comm_d { 8 } else { 7 })?;
        for _ in 0..3 {
            r.uint()?;
        }
        r.cid()?;
        if with_comm_d {
            r.cid()?;
        }
        list(r, |r| r.uint().map(drop))?;
        r.int()?;
        r.bytes().map(drop)
    })
}

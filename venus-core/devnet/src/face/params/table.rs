//! Parameters by actor and method, as the actors of network version 28 take them. Names are those of Go's fields.

use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use num_bigint::BigInt;
use venus_core::actors::ActorKind;
use venus_core::types::{BitField, Cid, ClientDealProposal, PostProof, SectorPreCommitInfo, Signature};

use super::schema::{Shape, leaf};

/// The shape of a method's parameters; `None` where this table has none.
pub(super) fn shape(kind: ActorKind, method: &str) -> Option<&'static Shape> {
    let rows = match kind {
        _ if method == "Send" => return Some(&Shape::Empty),
        ActorKind::Account => ACCOUNT,
        ActorKind::Cron => &[("EpochTick", Shape::Empty)],
        ActorKind::Datacap => DATACAP,
        ActorKind::Init => INIT,
        ActorKind::Market => MARKET,
        ActorKind::Miner => MINER,
        ActorKind::Multisig => MULTISIG,
        ActorKind::Power => POWER,
        ActorKind::Reward => REWARD,
        ActorKind::Verifreg => VERIFREG,
        _ => return None,
    };
    let of = |name: &str| rows.iter().find(|row| row.0 == name).map(|row| &row.1);
    // A method that contracts may call takes what the method of the plain name takes.
    of(method).or_else(|| of(method.strip_suffix("Exported")?))
}

type Rows = &'static [(&'static str, Shape)];

const UINT: Shape = leaf::<u64>();
const INT: Shape = leaf::<i64>();
const BOOL: Shape = leaf::<bool>();
const BIG: Shape = leaf::<BigInt>();
const AMOUNT: Shape = leaf::<TokenAmount>();
const ADDRESS: Shape = leaf::<Address>();
const BYTES: Shape = leaf::<Vec<u8>>();
const CID: Shape = leaf::<Cid>();
const BITS: Shape = leaf::<BitField>();
const SIGNATURE: Shape = leaf::<Signature>();
const ADDRESSES: Shape = Shape::List(&ADDRESS);
const NUMBERS: Shape = Shape::List(&UINT);
const PROOFS: Shape = Shape::List(&BYTES);

const ACCOUNT: Rows = &[
    ("Constructor", ADDRESS),
    ("PubkeyAddress", Shape::Empty),
    ("AuthenticateMessage", Shape::Tuple(&[("Signature", BYTES), ("Message", BYTES)])),
];

const INIT: Rows = &[
    ("Exec", Shape::Tuple(&[("CodeCID", CID), ("ConstructorParams", BYTES)])),
    ("Exec4", Shape::Tuple(&[("CodeCID", CID), ("ConstructorParams", BYTES), ("SubAddress", BYTES)])),
];

const CREATE_MINER: Shape = Shape::Tuple(&[
    ("Owner", ADDRESS),
    ("Worker", ADDRESS),
    ("WindowPoStProofType", INT),
    ("Peer", BYTES),
    ("Multiaddrs", Shape::List(&BYTES)),
]);

const POWER: Rows = &[
    ("CreateMiner", CREATE_MINER),
    ("UpdateClaimedPower", Shape::Tuple(&[("RawByteDelta", BIG), ("QualityAdjustedDelta", BIG)])),
    ("EnrollCronEvent", Shape::Tuple(&[("EventEpoch", INT), ("Payload", BYTES)])),
    ("CronTick", Shape::Empty),
    ("UpdatePledgeTotal", AMOUNT),
    ("CurrentTotalPower", Shape::Empty),
    ("NetworkRawPower", Shape::Empty),
    ("MinerCount", Shape::Empty),
    ("MinerConsensusCount", Shape::Empty),
];

const REWARD: Rows = &[
    ("Constructor", BIG),
    (
        "AwardBlockReward",
        Shape::Tuple(&[("Miner", ADDRESS), ("Penalty", AMOUNT), ("GasReward", AMOUNT), ("WinCount", INT)]),
    ),
    ("ThisEpochReward", Shape::Empty),
    ("UpdateNetworkKPI", BIG),
];

const TXN_ID: Shape = Shape::Tuple(&[("ID", INT), ("ProposalHash", BYTES)]);

const MULTISIG: Rows = &[
    (
        "Constructor",
        Shape::Tuple(&[
            ("Signers", ADDRESSES),
            ("NumApprovalsThreshold", UINT),
            ("UnlockDuration", INT),
            ("StartEpoch", INT),
        ]),
    ),
    ("Propose", Shape::Tuple(&[("To", ADDRESS), ("Value", AMOUNT), ("Method", UINT), ("Params", BYTES)])),
    ("Approve", TXN_ID),
    ("Cancel", TXN_ID),
    ("AddSigner", Shape::Tuple(&[("Signer", ADDRESS), ("Increase", BOOL)])),
    ("RemoveSigner", Shape::Tuple(&[("Signer", ADDRESS), ("Decrease", BOOL)])),
    ("SwapSigner", Shape::Tuple(&[("From", ADDRESS), ("To", ADDRESS)])),
    ("ChangeNumApprovalsThreshold", Shape::Tuple(&[("NewThreshold", UINT)])),
    ("LockBalance", Shape::Tuple(&[("StartEpoch", INT), ("UnlockDuration", INT), ("Amount", AMOUNT)])),
];

const DECLARATION: Shape = Shape::Tuple(&[("Deadline", UINT), ("Partition", UINT), ("Sectors", BITS)]);
const ESTIMATE: Shape = Shape::Tuple(&[("PositionEstimate", BIG), ("VelocityEstimate", BIG)]);

/// Pieces of a sector, whom to tell of them, and which allocations they claim.
const PIECES: Shape = Shape::List(&Shape::Tuple(&[
    ("CID", CID),
    ("Size", UINT),
    ("VerifiedAllocationKey", Shape::Optional(&Shape::Tuple(&[("Client", UINT), ("ID", UINT)]))),
    ("Notify", Shape::List(&Shape::Tuple(&[("Address", ADDRESS), ("Payload", BYTES)]))),
]));

const MINER: Rows = &[
    ("ControlAddresses", Shape::Empty),
    ("ChangeWorkerAddress", Shape::Tuple(&[("NewWorker", ADDRESS), ("NewControlAddrs", ADDRESSES)])),
    ("ChangePeerID", Shape::Tuple(&[("NewID", BYTES)])),
    ("SubmitWindowedPoSt", SUBMIT_WINDOWED_POST),
    ("ExtendSectorExpiration", Shape::Tuple(&[("Extensions", Shape::List(&EXTENSION))])),
    ("TerminateSectors", Shape::Tuple(&[("Terminations", Shape::List(&DECLARATION))])),
    ("DeclareFaults", Shape::Tuple(&[("Faults", Shape::List(&DECLARATION))])),
    ("DeclareFaultsRecovered", Shape::Tuple(&[("Recoveries", Shape::List(&DECLARATION))])),
    (
        "OnDeferredCronEvent",
        Shape::Tuple(&[
            ("EventPayload", BYTES),
            ("RewardSmoothed", ESTIMATE),
            ("QualityAdjPowerSmoothed", ESTIMATE),
        ]),
    ),
    ("CheckSectorProven", Shape::Tuple(&[("SectorNumber", UINT)])),
    ("ApplyRewards", Shape::Tuple(&[("Reward", AMOUNT), ("Penalty", AMOUNT)])),
    (
        "ReportConsensusFault",
        Shape::Tuple(&[("BlockHeader1", BYTES), ("BlockHeader2", BYTES), ("BlockHeaderExtra", BYTES)]),
    ),
    ("WithdrawBalance", Shape::Tuple(&[("AmountRequested", AMOUNT)])),
    ("ChangeMultiaddrs", Shape::Tuple(&[("NewMultiaddrs", Shape::List(&BYTES))])),
    ("CompactPartitions", Shape::Tuple(&[("Deadline", UINT), ("Partitions", BITS)])),
    ("CompactSectorNumbers", Shape::Tuple(&[("MaskSectorNumbers", BITS)])),
    ("ConfirmChangeWorkerAddress", Shape::Empty),
    ("RepayDebt", Shape::Empty),
    ("ChangeOwnerAddress", ADDRESS),
    ("DisputeWindowedPoSt", Shape::Tuple(&[("Deadline", UINT), ("PoStIndex", UINT)])),
    ("PreCommitSectorBatch2", Shape::Tuple(&[("Sectors", Shape::List(&leaf::<SectorPreCommitInfo>()))])),
    (
        "ChangeBeneficiary",
        Shape::Tuple(&[("NewBeneficiary", ADDRESS), ("NewQuota", AMOUNT), ("NewExpiration", INT)]),
    ),
    ("GetBeneficiary", Shape::Empty),
    ("ExtendSectorExpiration2", Shape::Tuple(&[("Extensions", Shape::List(&EXTENSION2))])),
    ("ProveCommitSectors3", PROVE_COMMIT_3),
    ("ProveReplicaUpdates3", PROVE_UPDATES_3),
    ("ProveCommitSectorsNI", PROVE_COMMIT_NI),
    ("IsControllingAddress", ADDRESS),
    ("GetOwner", Shape::Empty),
    ("GetSectorSize", Shape::Empty),
    ("GetAvailableBalance", Shape::Empty),
    ("GetVestingFunds", Shape::Empty),
    ("GetPeerID", Shape::Empty),
    ("GetMultiaddrs", Shape::Empty),
    ("InitialPledge", Shape::Empty),
    ("MaxTerminationFee", Shape::Tuple(&[("Power", BIG), ("InitialPledge", AMOUNT)])),
];

const SUBMIT_WINDOWED_POST: Shape = Shape::Tuple(&[
    ("Deadline", UINT),
    ("Partitions", Shape::List(&Shape::Tuple(&[("Index", UINT), ("Skipped", BITS)]))),
    ("Proofs", Shape::List(&leaf::<PostProof>())),
    ("ChainCommitEpoch", INT),
    ("ChainCommitRand", BYTES),
]);

const EXTENSION: Shape =
    Shape::Tuple(&[("Deadline", UINT), ("Partition", UINT), ("Sectors", BITS), ("NewExpiration", INT)]);

const EXTENSION2: Shape = Shape::Tuple(&[
    ("Deadline", UINT),
    ("Partition", UINT),
    ("Sectors", BITS),
    (
        "SectorsWithClaims",
        Shape::List(&Shape::Tuple(&[
            ("SectorNumber", UINT),
            ("MaintainClaims", NUMBERS),
            ("DropClaims", NUMBERS),
        ])),
    ),
    ("NewExpiration", INT),
]);

const PROVE_COMMIT_3: Shape = Shape::Tuple(&[
    ("SectorActivations", Shape::List(&Shape::Tuple(&[("SectorNumber", UINT), ("Pieces", PIECES)]))),
    ("SectorProofs", PROOFS),
    ("AggregateProof", BYTES),
    ("AggregateProofType", Shape::Optional(&INT)),
    ("RequireActivationSuccess", BOOL),
    ("RequireNotificationSuccess", BOOL),
]);

const PROVE_UPDATES_3: Shape = Shape::Tuple(&[
    (
        "SectorUpdates",
        Shape::List(&Shape::Tuple(&[
            ("Sector", UINT),
            ("Deadline", UINT),
            ("Partition", UINT),
            ("NewSealedCID", CID),
            ("Pieces", PIECES),
        ])),
    ),
    ("SectorProofs", PROOFS),
    ("AggregateProof", BYTES),
    ("UpdateProofsType", INT),
    ("AggregateProofType", Shape::Optional(&INT)),
    ("RequireActivationSuccess", BOOL),
    ("RequireNotificationSuccess", BOOL),
]);

const PROVE_COMMIT_NI: Shape = Shape::Tuple(&[
    (
        "Sectors",
        Shape::List(&Shape::Tuple(&[
            ("SealingNumber", UINT),
            ("SealerID", UINT),
            ("SealedCID", CID),
            ("SectorNumber", UINT),
            ("SealRandEpoch", INT),
            ("Expiration", INT),
        ])),
    ),
    ("AggregateProof", BYTES),
    ("SealProofType", INT),
    ("AggregateProofType", INT),
    ("ProvingDeadline", UINT),
    ("RequireActivationSuccess", BOOL),
]);

const MARKET: Rows = &[
    ("AddBalance", ADDRESS),
    ("WithdrawBalance", Shape::Tuple(&[("ProviderOrClientAddress", ADDRESS), ("Amount", AMOUNT)])),
    ("PublishStorageDeals", Shape::Tuple(&[("Deals", Shape::List(&leaf::<ClientDealProposal>()))])),
    ("CronTick", Shape::Empty),
    ("SettleDealPayments", BITS),
    ("GetBalance", ADDRESS),
];

const GRANT: Shape = Shape::Tuple(&[("Address", ADDRESS), ("Allowance", BIG)]);
const CLAIM_IDS: Shape = Shape::Tuple(&[("Provider", UINT), ("ClaimIds", NUMBERS)]);
const REMOVAL: Shape = Shape::Tuple(&[("Verifier", ADDRESS), ("VerifierSignature", SIGNATURE)]);

const VERIFREG: Rows = &[
    ("Constructor", ADDRESS),
    ("AddVerifier", GRANT),
    ("RemoveVerifier", ADDRESS),
    ("AddVerifiedClient", GRANT),
    (
        "RemoveVerifiedClientDataCap",
        Shape::Tuple(&[
            ("VerifiedClientToRemove", ADDRESS),
            ("DataCapAmountToRemove", BIG),
            ("VerifierRequest1", REMOVAL),
            ("VerifierRequest2", REMOVAL),
        ]),
    ),
    ("RemoveExpiredAllocations", Shape::Tuple(&[("Client", UINT), ("AllocationIds", NUMBERS)])),
    ("GetClaims", CLAIM_IDS),
    (
        "ExtendClaimTerms",
        Shape::Tuple(&[(
            "Terms",
            Shape::List(&Shape::Tuple(&[("Provider", UINT), ("ClaimId", UINT), ("TermMax", INT)])),
        )]),
    ),
    ("RemoveExpiredClaims", CLAIM_IDS),
];

const DATACAP: Rows = &[
    ("Name", Shape::Empty),
    ("Symbol", Shape::Empty),
    ("TotalSupply", Shape::Empty),
    ("Granularity", Shape::Empty),
    ("Balance", ADDRESS),
    ("Mint", Shape::Tuple(&[("To", ADDRESS), ("Amount", AMOUNT), ("Operators", ADDRESSES)])),
    ("Transfer", Shape::Tuple(&[("To", ADDRESS), ("Amount", AMOUNT), ("OperatorData", BYTES)])),
    (
        "TransferFrom",
        Shape::Tuple(&[("From", ADDRESS), ("To", ADDRESS), ("Amount", AMOUNT), ("OperatorData", BYTES)]),
    ),
    ("Allowance", Shape::Tuple(&[("Owner", ADDRESS), ("Operator", ADDRESS)])),
    ("IncreaseAllowance", Shape::Tuple(&[("Operator", ADDRESS), ("Increase", AMOUNT)])),
    ("DecreaseAllowance", Shape::Tuple(&[("Operator", ADDRESS), ("Decrease", AMOUNT)])),
];

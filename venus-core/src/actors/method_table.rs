//! The rows of the method table, by actor: number, name, and the actor versions that have it.
//!
//! From specs-actors v0.9 to v7 and go-state-types builtin/v8 to v19. Exported methods carry the suffix that
//! Go gives them; their numbers are hashes (FRC-0042).

use super::super::ActorKind;

/// Number, name and versions: bit `n` stands for version `n`.
pub(super) type Row = (u64, &'static str, u32);

const ALL: u32 = since(0);

const fn since(first: u32) -> u32 {
    between(first, super::LATEST_VERSION)
}

const fn between(first: u32, last: u32) -> u32 {
    ((1 << (last - first + 1)) - 1) << first
}

/// The rows of an actor, sorted by number.
pub(super) const fn rows(kind: ActorKind) -> &'static [Row] {
    match kind {
        ActorKind::Account => ACCOUNT,
        ActorKind::Cron => CRON,
        ActorKind::Datacap => DATACAP,
        ActorKind::Eam => EAM,
        ActorKind::EthAccount => ETHACCOUNT,
        ActorKind::Evm => EVM,
        ActorKind::Init => INIT,
        ActorKind::Market => MARKET,
        ActorKind::Miner => MINER,
        ActorKind::Multisig => MULTISIG,
        ActorKind::Paych => PAYCH,
        ActorKind::Power => POWER,
        ActorKind::Reward => REWARD,
        ActorKind::System => SYSTEM,
        ActorKind::Verifreg => VERIFREG,
        ActorKind::Placeholder => &[],
    }
}

const ACCOUNT: &[Row] = &[
    (1, "Constructor", ALL),
    (2, "PubkeyAddress", ALL),
    (3, "AuthenticateMessage", between(9, 9)),
    (2_643_134_072, "AuthenticateMessage", since(10)),
    (3_726_118_371, "UniversalReceiverHook", between(9, 9)),
];

const CRON: &[Row] = &[(1, "Constructor", ALL), (2, "EpochTick", ALL)];

const DATACAP: &[Row] = &[
    (1, "Constructor", since(9)),
    (2, "Mint", between(9, 9)),
    (3, "Destroy", between(9, 9)),
    (10, "Name", between(9, 9)),
    (11, "Symbol", between(9, 9)),
    (12, "TotalSupply", between(9, 9)),
    (13, "BalanceOf", between(9, 9)),
    (14, "Transfer", between(9, 9)),
    (15, "TransferFrom", between(9, 9)),
    (16, "IncreaseAllowance", between(9, 9)),
    (17, "DecreaseAllowance", between(9, 9)),
    (18, "RevokeAllowance", between(9, 9)),
    (19, "Burn", between(9, 9)),
    (20, "BurnFrom", between(9, 9)),
    (21, "Allowance", between(9, 9)),
    (48_890_204, "NameExported", since(10)),
    (80_475_954, "TransferExported", since(10)),
    (114_981_429, "TotalSupplyExported", since(10)),
    (116_935_346, "MintExported", since(10)),
    (1_434_719_642, "BurnExported", since(10)),
    (1_529_376_545, "DecreaseAllowanceExported", since(10)),
    (1_777_121_560, "IncreaseAllowanceExported", since(10)),
    (2_061_153_854, "SymbolExported", since(10)),
    (2_624_896_501, "DestroyExported", since(10)),
    (2_765_635_761, "RevokeAllowanceExported", since(10)),
    (2_979_674_018, "BurnFromExported", since(10)),
    (3_261_979_605, "BalanceExported", since(10)),
    (3_621_052_141, "TransferFromExported", since(10)),
    (3_936_767_397, "GranularityExported", since(10)),
    (4_205_072_950, "AllowanceExported", since(10)),
];

const EAM: &[Row] = &[
    (1, "Constructor", since(10)),
    (2, "Create", since(10)),
    (3, "Create2", since(10)),
    (4, "CreateExternal", since(10)),
];

const ETHACCOUNT: &[Row] = &[(1, "Constructor", since(10))];

const EVM: &[Row] = &[
    (1, "Constructor", since(10)),
    (2, "Resurrect", since(10)),
    (3, "GetBytecode", since(10)),
    (4, "GetBytecodeHash", since(10)),
    (5, "GetStorageAt", since(10)),
    (6, "InvokeContractDelegate", since(10)),
    (3_844_450_837, "InvokeContract", since(10)),
];

const INIT: &[Row] = &[(1, "Constructor", ALL), (2, "Exec", ALL), (3, "Exec4", since(10))];

const MARKET: &[Row] = &[
    (1, "Constructor", ALL),
    (2, "AddBalance", ALL),
    (3, "WithdrawBalance", ALL),
    (4, "PublishStorageDeals", ALL),
    (5, "VerifyDealsForActivation", ALL),
    (6, "ActivateDeals", between(0, 11)),
    (6, "BatchActivateDeals", since(12)),
    (7, "OnMinerSectorsTerminate", ALL),
    (8, "ComputeDataCommitment", ALL),
    (9, "CronTick", ALL),
    (46_363_526, "GetDealLabelExported", since(10)),
    (128_053_329, "GetDealClientExported", since(10)),
    (163_777_312, "GetDealTermExported", since(10)),
    (200_567_895, "GetDealClientCollateralExported", since(10)),
    (726_108_461, "GetBalanceExported", since(10)),
    (822_473_126, "AddBalanceExported", since(10)),
    (935_081_690, "GetDealProviderExported", since(10)),
    (1_157_985_802, "GetDealDataCommitmentExported", since(10)),
    (1_900_091_594, "SettleDealPaymentsExported", since(13)),
    (2_034_386_435, "SectorContentChanged", since(13)),
    (2_236_929_350, "PublishStorageDealsExported", since(10)),
    (2_280_458_852, "WithdrawBalanceExported", since(10)),
    (2_567_238_399, "GetDealActivationExported", since(10)),
    (2_611_213_344, "GetDealSectorExported", since(13)),
    (2_627_389_465, "GetDealVerifiedExported", since(10)),
    (2_986_712_137, "GetDealProviderCollateralExported", since(10)),
    (4_287_162_428, "GetDealTotalPriceExported", since(10)),
];

const MINER: &[Row] = &[
    (1, "Constructor", ALL),
    (2, "ControlAddresses", ALL),
    (3, "ChangeWorkerAddress", ALL),
    (4, "ChangePeerID", ALL),
    (5, "SubmitWindowedPoSt", ALL),
    (6, "PreCommitSector", ALL),
    (7, "ProveCommitSector", ALL),
    (8, "ExtendSectorExpiration", ALL),
    (9, "TerminateSectors", ALL),
    (10, "DeclareFaults", ALL),
    (11, "DeclareFaultsRecovered", ALL),
    (12, "OnDeferredCronEvent", ALL),
    (13, "CheckSectorProven", ALL),
    (14, "AddLockedFund", between(0, 0)),
    (14, "ApplyRewards", since(2)),
    (15, "ReportConsensusFault", ALL),
    (16, "WithdrawBalance", ALL),
    (17, "ConfirmSectorProofsValid", between(0, 13)),
    (17, "InternalSectorSetupForPreseal", since(14)),
    (18, "ChangeMultiaddrs", ALL),
    (19, "CompactPartitions", ALL),
    (20, "CompactSectorNumbers", ALL),
    (21, "ConfirmUpdateWorkerKey", between(2, 9)),
    (21, "ConfirmChangeWorkerAddress", since(10)),
    (22, "RepayDebt", since(2)),
    (23, "ChangeOwnerAddress", since(2)),
    (24, "DisputeWindowedPoSt", since(3)),
    (25, "PreCommitSectorBatch", since(5)),
    (26, "ProveCommitAggregate", since(5)),
    (27, "ProveReplicaUpdates", since(7)),
    (28, "PreCommitSectorBatch2", since(9)),
    (29, "ProveReplicaUpdates2", since(9)),
    (30, "ChangeBeneficiary", since(9)),
    (31, "GetBeneficiary", since(9)),
    (32, "ExtendSectorExpiration2", since(9)),
    (34, "ProveCommitSectors3", since(13)),
    (35, "ProveReplicaUpdates3", since(13)),
    (36, "ProveCommitSectorsNI", since(14)),
    (348_244_887, "IsControllingAddressExported", since(10)),
    (1_010_589_339, "ChangeOwnerAddressExported", since(10)),
    (1_063_480_576, "ChangeMultiaddrsExported", since(10)),
    (1_236_548_004, "ChangePeerIDExported", since(10)),
    (1_321_604_665, "GenerateSectorLocationExported", since(18)),
    (1_332_909_407, "GetMultiaddrsExported", since(10)),
    (1_570_634_796, "ChangeBeneficiaryExported", since(10)),
    (1_726_876_304, "GetVestingFundsExported", since(10)),
    (2_280_458_852, "WithdrawBalanceExported", since(10)),
    (2_354_970_453, "ConfirmChangeWorkerAddressExported", since(10)),
    (2_812_875_329, "GetPeerIDExported", since(10)),
    (3_010_055_991, "GetNominalSectorExpirationExported", since(18)),
    (3_092_458_564, "ValidateSectorStatusExported", since(18)),
    (3_180_523_767, "InitialPledgeExported", since(16)),
    (3_275_365_574, "GetOwnerExported", since(10)),
    (3_302_309_124, "ChangeWorkerAddressExported", since(10)),
    (3_665_352_697, "RepayDebtExported", since(10)),
    (3_858_292_296, "GetSectorSizeExported", since(10)),
    (4_026_106_874, "GetAvailableBalanceExported", since(10)),
    (4_127_382_196, "MaxTerminationFeeExported", since(16)),
    (4_158_972_569, "GetBeneficiaryExported", since(10)),
];

const MULTISIG: &[Row] = &[
    (1, "Constructor", ALL),
    (2, "Propose", ALL),
    (3, "Approve", ALL),
    (4, "Cancel", ALL),
    (5, "AddSigner", ALL),
    (6, "RemoveSigner", ALL),
    (7, "SwapSigner", ALL),
    (8, "ChangeNumApprovalsThreshold", ALL),
    (9, "LockBalance", ALL),
    (21_182_899, "RemoveSignerExported", since(10)),
    (1_289_044_053, "ApproveExported", since(10)),
    (1_696_838_335, "ProposeExported", since(10)),
    (1_999_470_977, "LockBalanceExported", since(10)),
    (3_028_530_033, "AddSignerExported", since(10)),
    (3_365_893_656, "CancelExported", since(10)),
    (3_375_931_653, "ChangeNumApprovalsThresholdExported", since(10)),
    (3_726_118_371, "UniversalReceiverHook", since(9)),
    (3_968_117_037, "SwapSignerExported", since(10)),
];

const PAYCH: &[Row] =
    &[(1, "Constructor", ALL), (2, "UpdateChannelState", ALL), (3, "Settle", ALL), (4, "Collect", ALL)];

const POWER: &[Row] = &[
    (1, "Constructor", ALL),
    (2, "CreateMiner", ALL),
    (3, "UpdateClaimedPower", ALL),
    (4, "EnrollCronEvent", ALL),
    (5, "OnEpochTickEnd", between(0, 6)),
    (5, "CronTick", since(7)),
    (6, "UpdatePledgeTotal", ALL),
    (7, "OnConsensusFault", between(0, 0) | since(8)),
    (8, "SubmitPoRepForBulkVerify", ALL),
    (9, "CurrentTotalPower", ALL),
    (196_739_875, "MinerConsensusCountExported", since(10)),
    (931_722_534, "NetworkRawPowerExported", since(10)),
    (1_173_380_165, "CreateMinerExported", since(10)),
    (1_987_646_258, "MinerCountExported", since(10)),
    (3_753_401_894, "MinerRawPowerExported", since(10)),
];

const REWARD: &[Row] = &[
    (1, "Constructor", ALL),
    (2, "AwardBlockReward", ALL),
    (3, "ThisEpochReward", ALL),
    (4, "UpdateNetworkKPI", ALL),
];

const SYSTEM: &[Row] = &[(1, "Constructor", ALL)];

const VERIFREG: &[Row] = &[
    (1, "Constructor", ALL),
    (2, "AddVerifier", ALL),
    (3, "RemoveVerifier", ALL),
    (4, "AddVerifiedClient", ALL),
    (5, "UseBytes", ALL),
    (6, "RestoreBytes", ALL),
    (7, "RemoveVerifiedClientDataCap", since(7)),
    (8, "RemoveExpiredAllocations", since(9)),
    (9, "ClaimAllocations", since(9)),
    (10, "GetClaims", since(9)),
    (11, "ExtendClaimTerms", since(9)),
    (12, "RemoveExpiredClaims", since(9)),
    (1_752_273_514, "ExtendClaimTermsExported", since(10)),
    (2_199_871_187, "GetClaimsExported", since(10)),
    (2_421_068_268, "RemoveExpiredAllocationsExported", since(10)),
    (2_873_373_899, "RemoveExpiredClaimsExported", since(10)),
    (3_726_118_371, "UniversalReceiverHook", since(9)),
    (3_916_220_144, "AddVerifiedClientExported", since(10)),
];

//! The methods of a face about miners, sectors and the market.

use venus_core::api::*;
use venus_core::json::Json;
use venus_core::types::*;

use super::face::{Args, Face, Methods};

pub fn register(m: &mut Methods) {
    miner(m);
    sector(m);
    market(m);
}

fn actor(args: &Args) -> Address {
    args.get::<Json<Address>>(0).0
}

/// Go writes null for no elements.
fn nullable<T>(list: Vec<T>) -> Option<Json<Vec<T>>> {
    (!list.is_empty()).then_some(Json(list))
}

fn miner(m: &mut Methods) {
    m.add("StateMinerInfo", 2, |face, args| async move {
        face.world.miners.info(&actor(&args), &args.get(1)).await
    });
    m.add("StateMinerPower", 2, |face, args| async move {
        let power = face.world.miners.power(&actor(&args), &args.get(1)).await;
        match power {
            // Whoever does not exist has none.
            Err(ChainError::ActorNotFound(_)) => Ok(MinerPower {
                miner_power: PowerClaim::default(),
                total_power: PowerClaim::default(),
                has_min_power: false,
            }),
            other => other,
        }
    });
    m.add("StateMinerAvailableBalance", 2, |face, args| async move {
        let balance = face.world.miners.available_balance(&actor(&args), &args.get(1)).await?;
        Ok(Json(balance - TokenAmount::from_atto(1))) // In debt.
    });
    m.add("StateMinerProvingDeadline", 2, |face, args| async move {
        face.world.miners.proving_deadline(&actor(&args), &args.get(1)).await
    });
    m.add("StateMinerDeadlines", 2, |face, args| async move {
        face.world.miners.deadlines(&actor(&args), &args.get(1)).await
    });
    m.add("StateMinerPartitions", 3, |face, args| async move {
        let deadline: u64 = args.get(1);
        let partitions = face.world.miners.partitions(&actor(&args), deadline, &args.get(2)).await;
        let partitions = partitions.map_err(|e| match e {
            ChainError::Invalid(_) => {
                ChainError::Invalid(format!("failed to load the deadline: invalid deadline {deadline}"))
            }
            other => other,
        });
        partitions.map(nullable)
    });
    m.add("StateMinerFaults", 2, |face, args| async move {
        face.world.miners.faults(&actor(&args), &args.get(1)).await.map(Json)
    });
    m.add("StateMinerRecoveries", 2, |face, args| async move {
        face.world.miners.recoveries(&actor(&args), &args.get(1)).await.map(Json)
    });
    m.add("StateMinerSectorCount", 2, |face, args| async move {
        face.world.miners.sector_count(&actor(&args), &args.get(1)).await
    });
    m.add("StateSectorPartition", 3, |face, args| async move {
        let sector: u64 = args.get(1);
        let found = face.world.miners.sector_location(&actor(&args), sector, &args.get(2)).await?;
        found.ok_or_else(|| ChainError::Invalid(format!("sector {sector} not due at any deadline")))
    });
}

async fn sectors(face: &Face, args: &Args) -> Result<Option<Json<Vec<SectorOnChainInfo>>>, ChainError> {
    let numbers: Option<Json<BitField>> = args.get(1);
    let numbers = numbers.map(|Json(numbers)| numbers);
    let found = face.world.miners.sectors(&actor(args), numbers.as_ref(), &args.get(2)).await?;
    let missing = numbers
        .and_then(|numbers| numbers.iter().find(|number| !found.iter().any(|s| s.sector_number == *number)));
    match missing {
        Some(number) => {
            Err(ChainError::Invalid(format!("failed to load sectors: can't find sector {number}")))
        }
        None => Ok(nullable(found)),
    }
}

fn sector(m: &mut Methods) {
    m.add("StateMinerSectors", 3, |face, args| async move { sectors(&face, &args).await });
    m.add("StateSectorPreCommitInfo", 3, |face, args| async move {
        face.world.miners.precommit(&actor(&args), args.get(1), &args.get(2)).await
    });
    m.add("StateSectorGetInfo", 3, |face, args| async move {
        face.world.miners.sector(&actor(&args), args.get(1), &args.get(2)).await
    });
    m.add("StateMinerSectorAllocated", 3, |face, args| async move {
        face.world.miners.is_allocated(&actor(&args), args.get(1), &args.get(2)).await
    });
    m.add("StateSectorExpiration", 3, |face, args| async move {
        let sector: u64 = args.get(1);
        let found = face.world.miners.sector_expiration(&actor(&args), sector, &args.get(2)).await?;
        found.ok_or_else(|| ChainError::Invalid(format!("failed to find sector {sector}")))
    });
    m.add("StateMinerPreCommitDepositForPower", 3, |face, args| async move {
        let deposit = face.world.miners.precommit_deposit(&actor(&args), &args.get(1), &args.get(2)).await;
        match deposit {
            Err(ChainError::ActorNotFound(_)) => Ok(Json(TokenAmount::from_atto(1))),
            other => other.map(Json),
        }
    });
    m.add("StateMinerInitialPledgeForSector", 4, |face, args| async move {
        let spec = PledgeSpec { duration: args.get(0), sector_size: args.get(1), verified_size: args.get(2) };
        face.world.miners.initial_pledge(&spec, &args.get(3)).await.map(Json)
    });
}

/// Nothing for nobody, as nodes have it.
fn or_default<T: Default>(answer: Result<T, ChainError>) -> Result<T, ChainError> {
    match answer {
        Err(ChainError::ActorNotFound(_)) => Ok(T::default()),
        other => other,
    }
}

fn market(m: &mut Methods) {
    m.add("StateMarketStorageDeal", 2, |face, args| async move {
        let id: u64 = args.get(0);
        let deal = face.world.market.deal(id, &args.get(1)).await?;
        deal.ok_or_else(|| ChainError::Invalid(format!("deal {id} not found")))
    });
    m.add("StateMarketBalance", 2, |face, args| async move {
        or_default(face.world.market.market_balance(&actor(&args), &args.get(1)).await)
    });
    m.add("StateDealProviderCollateralBounds", 3, |face, args| async move {
        face.world.market.collateral_bounds(args.get(0), args.get(1), &args.get(2)).await
    });
    m.add("StateVerifiedClientStatus", 2, |face, args| async move {
        or_default(face.world.market.datacap(&actor(&args), &args.get(1)).await).map(Json)
    });
    m.add("StateGetAllocations", 2, |face, args| async move {
        or_default(face.world.market.allocations(&actor(&args), &args.get(1)).await).map(Json)
    });
    m.add("StateGetClaims", 2, |face, args| async move {
        or_default(face.world.market.claims(&actor(&args), &args.get(1)).await).map(Json)
    });
    m.add("StateGetAllocation", 3, |face, args| async move {
        or_default(face.world.market.allocation(&actor(&args), args.get(1), &args.get(2)).await)
    });
    m.add("StateGetClaim", 3, |face, args| async move {
        or_default(face.world.market.claim(&actor(&args), args.get(1), &args.get(2)).await)
    });
    m.add("StateGetAllocationForPendingDeal", 2, |face, args| async move {
        face.world.market.allocation_for_deal(args.get(0), &args.get(1)).await
    });
}

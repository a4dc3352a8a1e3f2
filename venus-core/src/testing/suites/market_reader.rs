use fvm_shared::address::Address;
use num_traits::Signed;

use super::{must, must_fail, nobody, unknown_key};
use crate::api::MarketReader;
use crate::error::ErrorKind;
use crate::types::{MarketBalance, TipsetKey};

/// What [`market_reader`] relies on. The chain must stand still.
#[derive(Clone, Debug)]
pub struct MarketReaderFixture {
    /// ID address of a client with datacap, money at the market actor, and an allocation that nobody claimed.
    pub client: Address,
    /// ID address of a miner with a claim, which never got datacap.
    pub provider: Address,
    /// A deal of both that is on chain.
    pub deal: u64,
    /// A verified deal that was published and not proven yet, and the id of its allocation.
    pub pending: (u64, u64),
    /// A number that no deal, allocation or claim has.
    pub unused: u64,
    /// ID address of somebody with nothing at the market.
    pub stranger: Address,
    /// A tipset at which all of them existed and the deal did not.
    pub earlier: TipsetKey,
}

/// Checks the contract of [`MarketReader`].
///
/// # Panics
/// If a clause does not hold.
pub async fn market_reader(reader: &dyn MarketReader, f: &MarketReaderFixture) {
    deals(reader, f).await;
    money(reader, f).await;
    allocations(reader, f).await;
    claims(reader, f).await;
    unknowns(reader, f).await;
}

async fn deals(reader: &dyn MarketReader, f: &MarketReaderFixture) {
    let head = TipsetKey::default();
    let deal = must(reader.deal(f.deal, &head).await, "a deal is found").expect("the deal is on chain");
    let parties = (deal.proposal.client, deal.proposal.provider);
    assert_eq!(parties, (f.client, f.provider), "a deal is that of its number");
    assert!(deal.proposal.piece_size.is_power_of_two(), "a piece's size is a power of two");
    assert!(deal.proposal.start_epoch < deal.proposal.end_epoch, "a deal has a term");
    assert_eq!(reader.deal(f.deal, &head).await.unwrap(), Some(deal), "deal is idempotent");
    let none = must(reader.deal(f.unused, &head).await, "no deal is no error");
    assert_eq!(none, None, "an unused number is no deal");
    let before = must(reader.deal(f.deal, &f.earlier).await, "past state answers");
    assert_eq!(before, None, "state at a tipset is that of its time, for the empty key the newest");
}

async fn money(reader: &dyn MarketReader, f: &MarketReaderFixture) {
    let head = TipsetKey::default();
    let balance = must(reader.market_balance(&f.client, &head).await, "a client has a balance");
    assert!(balance.locked <= balance.escrow, "no more is locked than there is");
    assert!(balance.escrow.is_positive(), "fixture: the client has money at the market");
    let none = must(reader.market_balance(&f.stranger, &head).await, "no balance is no error");
    assert_eq!(none, MarketBalance::default(), "who never put anything there has nothing");
    for verified in [false, true] {
        let bounds = must(reader.collateral_bounds(2048, verified, &head).await, "collateral has bounds");
        assert!(!bounds.min.is_negative() && bounds.min <= bounds.max, "collateral can be within its bounds");
    }
    for size in [0, 127, 64, 2047] {
        let result = reader.collateral_bounds(size, false, &head).await;
        must_fail(result, ErrorKind::Invalid, "a size that is no piece's is Invalid");
    }
}

async fn allocations(reader: &dyn MarketReader, f: &MarketReaderFixture) {
    let head = TipsetKey::default();
    let datacap = must(reader.datacap(&f.client, &head).await, "datacap is known");
    assert!(datacap.is_some_and(|bytes| !bytes.is_negative()), "the client was given datacap");
    let none = must(reader.datacap(&f.provider, &head).await, "no datacap is no error");
    assert_eq!(none, None, "the provider was not given any");

    let all = must(reader.allocations(&f.client, &head).await, "allocations are listed");
    assert!(!all.is_empty(), "fixture: the client has an allocation");
    for (id, allocation) in &all {
        assert_eq!(Address::new_id(allocation.client), f.client, "allocations are the client's");
        let one = must(reader.allocation(&f.client, *id, &head).await, "an allocation is found");
        assert_eq!(one.as_ref(), Some(allocation), "one is what the list holds");
        let others = must(reader.allocation(&f.stranger, *id, &head).await, "no allocation is no error");
        assert_eq!(others, None, "another's allocation is not the stranger's");
    }
    let none = must(reader.allocations(&f.stranger, &head).await, "no allocations are no error");
    assert!(none.is_empty(), "the stranger has none");
    let (deal, id) = f.pending;
    let pending = must(reader.allocation_for_deal(deal, &head).await, "a deal has an allocation");
    assert_eq!(pending.as_ref(), all.get(&id), "the allocation of a deal is among its client's");
    assert!(pending.is_some(), "fixture: the pending deal has an allocation");
    let none = must(reader.allocation_for_deal(f.unused, &head).await, "no allocation is no error");
    assert_eq!(none, None, "no deal, no allocation");
}

async fn claims(reader: &dyn MarketReader, f: &MarketReaderFixture) {
    let head = TipsetKey::default();
    let all = must(reader.claims(&f.provider, &head).await, "claims are listed");
    assert!(!all.is_empty(), "fixture: the provider has a claim");
    for (id, claim) in &all {
        assert_eq!(Address::new_id(claim.provider), f.provider, "claims are the provider's");
        let one = must(reader.claim(&f.provider, *id, &head).await, "a claim is found");
        assert_eq!(one.as_ref(), Some(claim), "one is what the list holds");
    }
    let none = must(reader.claim(&f.provider, f.unused, &head).await, "no claim is no error");
    assert_eq!(none, None, "an unused number is no claim");
    let none = must(reader.claims(&f.stranger, &head).await, "no claims are no error");
    assert!(none.is_empty(), "the stranger has none");
}

async fn unknowns(reader: &dyn MarketReader, f: &MarketReaderFixture) {
    let (kind, head, unknown, actor) = (ErrorKind::NotFound, TipsetKey::default(), unknown_key(), nobody());
    for (client, provider, at, clause) in [
        (&actor, &actor, &head, "an address that nobody has is ActorNotFound"),
        (&f.client, &f.provider, &unknown, "an unknown tipset is TipsetNotFound"),
    ] {
        must_fail(reader.market_balance(client, at).await, kind, clause);
        must_fail(reader.datacap(client, at).await, kind, clause);
        must_fail(reader.allocations(client, at).await, kind, clause);
        must_fail(reader.allocation(client, f.pending.1, at).await, kind, clause);
        must_fail(reader.claims(provider, at).await, kind, clause);
        must_fail(reader.claim(provider, f.unused, at).await, kind, clause);
    }
    let clause = "an unknown tipset is TipsetNotFound";
    must_fail(reader.deal(f.deal, &unknown).await, kind, clause);
    must_fail(reader.collateral_bounds(2048, false, &unknown).await, kind, clause);
    must_fail(reader.allocation_for_deal(f.pending.0, &unknown).await, kind, clause);
}

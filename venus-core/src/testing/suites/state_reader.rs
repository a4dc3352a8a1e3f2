use cid::Cid;
use fvm_shared::address::{Address, Protocol};
use fvm_shared::econ::TokenAmount;

use super::{must, must_fail, nobody, nowhere, unknown_key};
use crate::api::{SearchOptions, StateReader};
use crate::error::ErrorKind;
use crate::types::TipsetKey;

/// What [`state_reader`] relies on. The chain must stand still.
#[derive(Clone, Debug)]
pub struct StateReaderFixture {
    /// Key address of an account that has existed since genesis and has sent `message`.
    pub account: Address,
    /// Chain CID of a message of `account` whose receipt is on chain.
    pub message: Cid,
    /// A message of a block in the head, not executed yet, if there is one.
    pub not_executed: Option<Cid>,
    /// Key of the genesis tipset.
    pub genesis: TipsetKey,
}

/// Checks the contract of [`StateReader`].
///
/// # Panics
/// If a clause does not hold.
pub async fn state_reader(state: &dyn StateReader, fixture: &StateReaderFixture) {
    addresses(state, fixture.account).await;
    actors(state, fixture).await;
    searches(state, fixture).await;
}

async fn addresses(state: &dyn StateReader, account: Address) {
    let head = TipsetKey::default();
    let id = must(state.lookup_id(&account, &head).await, "an account has an ID");
    assert_eq!(id.protocol(), Protocol::ID, "lookup_id answers an ID address");
    assert_eq!(must(state.lookup_id(&id, &head).await, "ID of an ID"), id, "the ID of an ID is itself");
    for address in [account, id] {
        let key = must(state.account_key(&address, &head).await, "an account has a key");
        assert_eq!(key, account, "account_key answers the key address");
    }
    let (unknown, kind) = (nobody(), ErrorKind::NotFound);
    must_fail(state.lookup_id(&unknown, &head).await, kind, "an unknown address has no ID: ActorNotFound");
    must_fail(state.account_key(&unknown, &head).await, kind, "an unknown address has no key: ActorNotFound");
    let by_id = state.actor(&id, &head).await.unwrap();
    assert_eq!(state.actor(&account, &head).await.unwrap(), by_id, "all addresses name the same actor");
}

async fn actors(state: &dyn StateReader, fixture: &StateReaderFixture) {
    let head = TipsetKey::default();
    let now = must(state.actor(&fixture.account, &head).await, "actor answers").expect("account exists");
    let then = must(state.actor(&fixture.account, &fixture.genesis).await, "past state answers");
    let then = then.expect("the account existed at genesis");
    assert!(then.nonce < now.nonce, "state at a tipset is that of its time, for the empty key the newest");
    assert_eq!(state.balance(&fixture.account).await.unwrap(), now.balance, "balance is the actor's");

    assert_eq!(
        must(state.actor(&nobody(), &head).await, "no actor is no error"),
        None,
        "nobody has no actor"
    );
    assert_eq!(state.balance(&nobody()).await.unwrap(), TokenAmount::default(), "nobody has nothing");
    let unknown = state.actor(&fixture.account, &unknown_key()).await;
    must_fail(unknown, ErrorKind::NotFound, "state at an unknown tipset is TipsetNotFound");
}

async fn searches(state: &dyn StateReader, fixture: &StateReaderFixture) {
    let options = SearchOptions::default();
    let found = must(state.search_message(&fixture.message, &options).await, "search answers");
    let found = found.expect("a message on chain is found");
    assert_eq!(found.message, fixture.message, "the lookup names the message that landed");
    assert!(found.height > 0, "a receipt belongs to a child of the tipset with the message");

    let from_there = SearchOptions { from: found.tipset.clone(), ..SearchOptions::default() };
    let again = must(state.search_message(&fixture.message, &from_there).await, "search answers");
    assert_eq!(again.as_ref(), Some(&found), "the tipset of the lookup knows the receipt");
    let genesis = SearchOptions { from: fixture.genesis.clone(), ..SearchOptions::default() };
    let before = must(state.search_message(&fixture.message, &genesis).await, "search answers");
    assert_eq!(before, None, "a search looks backwards only");
    let unknown = must(state.search_message(&nowhere(), &options).await, "search answers");
    assert_eq!(unknown, None, "an unknown message is not found, and no error");
    if let Some(cid) = fixture.not_executed {
        let early = must(state.search_message(&cid, &options).await, "search answers");
        assert_eq!(early, None, "a message without receipt was not executed");
    }
}

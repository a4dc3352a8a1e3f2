//! The demands of the seed note that registration answers.

use venus_core::api::AccountDirectory;

use super::home::*;

/// A signer that was verified is written to the account service at once, by nobody's leave; it is not for the first
/// one alone.
#[tokio::test(start_paused = true)]
async fn seed_s06_a_proven_signer_is_written_preemptively() {
    let pool = Pool::plain();
    let (signer, addresses) = keys(1, 1, 1);
    assert!(pool.accounts.accounts_of_signer(&addresses[0]).await.unwrap().is_empty());
    let wallet = pool.wallet(who("alice", 1), &signer).await;
    for address in &addresses {
        assert_eq!(pool.accounts.accounts_of_signer(address).await.unwrap(), ["alice"]);
    }
    // Whoever has the key, too, is bound beside: the account service's rule of sharing may refuse it there.
    let twin = pool.wallet(who("bob", 2), &signer).await;
    assert_eq!(pool.accounts.accounts_of_signer(&addresses[0]).await.unwrap(), ["alice", "bob"]);
    drop((wallet, twin));
    // The bindings outlive the connections.
    assert_eq!(pool.accounts.accounts_of_signer(&addresses[0]).await.unwrap(), ["alice", "bob"]);
    // Whoever only says that it has a key is not written.
    let (empty, foreign) = (keys(3, 0, 0).0, keys(4, 1, 0).1);
    let mut liar = Wallet::dial(&pool.hub, who("bob", 3), &empty, &[]).await.unwrap();
    liar.announced = foreign.clone();
    liar.ready().await.unwrap();
    assert!(pool.accounts.accounts_of_signer(&foreign[0]).await.unwrap().is_empty());
}

/// The miners that can prove now, beside those that somebody owns: a block producer uses what is in both.
#[tokio::test(start_paused = true)]
async fn seed_s07_miners_can_be_taken_from_the_gateway() {
    let pool = Pool::plain();
    let connected = soon(pool.hub.listen_proof(who("alice", 1), miner(1000))).await.unwrap();
    let sealer = soon(pool.hub.listen_market(who("bob", 2), miner(2000))).await.unwrap();
    assert_eq!(pool.hub.miners(), [miner(1000)]);
    let mut owned = Vec::new();
    for account in ["alice", "bob"] {
        owned.extend(pool.accounts.miners(account).await.unwrap().into_iter().map(|owned| owned.miner));
    }
    assert_eq!(owned, [miner(1000), miner(2000)]);
    owned.retain(|miner| pool.hub.miners().contains(miner));
    assert_eq!(owned, [miner(1000)]);
    drop((connected, sealer));
    assert!(pool.hub.miners().is_empty());
}

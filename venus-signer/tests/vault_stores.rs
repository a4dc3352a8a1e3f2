#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! One suite for all key stores.

mod vault_support;

use std::sync::Arc;

use venus_core::error::{Classify, ErrorKind};
use venus_core::types::Address;
use venus_signer::{KeyStore, KeyType, MemoryKeyStore, SealedKey, Vault, WalletError};

use vault_support::{Watched, key, options, password};

fn sealed(id: u64, n: u8) -> SealedKey {
    let crypto = format!(
        r#"{{"cipher":"aes-128-ctr","ciphertext":"{n:02x}","cipherparams":{{"iv":"{}"}},"kdf":"scrypt","kdfparams":{{"dklen":32,"n":2,"p":1,"r":8,"salt":"11"}},"mac":"{}"}}"#,
        "22".repeat(16),
        "00".repeat(32)
    );
    SealedKey::new(Address::new_id(id), KeyType::Bls, crypto).unwrap()
}

fn ids(list: &[u64]) -> Vec<Address> {
    list.iter().map(|id| Address::new_id(*id)).collect()
}

/// Everything that the contract of `KeyStore` promises. The store is empty.
async fn suite(store: Arc<dyn KeyStore>) {
    puts_once_and_lists_in_order(&*store).await;
    puts_all_or_none_that_are_new(&*store).await;
    swaps_all_or_nothing(&*store).await;
    removes(&*store).await;
    serves_many_at_once(Arc::clone(&store)).await;
    keeps_keys_of_a_vault(store).await;
}

async fn puts_once_and_lists_in_order(store: &dyn KeyStore) {
    assert!(store.list().await.unwrap().is_empty());
    for id in [30, 10, 20] {
        assert!(!store.has(&Address::new_id(id)).await.unwrap());
        assert!(store.put(&sealed(id, 1)).await.unwrap());
        assert!(!store.put(&sealed(id, 2)).await.unwrap(), "putting again changes nothing");
        assert_eq!(store.get(&Address::new_id(id)).await.unwrap(), Some(sealed(id, 1)));
    }
    assert_eq!(store.list().await.unwrap(), ids(&[30, 10, 20]));
    assert_eq!(store.get(&Address::new_id(1)).await.unwrap(), None);
}

async fn puts_all_or_none_that_are_new(store: &dyn KeyStore) {
    assert_eq!(store.put_all(&[sealed(40, 1), sealed(10, 9), sealed(5, 1), sealed(40, 3)]).await.unwrap(), 2);
    assert_eq!(store.list().await.unwrap(), ids(&[30, 10, 20, 40, 5]));
    assert_eq!(store.get(&Address::new_id(10)).await.unwrap(), Some(sealed(10, 1)));
    assert_eq!(store.get(&Address::new_id(40)).await.unwrap(), Some(sealed(40, 1)));
    assert_eq!(store.put_all(&[]).await.unwrap(), 0);
}

async fn swaps_all_or_nothing(store: &dyn KeyStore) {
    let rows = |n| [30, 10, 20, 40, 5].map(|id| sealed(id, n));
    let (old, new) = (rows(1), rows(2));
    let mut stale = old.clone();
    stale[4] = sealed(5, 7);
    let mut other = new.clone();
    other[4] = sealed(6, 2);
    let refused = [
        (&stale[..], &new[..]),
        (&old[..4], &new[..4]),
        (&old[..], &new[..4]),
        (&old[..], &other[..]),
        (&[], &[]),
    ];
    for (old, new) in refused {
        let error = store.swap(old, new).await.unwrap_err();
        assert!(matches!(error, WalletError::Changed), "{error}");
        assert_eq!(error.kind(), ErrorKind::Transient);
    }
    for row in &old {
        assert_eq!(store.get(row.address()).await.unwrap().as_ref(), Some(row));
    }
    store.swap(&old, &new).await.unwrap();
    for row in &new {
        assert_eq!(store.get(row.address()).await.unwrap().as_ref(), Some(row));
    }
    assert_eq!(store.list().await.unwrap(), ids(&[30, 10, 20, 40, 5]));
}

async fn removes(store: &dyn KeyStore) {
    assert!(store.remove(&Address::new_id(10)).await.unwrap());
    assert!(!store.remove(&Address::new_id(10)).await.unwrap());
    assert!(!store.has(&Address::new_id(10)).await.unwrap());
    assert!(store.put(&sealed(10, 3)).await.unwrap());
    assert_eq!(store.list().await.unwrap(), ids(&[30, 20, 40, 5, 10]));
    for address in store.list().await.unwrap() {
        assert!(store.remove(&address).await.unwrap());
    }
    store.swap(&[], &[]).await.unwrap();
    assert!(store.list().await.unwrap().is_empty());
}

async fn serves_many_at_once(store: Arc<dyn KeyStore>) {
    let mut tasks = tokio::task::JoinSet::new();
    for id in 0..64 {
        let store = Arc::clone(&store);
        tasks.spawn(async move { store.put(&sealed(id / 2, 1)).await.unwrap() });
    }
    let new = tasks.join_all().await.into_iter().filter(|new| *new).count();
    assert_eq!((new, store.list().await.unwrap().len()), (32, 32));
    for address in store.list().await.unwrap() {
        store.remove(&address).await.unwrap();
    }
}

async fn keeps_keys_of_a_vault(store: Arc<dyn KeyStore>) {
    let vault = Vault::open(Arc::clone(&store), options());
    vault.set_password(&password("right")).await.unwrap();
    let mut addresses = Vec::new();
    for n in 0..4 {
        addresses.push(vault.put(key(n)).await.unwrap());
    }
    vault.change_password(&password("right"), &password("new")).await.unwrap();
    drop(vault);
    let vault = Vault::open(store, options());
    assert_eq!(vault.list().await.unwrap(), addresses);
    assert!(vault.unlock(&password("right")).await.is_err());
    vault.unlock(&password("new")).await.unwrap();
    for (n, address) in addresses.iter().enumerate() {
        let read = vault.signing_key(address).await.unwrap();
        assert_eq!(read.address().unwrap(), key(n as u64).address().unwrap());
    }
}

#[tokio::test]
async fn memory() {
    suite(Arc::new(MemoryKeyStore::new())).await;
    suite(Arc::new(Watched::default())).await;
}

#[cfg(feature = "sqlite")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    use venus_signer::SqliteKeyStore;
    suite(Arc::new(SqliteKeyStore::in_memory().await.unwrap())).await;
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteKeyStore::open(&dir.path().join("keystore.sqlit")).await.unwrap();
    suite(Arc::new(store)).await;
}

use std::fmt::Debug;

use fvm_shared::address::Address;

use super::{must, must_fail, nobody};
use crate::api::{AccountDirectory, MAX_PAGE, Permissions, Principal};
use crate::error::ErrorKind;

/// An account that nobody has.
const NO_ACCOUNT: &str = "nobody-has-this-name";

/// What [`account_directory`] relies on. Nobody else changes the directory meanwhile.
#[derive(Clone, Debug)]
pub struct AccountDirectoryFixture {
    /// An account with a miner, a signer and a limit.
    pub account: String,
    /// Another account, with none of them.
    pub other: String,
    /// ID address of the account's miner.
    pub miner: Address,
    /// Key address of the account's signer.
    pub signer: Address,
    /// ID address of a miner of nobody.
    pub free_miner: Address,
}

/// Checks the contract of [`AccountDirectory`].
///
/// # Panics
/// If a clause does not hold.
pub async fn account_directory(directory: &dyn AccountDirectory, f: &AccountDirectoryFixture) {
    pages(directory, f).await;
    owners(directory, f).await;
    belongings(directory, f).await;
    callers(directory, f).await;
    registration(directory, f).await;
    unknowns(directory).await;
}

async fn pages(directory: &dyn AccountDirectory, f: &AccountDirectoryFixture) {
    let mut all = Vec::new();
    loop {
        let page = must(directory.accounts(all.len() as u64, MAX_PAGE).await, "accounts are listed");
        let last = page.len() < MAX_PAGE as usize;
        all.extend(page);
        if last {
            break;
        }
    }
    ordered(all.iter().map(|a| &a.name), "accounts come by name, each once");
    for name in [&f.account, &f.other] {
        let one = must(directory.account(name).await, "an account is found by its name");
        assert_eq!(&one.name, name, "an account is that of its name");
        assert!(all.contains(&one), "every account is listed");
    }
    for (skip, wanted) in all.iter().enumerate().take(3) {
        let page = must(directory.accounts(skip as u64, 1).await, "a page may be one account");
        assert_eq!(page, std::slice::from_ref(wanted), "pages follow one another");
    }
    let beyond = must(directory.accounts(u64::MAX, 1).await, "a page beyond the end is no error");
    assert!(beyond.is_empty(), "there is nothing beyond the end");
    for limit in [0, MAX_PAGE + 1] {
        must_fail(
            directory.accounts(0, limit).await,
            ErrorKind::Invalid,
            "a page has 1 to MAX_PAGE accounts",
        );
    }
}

async fn owners(directory: &dyn AccountDirectory, f: &AccountDirectoryFixture) {
    let owner = must(directory.account_of_miner(&f.miner).await, "the owner of a miner is known");
    assert_eq!(owner.as_ref(), Some(&f.account), "a miner belongs to its account");
    let none = must(directory.account_of_miner(&f.free_miner).await, "no owner is no error");
    assert_eq!(none, None, "a miner of nobody has no account");
    let users = must(directory.accounts_of_signer(&f.signer).await, "the accounts of a signer are known");
    assert_eq!(users, std::slice::from_ref(&f.account), "a signer belongs to its account");
    let none = must(directory.accounts_of_signer(&nobody()).await, "no account is no error");
    assert!(none.is_empty(), "a signer of nobody has no accounts");
    let kind = ErrorKind::Invalid;
    must_fail(directory.account_of_miner(&f.signer).await, kind, "a miner that is no ID address is Invalid");
    must_fail(
        directory.accounts_of_signer(&f.miner).await,
        kind,
        "a signer that is no key address is Invalid",
    );
}

async fn belongings(directory: &dyn AccountDirectory, f: &AccountDirectoryFixture) {
    let miners = must(directory.miners(&f.account).await, "miners are listed");
    ordered(miners.iter().map(|m| m.miner), "miners come by address, each once");
    assert!(miners.iter().any(|m| m.miner == f.miner), "an account has its miner");
    let signers = must(directory.signers(&f.account).await, "signers are listed");
    ordered(&signers, "signers come by address, each once");
    assert!(signers.contains(&f.signer), "an account has its signer");
    let limits = must(directory.limits(&f.account).await, "limits are listed");
    ordered(limits.iter().map(|l| &l.id), "limits come by id, each once");
    assert!(!limits.is_empty(), "fixture: the account is limited");
    assert!(limits.iter().all(|l| l.period.as_secs() > 0), "a period is one second or more");
    assert!(must(directory.miners(&f.other).await, "no miners are no error").is_empty(), "others have none");
    assert!(
        must(directory.signers(&f.other).await, "no signers are no error").is_empty(),
        "others have none"
    );
    assert!(must(directory.limits(&f.other).await, "no limits are no error").is_empty(), "others have none");
}

async fn callers(directory: &dyn AccountDirectory, f: &AccountDirectoryFixture) {
    let caller =
        |account: Option<&String>, level| Principal::new(account.cloned(), Permissions::up_to(level));
    for allowed in [caller(Some(&f.account), "read"), caller(Some(&f.other), "admin"), caller(None, "admin")]
    {
        must(directory.may_use_miner(&allowed, &f.miner).await, "owners and administrators use a miner");
        must(directory.may_use_signer(&allowed, &f.signer).await, "owners and administrators use a signer");
    }
    let kind = ErrorKind::Denied;
    for stranger in [caller(Some(&f.other), "sign"), caller(None, "sign")] {
        let miner = directory.may_use_miner(&stranger, &f.miner).await;
        must_fail(miner, kind, "another's miner is NotYourMiner");
        let signer = directory.may_use_signer(&stranger, &f.signer).await;
        must_fail(signer, kind, "another's signer is NotYourSigner");
    }
    let owner = caller(Some(&f.account), "sign");
    let miner = directory.may_use_miner(&owner, &f.free_miner).await;
    must_fail(miner, kind, "nobody's miner is NotYourMiner");
    let signer = directory.may_use_signer(&owner, &nobody()).await;
    must_fail(signer, kind, "nobody's signer is NotYourSigner");
}

async fn registration(directory: &dyn AccountDirectory, f: &AccountDirectoryFixture) {
    let fresh = Address::new_secp256k1(&[8; 65]).unwrap();
    let mixed = directory.register_signers(&f.other, &[fresh, f.miner]).await;
    must_fail(mixed, ErrorKind::Invalid, "a signer that is no key address is Invalid");
    let after = must(directory.signers(&f.other).await, "signers are listed");
    assert!(after.is_empty(), "signers are registered all or none");
    must(directory.register_signers(&f.other, &[]).await, "no signers are fine");
    for _ in 0..2 {
        let twice = [fresh, f.signer, fresh];
        must(directory.register_signers(&f.other, &twice).await, "registering again is success");
    }
    let signers = must(directory.signers(&f.other).await, "signers are listed");
    ordered(&signers, "signers come by address, each once");
    assert!(signers.len() == 2 && signers.contains(&fresh), "what was registered is the account's");
    let mut both = vec![f.account.clone(), f.other.clone()];
    both.sort();
    let users = must(directory.accounts_of_signer(&f.signer).await, "the accounts of a signer are known");
    assert_eq!(users, both, "a signer may belong to several, who come by name");
    let kept = must(directory.signers(&f.account).await, "signers are listed");
    assert!(kept.contains(&f.signer), "registering takes nothing from others");
}

async fn unknowns(directory: &dyn AccountDirectory) {
    let (kind, clause) = (ErrorKind::NotFound, "an account that nobody has is AccountNotFound");
    for name in [NO_ACCOUNT, ""] {
        must_fail(directory.account(name).await, kind, clause);
        must_fail(directory.miners(name).await, kind, clause);
        must_fail(directory.signers(name).await, kind, clause);
        must_fail(directory.limits(name).await, kind, clause);
        must_fail(directory.register_signers(name, &[nobody()]).await, kind, clause);
    }
    let none = must(directory.accounts_of_signer(&nobody()).await, "no account is no error");
    assert!(none.is_empty(), "what was refused was not registered");
}

#[track_caller]
fn ordered<T: Ord + Debug>(items: impl IntoIterator<Item = T>, clause: &str) {
    let items: Vec<_> = items.into_iter().collect();
    assert!(items.is_sorted_by(|a, b| a < b), "{clause}: {items:?}");
}

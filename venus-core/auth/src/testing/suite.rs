//! The contract of [`AuthStore`].

use std::slice::from_ref;
use std::time::Duration;

use fvm_shared::address::Address;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::audit::{AuditQuery, AuditRecord};
use crate::jwt::{Claims, encode};
use crate::model::{
    Ban, LimitRow, MinerRow, Page, Provenance, SignerRow, TokenKey, TokenRow, User, UserState,
};
use crate::store::{AuthStore, Changed, MinerBound, UserChange, migrate_tokens};

const ALL: Page = Page { skip: 0, limit: 0 };

/// Checks that an empty store keeps its contract. Leaves rows in it.
///
/// # Panics
/// If it does not.
pub async fn auth_store(store: &dyn AuthStore) {
    users(store).await;
    tokens(store).await;
    named_tokens(store).await;
    miners(store).await;
    signers(store).await;
    grants(store).await;
    cascade(store).await;
    two_owners(store).await;
    limits(store).await;
    bans(store).await;
    records(store).await;
    hashing(store).await;
}

/// A second of its own for each step, because MySQL keeps no more.
fn at(second: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_700_000_000 + second).unwrap()
}

fn user(name: &str, second: i64, state: UserState) -> User {
    User {
        id: Uuid::from_u128(second as u128 + 1),
        name: name.into(),
        comment: String::new(),
        state,
        created_at: at(second),
        updated_at: at(second),
        deleted: false,
    }
}

fn text(name: &str, n: u8) -> String {
    encode(&Claims::new(name, "sign", ""), &[n; 32])
}

fn token(name: &str, n: u8, key: TokenKey) -> TokenRow {
    TokenRow {
        secret: if key.is_hashed() { String::new() } else { "0a".repeat(32) },
        key,
        id: Uuid::from_u128(u128::from(n) << 100 | 7),
        name: name.into(),
        perm: "sign".into(),
        extra: "x".into(),
        expires_at: None,
        audience: Vec::new(),
        scopes: Vec::new(),
        created_at: at(i64::from(n)),
        deleted: false,
    }
}

fn key(n: u8) -> Address {
    Address::new_secp256k1(&[n; 65]).unwrap()
}

fn miner(id: u64, user: &str, second: i64) -> MinerRow {
    let (created_at, updated_at) = (at(second), at(second));
    MinerRow { miner: Address::new_id(id), user: user.into(), open_mining: true, created_at, updated_at }
}

async fn add_user(store: &dyn AuthStore, name: &str, second: i64) {
    let new = user(name, second, UserState::Enabled);
    assert_eq!(store.create_user(&new).await.unwrap(), Changed::Done);
}

async fn users(store: &dyn AuthStore) {
    assert_eq!(store.user("u1").await.unwrap(), None);
    let (one, two) = (user("u1", 2, UserState::Undefined), user("u2 ä ' \u{1F600}", 1, UserState::Other(-7)));
    for new in [&one, &two] {
        assert_eq!(store.create_user(new).await.unwrap(), Changed::Done);
        assert_eq!(store.user(&new.name).await.unwrap().as_ref(), Some(new), "as it was given");
    }
    let other = User { id: Uuid::from_u128(99), ..one.clone() };
    assert_eq!(store.create_user(&other).await.unwrap(), Changed::Already);
    assert_eq!(store.user("u1").await.unwrap().unwrap().id, one.id, "the first keeps its name and id");
    assert_eq!(store.user("U1").await.unwrap(), None, "names are told apart by case");

    let names = |users: Vec<User>| users.into_iter().map(|user| user.name).collect::<Vec<_>>();
    assert_eq!(names(store.users(ALL, None).await.unwrap()), ["u1", two.name.as_str()], "by name");
    assert_eq!(names(store.users(Page { skip: 1, limit: 5 }, None).await.unwrap()), [two.name.as_str()]);
    assert_eq!(names(store.users(Page { skip: 0, limit: 1 }, None).await.unwrap()), ["u1"]);
    assert!(store.users(Page { skip: u64::MAX, limit: 1 }, None).await.unwrap().is_empty());
    assert_eq!(names(store.users(ALL, Some(UserState::Other(-7))).await.unwrap()), [two.name.as_str()]);
    let counts = store.count_users().await.unwrap();
    assert_eq!(counts, [(UserState::Other(-7), 1), (UserState::Undefined, 1)]);

    let change = |comment: Option<&str>, state| UserChange { comment: comment.map(str::to_owned), state };
    let first = change(Some("c"), Some(UserState::Disabled));
    assert_eq!(store.update_user("u1", &first, at(10)).await.unwrap(), Changed::Done);
    assert_eq!(store.update_user("u1", &change(None, None), at(11)).await.unwrap(), Changed::Done);
    let now = store.user("u1").await.unwrap().unwrap();
    assert_eq!((now.comment.as_str(), now.state, now.updated_at), ("c", UserState::Disabled, at(11)));
    assert_eq!(now.created_at, one.created_at);
    assert_eq!(store.update_user("u1", &change(Some(""), None), at(11)).await.unwrap(), Changed::Done);
    assert_eq!(store.user("u1").await.unwrap().unwrap().comment, "");
    assert_eq!(store.update_user("nobody", &first, at(10)).await.unwrap(), Changed::Absent);
}

async fn tokens(store: &dyn AuthStore) {
    add_user(store, "t", 20).await;
    let mut full = token("t", 9, TokenKey::hashed(&text("t", 9)));
    full.created_at = at(9) + Duration::from_nanos(123_456_789);
    full.expires_at = Some(at(5000) + Duration::from_nanos(1));
    full.audience = vec!["gateway".into(), "a\"b".into()];
    full.scopes = vec!["wallet.sign".into()];
    // Made at the same time: the order of making decides.
    let second = token("t", 9, TokenKey::clear(&text("t", 8)));
    let second = TokenRow { id: Uuid::from_u128(3), created_at: full.created_at, ..second };
    for new in [&full, &second] {
        assert_eq!(store.token(&new.key).await.unwrap(), None);
        assert_eq!(store.add_token(new).await.unwrap(), Changed::Done);
        assert_eq!(store.add_token(new).await.unwrap(), Changed::Already);
        assert_eq!(store.token(&new.key).await.unwrap().as_ref(), Some(new), "to the nanosecond");
    }
    let upper = TokenKey::clear(&second.key.as_column().to_uppercase());
    assert_eq!(store.token(&upper).await.unwrap(), None, "tokens are told apart by case");
    assert_eq!(store.tokens_of("t").await.unwrap(), [full.clone(), second.clone()]);
    assert_eq!(store.tokens(Page { skip: 1, limit: 1 }).await.unwrap(), from_ref(&second));
    assert!(store.tokens_of("T").await.unwrap().is_empty());
    assert_eq!(store.clear_tokens().await.unwrap(), 1);

    assert_eq!(store.delete_token(&full.key, at(30)).await.unwrap(), Changed::Done);
    assert_eq!(store.delete_token(&full.key, at(31)).await.unwrap(), Changed::Already);
    assert!(store.token(&full.key).await.unwrap().unwrap().deleted);
    assert_eq!(store.tokens_of("t").await.unwrap(), from_ref(&second));
    assert_eq!(store.recover_token(&full.key, at(32)).await.unwrap(), Changed::Done);
    assert_eq!(store.recover_token(&full.key, at(33)).await.unwrap(), Changed::Already);
    assert_eq!(store.token(&full.key).await.unwrap(), Some(full));
    let unknown = TokenKey::hashed("unknown");
    assert_eq!(store.delete_token(&unknown, at(34)).await.unwrap(), Changed::Absent);
    assert_eq!(store.recover_token(&unknown, at(34)).await.unwrap(), Changed::Absent);
}

async fn named_tokens(store: &dyn AuthStore) {
    let row = store.tokens_of("t").await.unwrap().remove(1);
    assert!(!row.key.is_hashed());
    for name in [row.id.to_string(), row.key.fingerprint(), row.key.display()] {
        assert_eq!(store.tokens_named(&name).await.unwrap(), from_ref(&row), "{name}");
    }
    let short = row.key.display()[..7].to_owned();
    let wild = ["%".repeat(8), "_".repeat(8), "' OR '1'='1".to_owned(), String::new(), short];
    for name in wild {
        assert!(store.tokens_named(&name).await.unwrap().is_empty(), "{name}");
    }
}

async fn miners(store: &dyn AuthStore) {
    add_user(store, "m1", 40).await;
    add_user(store, "m2", 41).await;
    let id = Address::new_id(1000);
    let first = miner(1000, "m1", 40);
    assert_eq!(store.unbind_miner(&id, None, at(40)).await.unwrap(), (Changed::Absent, None));
    let bound = store.bind_miner(&first).await.unwrap();
    assert_eq!(bound, MinerBound { is_new: true, taken_from: None });
    assert_eq!(store.miner(&id).await.unwrap(), Some(first));
    let moved = MinerRow { open_mining: false, ..miner(1000, "m2", 42) };
    let bound = store.bind_miner(&moved).await.unwrap();
    assert_eq!(bound, MinerBound { is_new: false, taken_from: Some("m1".into()) });
    let expected = MinerRow { created_at: at(40), ..moved };
    assert_eq!(store.miner(&id).await.unwrap(), Some(expected.clone()), "it has one account");
    assert!(store.miners_of("m1").await.unwrap().is_empty());
    store.bind_miner(&miner(999, "m2", 43)).await.unwrap();
    let of_two = store.miners_of("m2").await.unwrap();
    assert_eq!(of_two.iter().map(|row| row.miner.id().unwrap()).collect::<Vec<_>>(), [999, 1000]);

    assert_eq!(
        store.unbind_miner(&id, Some("m1"), at(44)).await.unwrap(),
        (Changed::Absent, None),
        "not theirs"
    );
    assert_eq!(store.unbind_miner(&id, None, at(44)).await.unwrap(), (Changed::Done, Some("m2".into())));
    assert_eq!(store.unbind_miner(&id, Some("m2"), at(45)).await.unwrap(), (Changed::Already, None));
    assert_eq!(store.miner(&id).await.unwrap(), None);
    let again = store.bind_miner(&miner(1000, "m1", 46)).await.unwrap();
    assert_eq!(again, MinerBound { is_new: false, taken_from: None }, "known, and free");
    let largest = miner(i64::MAX as u64, "m1", 46);
    store.bind_miner(&largest).await.unwrap();
    assert_eq!(store.miner(&largest.miner).await.unwrap(), Some(largest));
}

fn owner_if_free(_: &Address, bound: &[SignerRow]) -> Option<Provenance> {
    bound.is_empty().then_some(Provenance::Owner)
}

fn anyhow(_: &Address, bound: &[SignerRow]) -> Option<Provenance> {
    Some(if bound.is_empty() { Provenance::Owner } else { Provenance::Granted })
}

fn refuse(_: &Address, _: &[SignerRow]) -> Option<Provenance> {
    None
}

async fn signers(store: &dyn AuthStore) {
    add_user(store, "s1", 50).await;
    add_user(store, "s2", 51).await;
    let bls = Address::new_bls(&[5; 48]).unwrap();
    let delegated = Address::new_delegated(10, &[9; 20]).unwrap();
    let all = [key(1), bls, delegated];
    assert_eq!(store.bind_signers("s1", &all, at(50), &owner_if_free).await.unwrap(), [true; 3]);
    let mixed = [key(1), key(2), key(2)];
    assert_eq!(store.bind_signers("s2", &mixed, at(51), &owner_if_free).await.unwrap(), [false, true, true]);
    assert_eq!(store.bind_signers("s2", &[key(3)], at(51), &refuse).await.unwrap(), [false]);
    assert!(store.signer(&key(3)).await.unwrap().is_empty());
    assert!(store.bind_signers("s2", &[], at(51), &anyhow).await.unwrap().is_empty());
    assert_eq!(store.bind_signers("s2", &[key(1)], at(49), &anyhow).await.unwrap(), [true]);
    let rows = store.signer(&key(1)).await.unwrap();
    let seen: Vec<_> = rows.iter().map(|row| (row.user.as_str(), row.provenance)).collect();
    assert_eq!(seen, [("s1", Provenance::Owner), ("s2", Provenance::Granted)], "the owner first");
    assert_eq!((rows[0].created_at, rows[0].updated_at), (at(50), at(50)));
    let mut of_one: Vec<Address> = all.to_vec();
    of_one.sort();
    let found: Vec<Address> = store.signers_of("s1").await.unwrap().iter().map(|row| row.signer).collect();
    assert_eq!(found, of_one);
    assert!(store.signers_of("S1").await.unwrap().is_empty());

    let unbound = store.unbind_signers("s1", &[key(1), key(9)], at(52)).await.unwrap();
    assert_eq!(unbound, [Changed::Done, Changed::Absent]);
    assert_eq!(store.unbind_signers("s1", &[key(1)], at(52)).await.unwrap(), [Changed::Already]);
    assert_eq!(store.signer(&key(1)).await.unwrap().len(), 1, "the other's binding stays");
    assert_eq!(store.unbind_signer(&key(1), at(53)).await.unwrap(), ["s2"]);
    assert!(store.unbind_signer(&key(1), at(54)).await.unwrap().is_empty());
    assert!(store.signer(&key(1)).await.unwrap().is_empty());
    assert_eq!(store.bind_signers("s2", &[key(1)], at(55), &owner_if_free).await.unwrap(), [true]);
    let row = store.signer(&key(1)).await.unwrap().remove(0);
    assert_eq!((row.provenance, row.created_at), (Provenance::Owner, at(49)), "bound anew, first bound then");

    let seed = |n: u32| [n.to_be_bytes().as_slice(), &[0; 61]].concat();
    let many: Vec<Address> = (0..300).map(|n| Address::new_secp256k1(&seed(n)).unwrap()).collect();
    assert_eq!(store.bind_signers("s1", &many, at(56), &owner_if_free).await.unwrap(), vec![true; 300]);
    assert_eq!(store.signers_of("s1").await.unwrap().len(), 302);
}

async fn grants(store: &dyn AuthStore) {
    add_user(store, "g1", 60).await;
    store.bind_signers("g1", &[key(20)], at(60), &owner_if_free).await.unwrap();
    assert!(!store.is_granted(&key(20), "g2").await.unwrap());
    store.grant_signer(&key(20), "g2", at(60)).await.unwrap();
    store.grant_signer(&key(20), "g2", at(61)).await.unwrap();
    assert!(store.is_granted(&key(20), "g2").await.unwrap());
    assert!(!store.is_granted(&key(21), "g2").await.unwrap());
    store.bind_signers("g1", &[key(20)], at(62), &|_, _| Some(Provenance::Owner)).await.unwrap();
    assert!(
        store.is_granted(&key(20), "g2").await.unwrap(),
        "an owner who proves its key again consents still"
    );
    store.unbind_signer(&key(20), at(63)).await.unwrap();
    store.bind_signers("g3", &[key(20)], at(64), &owner_if_free).await.unwrap();
    assert!(!store.is_granted(&key(20), "g2").await.unwrap(), "a new owner consented to nothing");
}

async fn cascade(store: &dyn AuthStore) {
    add_user(store, "c", 70).await;
    add_user(store, "c2", 71).await;
    let live = token("c", 40, TokenKey::hashed(&text("c", 40)));
    let revoked = token("c", 41, TokenKey::hashed(&text("c", 41)));
    for new in [&live, &revoked] {
        store.add_token(new).await.unwrap();
    }
    store.delete_token(&revoked.key, at(71)).await.unwrap();
    for id in [2000, 2001, 2002] {
        store.bind_miner(&miner(id, "c", 71)).await.unwrap();
    }
    store.bind_signers("c", &[key(30), key(31)], at(71), &anyhow).await.unwrap();
    store.bind_signers("c2", &[key(30)], at(71), &anyhow).await.unwrap();
    // Given up at the very time at which the user goes: gone for good all the same.
    store.unbind_miner(&Address::new_id(2002), Some("c"), at(72)).await.unwrap();
    store.unbind_signers("c", &[key(31)], at(72)).await.unwrap();

    assert_eq!(store.recover_user("c", at(72)).await.unwrap(), Changed::Already);
    let (changed, gone) = store.delete_user("c", at(72)).await.unwrap();
    assert_eq!(changed, Changed::Done);
    assert_eq!(gone.tokens, [live.id]);
    assert_eq!(gone.miners, [Address::new_id(2000), Address::new_id(2001)]);
    assert_eq!(gone.signers, [key(30)]);
    let user = store.user("c").await.unwrap().unwrap();
    assert!(user.deleted && user.updated_at == at(72));
    assert!(store.token(&live.key).await.unwrap().unwrap().deleted);
    assert!(
        store.miners_of("c").await.unwrap().is_empty() && store.signers_of("c").await.unwrap().is_empty()
    );
    assert_eq!(store.signer(&key(30)).await.unwrap().len(), 1, "others keep theirs");
    assert_eq!(store.delete_user("c", at(73)).await.unwrap().0, Changed::Already);
    assert_eq!(store.delete_user("nobody", at(73)).await.unwrap().0, Changed::Absent);
    let name_taken = store.create_user(&User { id: Uuid::from_u128(77), ..user }).await.unwrap();
    assert_eq!(name_taken, Changed::Already, "a deleted user keeps its name");
    let change = UserChange { comment: Some("x".into()), state: None };
    assert_eq!(
        store.update_user("c", &change, at(73)).await.unwrap(),
        Changed::Absent,
        "only live users change"
    );
    assert!(store.users(ALL, None).await.unwrap().iter().all(|user| user.name != "c"));

    store.bind_miner(&miner(2001, "c2", 73)).await.unwrap();
    store.unbind_miner(&Address::new_id(2001), None, at(73)).await.unwrap();
    assert_eq!(store.recover_user("c", at(74)).await.unwrap(), Changed::Done);
    assert_eq!(store.recover_user("c", at(75)).await.unwrap(), Changed::Already);
    assert_eq!(store.recover_user("nobody", at(75)).await.unwrap(), Changed::Absent);
    let back: Vec<u64> =
        store.miners_of("c").await.unwrap().iter().map(|row| row.miner.id().unwrap()).collect();
    assert_eq!(back, [2000], "not what another had since, nor what was given up before");
    let back: Vec<Address> = store.signers_of("c").await.unwrap().iter().map(|row| row.signer).collect();
    assert_eq!(back, [key(30)]);
    assert!(store.tokens_of("c").await.unwrap().is_empty(), "tokens stay revoked");
    assert_eq!(store.recover_token(&live.key, at(76)).await.unwrap(), Changed::Done);
}

async fn two_owners(store: &dyn AuthStore) {
    for (name, second) in [("o1", 80), ("o2", 81)] {
        add_user(store, name, second).await;
    }
    store.bind_signers("o1", &[key(40)], at(81), &owner_if_free).await.unwrap();
    store.delete_user("o1", at(82)).await.unwrap();
    assert_eq!(store.bind_signers("o2", &[key(40)], at(83), &owner_if_free).await.unwrap(), [true]);
    store.recover_user("o1", at(84)).await.unwrap();
    let rows = store.signer(&key(40)).await.unwrap();
    let users: Vec<_> = rows.iter().map(|row| row.user.as_str()).collect();
    assert_eq!(users, ["o2"], "who proved it since has it");
}

async fn limits(store: &dyn AuthStore) {
    let limit = |id: &str, name: &str, capacity| LimitRow {
        id: id.into(),
        name: name.into(),
        service: String::new(),
        api: "a".into(),
        capacity,
        period: Duration::from_millis(1_500),
    };
    let (one, two) = (limit("l1", "u1", i64::MAX), limit("l2", "u1", 0));
    for row in [&two, &one] {
        store.put_limit(row).await.unwrap();
    }
    assert_eq!(store.limits("u1", None).await.unwrap(), [one.clone(), two.clone()]);
    assert_eq!(store.limits("u1", Some("l2")).await.unwrap(), from_ref(&two));
    assert!(store.limits("u1", Some("l3")).await.unwrap().is_empty());
    assert!(store.limits("t", None).await.unwrap().is_empty());
    let changed = LimitRow { capacity: 7, ..one };
    store.put_limit(&changed).await.unwrap();
    assert_eq!(store.limits("u1", Some("l1")).await.unwrap(), [changed]);
    assert_eq!(store.remove_limit("t", "l1").await.unwrap(), Changed::Absent, "another's");
    assert_eq!(store.remove_limit("u1", "l1").await.unwrap(), Changed::Done);
    assert_eq!(store.remove_limit("u1", "l1").await.unwrap(), Changed::Absent);
    assert_eq!(store.limits("u1", None).await.unwrap(), [two]);
}

async fn bans(store: &dyn AuthStore) {
    let all = [
        Ban::Account("mallory: ' %".into()),
        Ban::Token(Uuid::from_u128(5)),
        Ban::Address(key(66)),
        Ban::Ip("2001:db8::1".parse().unwrap()),
    ];
    assert_eq!(store.banned(&all).await.unwrap(), None);
    for (n, ban) in all.iter().enumerate() {
        store.ban(ban, "old", at(0)).await.unwrap();
        store.ban(ban, &format!("why {n}"), at(90 + n as i64)).await.unwrap();
        let others = [Ban::Account("alice".into()), ban.clone()];
        assert_eq!(store.banned(&others).await.unwrap(), Some(format!("why {n}")));
    }
    let listed: Vec<Ban> = store.bans().await.unwrap().into_iter().map(|(ban, _)| ban).collect();
    assert_eq!(listed, all);
    assert_eq!(store.banned(&[]).await.unwrap(), None);
    assert_eq!(store.unban(&all[0]).await.unwrap(), Changed::Done);
    assert_eq!(store.unban(&all[0]).await.unwrap(), Changed::Absent);
    assert_eq!(store.banned(&all[..1]).await.unwrap(), None);
}

async fn records(store: &dyn AuthStore) {
    let record = |n: u128, actor: &str, action: &str| AuditRecord {
        id: Uuid::from_u128(n),
        at: at(n as i64) + Duration::from_nanos(5),
        actor: actor.into(),
        remote: (n == 1).then(|| "10.0.0.1".parse().unwrap()),
        action: action.into(),
        subject: "s".into(),
        before: "{\"a\":1}".into(),
        after: String::new(),
    };
    let rows = [record(1, "a", "user.create"), record(2, "b", "user.delete"), record(3, "a", "token.create")];
    for row in &rows {
        store.record(row).await.unwrap();
    }
    let wanted = |query: AuditQuery| async move {
        let found = store.records(&query).await.unwrap();
        found.iter().map(|row| row.id.as_u128()).collect::<Vec<_>>()
    };
    let all = AuditQuery::default;
    assert_eq!(store.records(&all()).await.unwrap(), [rows[2].clone(), rows[1].clone(), rows[0].clone()]);
    assert_eq!(wanted(AuditQuery { actor: Some("a".into()), ..all() }).await, [3, 1]);
    assert_eq!(wanted(AuditQuery { action: Some("user.".into()), ..all() }).await, [2, 1]);
    assert_eq!(wanted(AuditQuery { action: Some("user%".into()), ..all() }).await, []);
    assert_eq!(wanted(AuditQuery { before: Some(Uuid::from_u128(3)), limit: 1, ..all() }).await, [2]);
    assert_eq!(wanted(AuditQuery { subject: Some("x".into()), ..all() }).await, []);
}

async fn hashing(store: &dyn AuthStore) {
    let clear = text("t", 8);
    let before = store.token(&TokenKey::clear(&clear)).await.unwrap().unwrap();
    let dry = migrate_tokens(store, true).await.unwrap();
    assert_eq!((dry.clear, dry.hashed), (1, 0));
    assert!(store.token(&before.key).await.unwrap().is_some(), "a dry run changes nothing");
    let done = migrate_tokens(store, false).await.unwrap();
    assert_eq!((done.clear, done.hashed), (1, 1));
    assert_eq!(store.token(&TokenKey::clear(&clear)).await.unwrap(), None);
    let after = store.token(&TokenKey::hashed(&clear)).await.unwrap().unwrap();
    assert_eq!(after, TokenRow { key: TokenKey::hashed(&clear), secret: String::new(), ..before });
    assert_eq!(store.tokens_named(&after.key.display()).await.unwrap(), [after]);
    assert_eq!(migrate_tokens(store, false).await.unwrap().hashed, 0, "again is nothing");
}

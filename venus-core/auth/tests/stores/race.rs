//! Two instances of a service on one database.

use futures::future::join;
use time::OffsetDateTime;
use uuid::Uuid;
use venus_auth::{AuthStore, Changed, MinerRow, Provenance, SignerRow, User, UserState};
use venus_core::types::Address;

const ROUNDS: u8 = 20;

fn user(name: &str, id: u128) -> User {
    let at = OffsetDateTime::UNIX_EPOCH;
    User {
        id: Uuid::from_u128(id),
        name: name.into(),
        comment: String::new(),
        state: UserState::Enabled,
        created_at: at,
        updated_at: at,
        deleted: false,
    }
}

fn owner_if_free(_: &Address, bound: &[SignerRow]) -> Option<Provenance> {
    bound.is_empty().then_some(Provenance::Owner)
}

/// Whatever both do at once, each thing happens once.
pub(crate) async fn nothing_happens_twice(a: &dyn AuthStore, b: &dyn AuthStore) {
    let at = OffsetDateTime::UNIX_EPOCH;
    for n in 0..ROUNDS {
        let name = format!("race{n}");
        let (one, two) = (user(&name, u128::from(n) * 2 + 1000), user(&name, u128::from(n) * 2 + 1001));
        let (first, second) = join(a.create_user(&one), b.create_user(&two)).await;
        let mut met = [first.unwrap(), second.unwrap()];
        met.sort_by_key(|changed| *changed != Changed::Done);
        assert_eq!(met, [Changed::Done, Changed::Already]);

        let keys: Vec<Address> =
            (0..5).map(|k| Address::new_secp256k1(&[[n; 33].as_slice(), &[k; 32]].concat()).unwrap()).collect();
        let backwards: Vec<Address> = keys.iter().rev().copied().collect();
        let (first, second) = join(
            a.bind_signers("x", &keys, at, &owner_if_free),
            b.bind_signers("y", &backwards, at, &owner_if_free),
        )
        .await;
        let (first, mut second) = (first.unwrap(), second.unwrap());
        second.reverse();
        for (key, (x, y)) in keys.iter().zip(first.into_iter().zip(second)) {
            assert!(x != y, "one owner");
            assert_eq!(a.signer(key).await.unwrap().len(), 1);
        }

        let row = |user: &str| MinerRow {
            miner: Address::new_id(5000 + u64::from(n)),
            user: user.into(),
            open_mining: true,
            created_at: at,
            updated_at: at,
        };
        let (first, second) = (row("x"), row("y"));
        let (first, second) = join(a.bind_miner(&first), b.bind_miner(&second)).await;
        assert!(first.unwrap().is_new != second.unwrap().is_new, "new once");

        let (first, second) = join(a.delete_user(&name, at), b.delete_user(&name, at)).await;
        let mut met = [first.unwrap().0, second.unwrap().0];
        met.sort_by_key(|changed| *changed != Changed::Done);
        assert_eq!(met, [Changed::Done, Changed::Already]);
    }
}

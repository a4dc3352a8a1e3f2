//! What the service lets whom do, and what follows.
#![cfg(feature = "sqlite")]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod changes;
mod permissions;
mod seed;
mod threats;

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use venus_auth::{
    Actor, AuthService, AuthStore, Effect, MemoryStore, NewToken, NewUser, Rules, SignerSharing, UserState,
};
use venus_core::api::Permissions;
use venus_core::clock::ManualClock;
use venus_core::types::Address;

pub(crate) const START: Duration = Duration::from_secs(1_700_000_000);

/// A service in memory with the users `alice` and `bob`.
pub(crate) struct Pool {
    pub(crate) auth: AuthService,
    pub(crate) store: Arc<dyn AuthStore>,
    pub(crate) clock: ManualClock,
    pub(crate) admin: Actor,
}

impl Pool {
    pub(crate) async fn new() -> Self {
        Self::with(Rules::default()).await
    }

    pub(crate) async fn sharing(sharing: SignerSharing) -> Self {
        Self::with(Rules { sharing, ..Rules::default() }).await
    }

    pub(crate) async fn with(rules: Rules) -> Self {
        Self::over(Arc::new(MemoryStore::default()), rules).await
    }

    pub(crate) async fn over(store: Arc<dyn AuthStore>, rules: Rules) -> Self {
        let clock = ManualClock::new(START);
        let auth = AuthService::new(store.clone(), Arc::new(clock.clone()), rules);
        let mut admin = Actor::new("root", Permissions::ALL);
        admin.remote = Some("10.1.2.3".parse().unwrap());
        let this = Self { auth, store, clock, admin };
        for name in ["alice", "bob"] {
            this.user(name).await;
        }
        this
    }

    pub(crate) async fn user(&self, name: &str) {
        let new = NewUser { name: name.into(), state: UserState::Enabled, ..NewUser::default() };
        self.auth.create_user(&self.admin, new).await.unwrap();
    }

    pub(crate) async fn token(&self, name: &str, perm: &str) -> String {
        let new = NewToken { name: name.into(), perm: perm.into(), ..NewToken::default() };
        self.auth.create_token(&self.admin, new).await.unwrap().expose_secret().to_owned()
    }

    /// What ended since effect number `seq`.
    pub(crate) async fn ended(&self, seq: u64) -> Vec<Effect> {
        if self.auth.effects().last() == seq {
            return Vec::new();
        }
        self.auth.effects().after(seq).await.into_iter().map(|revocation| revocation.effect).collect()
    }
}

pub(crate) fn actor(name: &str, perm: &str) -> Actor {
    Actor::new(name, Permissions::up_to(perm))
}

pub(crate) fn key(n: u8) -> Address {
    Address::new_secp256k1(&[n; 65]).unwrap()
}

pub(crate) fn miner(id: u64) -> Address {
    Address::new_id(id)
}

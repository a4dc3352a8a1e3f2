//! A store that ends with its process.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use time::OffsetDateTime;
use uuid::Uuid;
use venus_core::types::Address;

use super::{AuthStore, Cascade, Changed, Decide, MinerBound, StoreError, UserChange, clamp};
use crate::audit::{AuditQuery, AuditRecord};
use crate::model::{
    Ban, LimitRow, MinerRow, Page, Provenance, SignerRow, TokenKey, TokenRow, User, UserState,
};

/// Records that are kept; the oldest go first.
const MAX_RECORDS: usize = 100_000;

/// An [`AuthStore`] in memory, for tests and for pools of one process.
#[derive(Default)]
pub struct MemoryStore {
    data: Mutex<Data>,
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryStore")
    }
}

/// A row and whether it was deleted.
#[derive(Clone, Debug)]
struct Kept<T> {
    row: T,
    gone: Gone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gone {
    No,
    Deleted,
    /// With its user, with whom it comes back.
    WithUser,
}

impl<T> Kept<T> {
    fn new(row: T) -> Self {
        Self { row, gone: Gone::No }
    }

    fn is_live(&self) -> bool {
        self.gone == Gone::No
    }
}

#[derive(Default)]
struct Data {
    users: BTreeMap<String, Kept<User>>,
    /// In the order of creation.
    tokens: Vec<TokenRow>,
    miners: BTreeMap<Address, Kept<MinerRow>>,
    signers: BTreeMap<(Address, String), Kept<SignerRow>>,
    grants: BTreeSet<(Address, String)>,
    limits: Vec<LimitRow>,
    bans: Vec<(Ban, String)>,
    records: Vec<AuditRecord>,
}

impl MemoryStore {
    fn data(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn page<T>(rows: impl Iterator<Item = T>, page: Page) -> Vec<T> {
    rows.skip(usize::try_from(page.skip).unwrap_or(usize::MAX)).take(clamp(page.limit)).collect()
}

impl Data {
    fn bound(&self, signer: &Address) -> Vec<SignerRow> {
        let live = self.signers.values().filter(|kept| kept.is_live() && kept.row.signer == *signer);
        let mut rows: Vec<SignerRow> = live.map(|kept| kept.row.clone()).collect();
        rows.sort_by(SignerRow::owner_first);
        rows
    }

    fn unbind(&mut self, signer: &Address, user: &str, at: OffsetDateTime) -> Changed {
        match self.signers.get_mut(&(*signer, user.to_owned())) {
            None => Changed::Absent,
            Some(kept) if !kept.is_live() => Changed::Already,
            Some(kept) => {
                (kept.gone, kept.row.updated_at) = (Gone::Deleted, at);
                Changed::Done
            }
        }
    }

    fn cascade(&mut self, user: &str) -> Cascade {
        let mut cascade = Cascade::default();
        for token in self.tokens.iter_mut().filter(|token| token.name == user && !token.deleted) {
            token.deleted = true;
            cascade.tokens.push(token.id);
        }
        for kept in self.miners.values_mut().filter(|kept| kept.row.user == user) {
            kept.gone = match kept.is_live() {
                true => Gone::WithUser,
                false => Gone::Deleted,
            };
            cascade.miners.extend((kept.gone == Gone::WithUser).then_some(kept.row.miner));
        }
        for kept in self.signers.values_mut().filter(|kept| kept.row.user == user) {
            kept.gone = match kept.is_live() {
                true => Gone::WithUser,
                false => Gone::Deleted,
            };
            cascade.signers.extend((kept.gone == Gone::WithUser).then_some(kept.row.signer));
        }
        cascade
    }

    /// What went when the user went. What it gave up before stays gone.
    fn bring_back(&mut self, user: &str) {
        for kept in
            self.miners.values_mut().filter(|kept| kept.row.user == user && kept.gone == Gone::WithUser)
        {
            kept.gone = Gone::No;
        }
        let went = self.signers.values().filter(|kept| kept.row.user == user && kept.gone == Gone::WithUser);
        let went: Vec<Address> = went.map(|kept| kept.row.signer).collect();
        for signer in went {
            let owned = self.bound(&signer).iter().any(|row| row.provenance == Provenance::Owner);
            if let Some(kept) = self.signers.get_mut(&(signer, user.to_owned())) {
                kept.gone = if owned { Gone::Deleted } else { Gone::No };
            }
        }
    }
}

#[async_trait]
impl AuthStore for MemoryStore {
    async fn user(&self, name: &str) -> Result<Option<User>, StoreError> {
        Ok(self.data().users.get(name).map(|kept| kept.row.clone()))
    }

    async fn users(&self, wanted: Page, state: Option<UserState>) -> Result<Vec<User>, StoreError> {
        let data = self.data();
        let mut live: Vec<&User> =
            data.users.values().filter(|kept| kept.is_live()).map(|kept| &kept.row).collect();
        live.retain(|user| state.is_none_or(|state| user.state == state));
        live.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(page(live.into_iter().cloned(), wanted))
    }

    async fn count_users(&self) -> Result<Vec<(UserState, u64)>, StoreError> {
        let mut counts: BTreeMap<i32, u64> = BTreeMap::new();
        for kept in self.data().users.values().filter(|kept| kept.is_live()) {
            *counts.entry(kept.row.state.number()).or_default() += 1;
        }
        Ok(counts.into_iter().map(|(state, count)| (UserState::of_number(state), count)).collect())
    }

    async fn count_tokens(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for row in self.data().tokens.iter().filter(|row| !row.deleted) {
            *counts.entry(row.perm.clone()).or_default() += 1;
        }
        Ok(counts.into_iter().collect())
    }

    async fn create_user(&self, user: &User) -> Result<Changed, StoreError> {
        let mut data = self.data();
        if data.users.contains_key(&user.name) {
            return Ok(Changed::Already);
        }
        data.users.insert(user.name.clone(), Kept::new(user.clone()));
        Ok(Changed::Done)
    }

    async fn update_user(
        &self,
        name: &str,
        change: &UserChange,
        at: OffsetDateTime,
    ) -> Result<Changed, StoreError> {
        let mut data = self.data();
        let Some(kept) = data.users.get_mut(name).filter(|kept| kept.is_live()) else {
            return Ok(Changed::Absent);
        };
        kept.row.comment = change.comment.clone().unwrap_or_else(|| std::mem::take(&mut kept.row.comment));
        kept.row.state = change.state.unwrap_or(kept.row.state);
        kept.row.updated_at = at;
        Ok(Changed::Done)
    }

    async fn delete_user(&self, name: &str, at: OffsetDateTime) -> Result<(Changed, Cascade), StoreError> {
        let mut data = self.data();
        let Some(kept) = data.users.get_mut(name) else { return Ok((Changed::Absent, Cascade::default())) };
        if !kept.is_live() {
            return Ok((Changed::Already, Cascade::default()));
        }
        (kept.gone, kept.row.deleted, kept.row.updated_at) = (Gone::Deleted, true, at);
        Ok((Changed::Done, data.cascade(name)))
    }

    async fn recover_user(&self, name: &str, at: OffsetDateTime) -> Result<Changed, StoreError> {
        let mut data = self.data();
        let Some(kept) = data.users.get_mut(name) else { return Ok(Changed::Absent) };
        if kept.is_live() {
            return Ok(Changed::Already);
        }
        (kept.gone, kept.row.deleted, kept.row.updated_at) = (Gone::No, false, at);
        data.bring_back(name);
        Ok(Changed::Done)
    }

    async fn token(&self, key: &TokenKey) -> Result<Option<TokenRow>, StoreError> {
        Ok(self.data().tokens.iter().find(|token| token.key == *key).cloned())
    }

    async fn tokens_named(&self, name: &str) -> Result<Vec<TokenRow>, StoreError> {
        let id = Uuid::parse_str(name).ok();
        let data = self.data();
        let named = data.tokens.iter().filter(|token| {
            Some(token.id) == id || (name.len() >= 8 && token.key.fingerprint().starts_with(name))
        });
        Ok(named.take(10).cloned().collect())
    }

    async fn tokens_of(&self, name: &str) -> Result<Vec<TokenRow>, StoreError> {
        let data = self.data();
        Ok(data.tokens.iter().filter(|token| !token.deleted && token.name == name).cloned().collect())
    }

    async fn tokens(&self, wanted: Page) -> Result<Vec<TokenRow>, StoreError> {
        Ok(page(self.data().tokens.iter().filter(|token| !token.deleted).cloned(), wanted))
    }

    async fn add_token(&self, token: &TokenRow) -> Result<Changed, StoreError> {
        let mut data = self.data();
        if data.tokens.iter().any(|known| known.key == token.key) {
            return Ok(Changed::Already);
        }
        data.tokens.push(token.clone());
        Ok(Changed::Done)
    }

    async fn delete_token(&self, key: &TokenKey, _: OffsetDateTime) -> Result<Changed, StoreError> {
        Ok(self.set_deleted(key, true))
    }

    async fn recover_token(&self, key: &TokenKey, _: OffsetDateTime) -> Result<Changed, StoreError> {
        Ok(self.set_deleted(key, false))
    }

    async fn hash_tokens(&self, limit: u32) -> Result<u64, StoreError> {
        let mut data = self.data();
        let clear = data.tokens.iter_mut().filter(|token| !token.key.is_hashed());
        let mut hashed = 0;
        for token in clear.take(clamp(limit)) {
            token.key = TokenKey::hashed(token.key.as_column());
            token.secret = String::new();
            hashed += 1;
        }
        Ok(hashed)
    }

    async fn clear_tokens(&self) -> Result<u64, StoreError> {
        Ok(self.data().tokens.iter().filter(|token| !token.key.is_hashed()).count() as u64)
    }

    async fn miner(&self, miner: &Address) -> Result<Option<MinerRow>, StoreError> {
        let data = self.data();
        let live = data.miners.get(miner).filter(|kept| kept.is_live());
        Ok(live.map(|kept| kept.row.clone()))
    }

    async fn miners_of(&self, user: &str) -> Result<Vec<MinerRow>, StoreError> {
        let data = self.data();
        let live = data.miners.values().filter(|kept| kept.is_live() && kept.row.user == user);
        Ok(live.map(|kept| kept.row.clone()).collect())
    }

    async fn bind_miner(&self, row: &MinerRow) -> Result<MinerBound, StoreError> {
        let mut data = self.data();
        let Some(kept) = data.miners.get_mut(&row.miner) else {
            data.miners.insert(row.miner, Kept::new(row.clone()));
            return Ok(MinerBound { is_new: true, taken_from: None });
        };
        let taken_from = kept.is_live().then(|| kept.row.user.clone());
        kept.gone = Gone::No;
        kept.row = MinerRow { created_at: kept.row.created_at, ..row.clone() };
        Ok(MinerBound { is_new: false, taken_from })
    }

    async fn unbind_miner(
        &self,
        miner: &Address,
        of: Option<&str>,
        at: OffsetDateTime,
    ) -> Result<(Changed, Option<String>), StoreError> {
        Ok(match self.data().miners.get_mut(miner) {
            None => (Changed::Absent, None),
            Some(kept) if of.is_some_and(|of| of != kept.row.user) => (Changed::Absent, None),
            Some(kept) if !kept.is_live() => (Changed::Already, None),
            Some(kept) => {
                (kept.gone, kept.row.updated_at) = (Gone::Deleted, at);
                (Changed::Done, Some(kept.row.user.clone()))
            }
        })
    }

    async fn signer(&self, signer: &Address) -> Result<Vec<SignerRow>, StoreError> {
        Ok(self.data().bound(signer))
    }

    async fn signers_of(&self, user: &str) -> Result<Vec<SignerRow>, StoreError> {
        let data = self.data();
        let live = data.signers.values().filter(|kept| kept.is_live() && kept.row.user == user);
        Ok(live.map(|kept| kept.row.clone()).collect())
    }

    async fn bind_signers(
        &self,
        user: &str,
        signers: &[Address],
        at: OffsetDateTime,
        decide: &Decide<'_>,
    ) -> Result<Vec<bool>, StoreError> {
        let mut data = self.data();
        // One that is named twice is decided once.
        let mut results: BTreeMap<Address, bool> = BTreeMap::new();
        for signer in signers {
            if results.contains_key(signer) {
                continue;
            }
            let Some(provenance) = decide(signer, &data.bound(signer)) else {
                results.insert(*signer, false);
                continue;
            };
            let key = (*signer, user.to_owned());
            if provenance == Provenance::Owner && !data.signers.get(&key).is_some_and(Kept::is_live) {
                // Consents were those of another owner.
                data.grants.retain(|(granted, _)| granted != signer);
            }
            let created_at = data.signers.get(&key).map_or(at, |kept| kept.row.created_at);
            let row =
                SignerRow { signer: *signer, user: user.to_owned(), provenance, created_at, updated_at: at };
            data.signers.insert(key, Kept::new(row));
            results.insert(*signer, true);
        }
        Ok(signers.iter().map(|signer| results.get(signer).copied().unwrap_or_default()).collect())
    }

    async fn unbind_signers(
        &self,
        user: &str,
        signers: &[Address],
        at: OffsetDateTime,
    ) -> Result<Vec<Changed>, StoreError> {
        let mut data = self.data();
        Ok(signers.iter().map(|signer| data.unbind(signer, user, at)).collect())
    }

    async fn unbind_signer(&self, signer: &Address, at: OffsetDateTime) -> Result<Vec<String>, StoreError> {
        let mut data = self.data();
        let users: Vec<String> = data.bound(signer).into_iter().map(|row| row.user).collect();
        users.iter().for_each(|user| {
            data.unbind(signer, user, at);
        });
        Ok(users)
    }

    async fn grant_signer(&self, signer: &Address, user: &str, _: OffsetDateTime) -> Result<(), StoreError> {
        self.data().grants.insert((*signer, user.to_owned()));
        Ok(())
    }

    async fn is_granted(&self, signer: &Address, user: &str) -> Result<bool, StoreError> {
        Ok(self.data().grants.contains(&(*signer, user.to_owned())))
    }

    async fn limits(&self, name: &str, id: Option<&str>) -> Result<Vec<LimitRow>, StoreError> {
        let data = self.data();
        let wanted = |limit: &&LimitRow| limit.name == name && id.is_none_or(|id| limit.id == id);
        let mut limits: Vec<LimitRow> = data.limits.iter().filter(wanted).cloned().collect();
        limits.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(limits)
    }

    async fn put_limit(&self, limit: &LimitRow) -> Result<(), StoreError> {
        let mut data = self.data();
        data.limits.retain(|known| known.id != limit.id);
        data.limits.push(limit.clone());
        Ok(())
    }

    async fn remove_limit(&self, name: &str, id: &str) -> Result<Changed, StoreError> {
        let mut data = self.data();
        let before = data.limits.len();
        data.limits.retain(|known| known.id != id || known.name != name);
        Ok(if data.limits.len() < before { Changed::Done } else { Changed::Absent })
    }

    async fn bans(&self) -> Result<Vec<(Ban, String)>, StoreError> {
        Ok(self.data().bans.clone())
    }

    async fn banned(&self, any: &[Ban]) -> Result<Option<String>, StoreError> {
        let data = self.data();
        Ok(data.bans.iter().find(|(ban, _)| any.contains(ban)).map(|(_, reason)| reason.clone()))
    }

    async fn ban(&self, ban: &Ban, reason: &str, _: OffsetDateTime) -> Result<(), StoreError> {
        let mut data = self.data();
        data.bans.retain(|(known, _)| known != ban);
        data.bans.push((ban.clone(), reason.to_owned()));
        Ok(())
    }

    async fn unban(&self, ban: &Ban) -> Result<Changed, StoreError> {
        let mut data = self.data();
        let before = data.bans.len();
        data.bans.retain(|(known, _)| known != ban);
        Ok(if data.bans.len() < before { Changed::Done } else { Changed::Absent })
    }

    async fn record(&self, record: &AuditRecord) -> Result<(), StoreError> {
        let mut data = self.data();
        if data.records.len() >= MAX_RECORDS {
            data.records.drain(..MAX_RECORDS / 10);
        }
        data.records.push(record.clone());
        Ok(())
    }

    async fn records(&self, query: &AuditQuery) -> Result<Vec<AuditRecord>, StoreError> {
        let data = self.data();
        let mut found: Vec<&AuditRecord> = data.records.iter().filter(|record| query.wants(record)).collect();
        found.sort_by_key(|record| std::cmp::Reverse(record.id));
        Ok(found.into_iter().take(query.most()).cloned().collect())
    }
}

impl MemoryStore {
    fn set_deleted(&self, key: &TokenKey, deleted: bool) -> Changed {
        match self.data().tokens.iter_mut().find(|token| token.key == *key) {
            None => Changed::Absent,
            Some(token) if token.deleted == deleted => Changed::Already,
            Some(token) => {
                token.deleted = deleted;
                Changed::Done
            }
        }
    }
}

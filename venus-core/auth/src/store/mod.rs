//! Where the pool's users are kept.
//!
//! A store keeps rows and the relations between them; who may change what is decided above it, in
//! the service. Every method is one transaction: it happened wholly or not at all, and after a
//! crash that is still so. "Live" means not deleted.

mod memory;
mod migrate;
#[cfg(any(feature = "sqlite", feature = "mysql"))]
mod sql;

use async_trait::async_trait;
use time::OffsetDateTime;
use uuid::Uuid;
use venus_core::error::{BoxError, Classify, ErrorKind};
use venus_core::types::Address;

use crate::audit::{AuditQuery, AuditRecord};
use crate::effect::Effect;
use crate::model::{
    Ban, LimitRow, MinerRow, Page, Provenance, SignerRow, TokenKey, TokenRow, User, UserState,
};

pub use memory::MemoryStore;
pub use migrate::{TokenMigration, migrate_tokens};
#[cfg(feature = "mysql")]
pub use sql::SchemaPlan;
#[cfg(any(feature = "sqlite", feature = "mysql"))]
pub use sql::SqlStore;

/// Decides, inside a transaction, how a signer with these live bindings is bound, or that it is not.
pub type Decide<'d> = dyn Fn(&Address, &[SignerRow]) -> Option<Provenance> + Send + Sync + 'd;

/// Rows of one page at most.
const MAX_PAGE: u32 = 1000;

/// The number of rows that a page gives: 0 and too many are the most.
pub(crate) fn clamp(limit: u32) -> usize {
    let limit = if limit == 0 { MAX_PAGE } else { limit.min(MAX_PAGE) };
    limit as usize
}

/// Why a store failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database failed; trying again may help.
    #[error("account store: {0}")]
    Backend(#[source] BoxError),
    /// A row that cannot be.
    #[error("account store: {0}")]
    Corrupt(String),
}

impl Classify for StoreError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Backend(_) => ErrorKind::Transient,
            Self::Corrupt(_) => ErrorKind::Corrupt,
        }
    }
}

/// What a change met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It happened.
    Done,
    /// It was so already: deleted before, not deleted, taken.
    Already,
    /// There is no such row.
    Absent,
}

/// What went with a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cascade {
    /// Ids of the tokens that were revoked.
    pub tokens: Vec<Uuid>,
    /// Miners that were unbound.
    pub miners: Vec<Address>,
    /// Signers that were unbound.
    pub signers: Vec<Address>,
}

/// What binding a miner met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MinerBound {
    /// Whether the store never knew the miner.
    pub is_new: bool,
    /// The user who had it until now, the same one included.
    pub taken_from: Option<String>,
}

/// How far others have been heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// The number of the latest effect.
    pub(crate) last: i64,
    /// The latest numbers that were seen: numbers are given out in order, but their rows do not appear in order.
    pub(crate) seen: std::collections::BTreeSet<i64>,
}

/// A change of a user; `None` leaves a member as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserChange {
    /// Another comment.
    pub comment: Option<String>,
    /// Another state.
    pub state: Option<UserState>,
}

/// Keeps accounts, tokens, miners, signers, limits, bans and the record of changes.
#[async_trait]
pub trait AuthStore: std::fmt::Debug + Send + Sync {
    /// The user of a name, deleted or not. Of several with one name the live one, else the last deleted.
    async fn user(&self, name: &str) -> Result<Option<User>, StoreError>;
    /// Live users by name; only those of `state` if given.
    async fn users(&self, page: Page, state: Option<UserState>) -> Result<Vec<User>, StoreError>;
    /// How many live users there are in each state.
    async fn count_users(&self) -> Result<Vec<(UserState, u64)>, StoreError>;
    /// Adds a user. [`Changed::Already`] if the name is taken, also by a deleted user, who can be recovered.
    async fn create_user(&self, user: &User) -> Result<Changed, StoreError>;
    /// Changes a live user.
    async fn update_user(
        &self,
        name: &str,
        change: &UserChange,
        at: OffsetDateTime,
    ) -> Result<Changed, StoreError>;
    /// Deletes a user with all its tokens, miners and signers. [`Changed::Already`] if it was deleted before.
    async fn delete_user(&self, name: &str, at: OffsetDateTime) -> Result<(Changed, Cascade), StoreError>;
    /// Brings a deleted user back, with the miners and signers that went with it, but for miners that another has
    /// had since and signers that have another owner; tokens stay revoked.
    async fn recover_user(&self, name: &str, at: OffsetDateTime) -> Result<Changed, StoreError>;

    /// The token of a key, deleted or not.
    async fn token(&self, key: &TokenKey) -> Result<Option<TokenRow>, StoreError>;
    /// Tokens, deleted or not, whose id is `name` or whose fingerprint begins with it, which takes at least eight
    /// characters. At most ten.
    async fn tokens_named(&self, name: &str) -> Result<Vec<TokenRow>, StoreError>;
    /// Live tokens of a user.
    async fn tokens_of(&self, name: &str) -> Result<Vec<TokenRow>, StoreError>;
    /// Live tokens by creation.
    async fn tokens(&self, page: Page) -> Result<Vec<TokenRow>, StoreError>;
    /// Adds a token.
    async fn add_token(&self, token: &TokenRow) -> Result<Changed, StoreError>;
    /// Revokes a token.
    async fn delete_token(&self, key: &TokenKey, at: OffsetDateTime) -> Result<Changed, StoreError>;
    /// Brings a revoked token back.
    async fn recover_token(&self, key: &TokenKey, at: OffsetDateTime) -> Result<Changed, StoreError>;
    /// Replaces clear tokens and secrets by hashes, `limit` at a time; answers how many were replaced.
    async fn hash_tokens(&self, limit: u32) -> Result<u64, StoreError>;
    /// How many tokens still stand in clear.
    async fn clear_tokens(&self) -> Result<u64, StoreError>;

    /// The live binding of a miner.
    async fn miner(&self, miner: &Address) -> Result<Option<MinerRow>, StoreError>;
    /// Live miners of a user.
    async fn miners_of(&self, user: &str) -> Result<Vec<MinerRow>, StoreError>;
    /// Binds a miner to a user, away from another if need be.
    async fn bind_miner(&self, row: &MinerRow) -> Result<MinerBound, StoreError>;
    /// Unbinds a miner; with `of` only from that user, to whom another's miner is [`Changed::Absent`]. Answers also who
    /// had it.
    async fn unbind_miner(
        &self,
        miner: &Address,
        of: Option<&str>,
        at: OffsetDateTime,
    ) -> Result<(Changed, Option<String>), StoreError>;

    /// Live bindings of a signer, the owner's first.
    async fn signer(&self, signer: &Address) -> Result<Vec<SignerRow>, StoreError>;
    /// Live signers of a user.
    async fn signers_of(&self, user: &str) -> Result<Vec<SignerRow>, StoreError>;
    /// Binds signers to a user, all or none. `decide` is asked for each inside the transaction, with its live
    /// bindings, and answers with what provenance it is bound, or refuses it, which leaves the others. Consents are
    /// void where a signer gets a new owner. A signer that is named twice is decided once. `decide` may be asked again if the transaction has to be repeated.
    async fn bind_signers(
        &self,
        user: &str,
        signers: &[Address],
        at: OffsetDateTime,
        decide: &Decide<'_>,
    ) -> Result<Vec<bool>, StoreError>;
    /// Unbinds signers from a user; answers for each what it met.
    async fn unbind_signers(
        &self,
        user: &str,
        signers: &[Address],
        at: OffsetDateTime,
    ) -> Result<Vec<Changed>, StoreError>;
    /// Unbinds a signer from everybody; answers who had it.
    async fn unbind_signer(&self, signer: &Address, at: OffsetDateTime) -> Result<Vec<String>, StoreError>;
    /// Consents to `user` using `signer`, which its owner has.
    async fn grant_signer(&self, signer: &Address, user: &str, at: OffsetDateTime) -> Result<(), StoreError>;
    /// Whether there is such a consent.
    async fn is_granted(&self, signer: &Address, user: &str) -> Result<bool, StoreError>;

    /// Limits of a user, or the one of `id`; by id.
    async fn limits(&self, name: &str, id: Option<&str>) -> Result<Vec<LimitRow>, StoreError>;
    /// Adds or replaces a limit.
    async fn put_limit(&self, limit: &LimitRow) -> Result<(), StoreError>;
    /// Removes a limit.
    async fn remove_limit(&self, name: &str, id: &str) -> Result<Changed, StoreError>;

    /// All bans.
    async fn bans(&self) -> Result<Vec<(Ban, String)>, StoreError>;
    /// The reason of a ban of any of these. Asked for every token, so its cost must not grow with the number of bans.
    async fn banned(&self, any: &[Ban]) -> Result<Option<String>, StoreError>;
    /// Bans, with a reason.
    async fn ban(&self, ban: &Ban, reason: &str, at: OffsetDateTime) -> Result<(), StoreError>;
    /// Lifts a ban.
    async fn unban(&self, ban: &Ban) -> Result<Changed, StoreError>;

    /// Whether several services may share this store, so that they have to tell each other what ends.
    fn is_shared(&self) -> bool {
        false
    }

    /// Tells the other services on this store what the service `from` ended.
    async fn tell(&self, _from: Uuid, _effect: &Effect, _at: OffsetDateTime) -> Result<(), StoreError> {
        Ok(())
    }

    /// What others than `me` ended since the last time, and from where to go on; [`Effect::Reset`] if some of it is
    /// forgotten already. The first time nothing, only from where.
    async fn hear(&self, _me: Uuid, _since: Option<&Heard>) -> Result<(Heard, Vec<Effect>), StoreError> {
        Ok((Heard::default(), Vec::new()))
    }

    /// How many live tokens there are of each permission.
    async fn count_tokens(&self) -> Result<Vec<(String, u64)>, StoreError>;

    /// Keeps a record of a change.
    async fn record(&self, record: &AuditRecord) -> Result<(), StoreError>;
    /// Records, latest first.
    async fn records(&self, query: &AuditQuery) -> Result<Vec<AuditRecord>, StoreError>;
}

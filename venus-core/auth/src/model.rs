//! What the pool knows of its users.

use std::fmt;
use std::time::Duration;

use time::OffsetDateTime;
use uuid::Uuid;
use venus_core::api::Permissions;
use venus_core::types::Address;

/// What stands in a store for a token: the token itself in clear stores, else what [`TokenKey::hashed`] makes of it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenKey(pub(crate) String);

impl fmt::Debug for TokenKey {
    /// Clear keys are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(…)")
    }
}

/// Whether a user may use the pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum UserState {
    /// Never set. Counts as enabled, as the API of sophon-auth creates users so.
    #[default]
    Undefined,
    /// May.
    Enabled,
    /// May not, anywhere, from within a second.
    Disabled,
    /// A number that an existing database holds and nobody defined. Counts as enabled, and is written back unchanged.
    Other(i32),
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Never changes, and is never given to another, even if the name is.
    pub id: Uuid,
    /// Unique among those that are not deleted.
    pub name: String,
    /// Free text.
    pub comment: String,
    /// Whether it may use the pool.
    pub state: UserState,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub updated_at: OffsetDateTime,
    /// Whether it was deleted. Such users can be recovered.
    pub deleted: bool,
}

/// A token as a store keeps it.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// What it is found by.
    pub key: TokenKey,
    /// Names it where the token itself must not appear: in lists, logs and events.
    pub id: Uuid,
    /// The account it speaks for.
    pub name: String,
    /// What it may do: `read`, `write`, `sign`, `admin`, or anything else for nothing.
    pub perm: String,
    /// Free text that the token carries.
    pub extra: String,
    /// The secret that it was signed with, hex; empty in stores that keep hashes only.
    pub secret: String,
    /// From when it is refused; `None` for never.
    pub expires_at: Option<OffsetDateTime>,
    /// For which services it is meant; empty for all.
    pub audience: Vec<String>,
    /// What it is narrowed to; empty for all that its permission allows.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// Whether it was revoked. It can be recovered.
    pub deleted: bool,
}

impl fmt::Debug for TokenRow {
    /// Its secret makes tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRow")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("perm", &self.perm)
            .field("created_at", &self.created_at)
            .field("expires_at", &self.expires_at)
            .field("deleted", &self.deleted)
            .finish_non_exhaustive()
    }
}

impl TokenRow {
    /// What its permission allows.
    pub fn permissions(&self) -> Permissions {
        Permissions::up_to(&self.perm)
    }
}

/// That a miner belongs to an account. A miner has exactly one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinerRow {
    /// An ID address.
    pub miner: Address,
    /// The account.
    pub user: String,
    /// Whether the pool may mine for it.
    pub open_mining: bool,
    /// When it was first bound.
    pub created_at: OffsetDateTime,
    /// When the binding last changed.
    pub updated_at: OffsetDateTime,
}

/// How an account came to use a signer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Provenance {
    /// Adopted from a database that did not say.
    #[default]
    Legacy,
    /// The first account that proved the key. Others need its consent.
    Owner,
    /// Another account, with the owner's consent or an administrator's.
    Granted,
}

impl Provenance {
    /// Owners come first.
    pub(crate) fn rank(self) -> u8 {
        match self {
            Self::Owner => 0,
            Self::Legacy => 1,
            Self::Granted => 2,
        }
    }
}

/// That an account may use a signer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignerRow {
    /// A key address: `f1`, `f3` or `f4`.
    pub signer: Address,
    /// The account.
    pub user: String,
    /// How it came to it.
    pub provenance: Provenance,
    /// When it was first bound.
    pub created_at: OffsetDateTime,
    /// When the binding last changed.
    pub updated_at: OffsetDateTime,
}

impl SignerRow {
    /// Orders the bindings of a signer: its owner first, then who had it longest.
    pub(crate) fn owner_first(&self, other: &Self) -> std::cmp::Ordering {
        let key = |row: &Self| (row.provenance.rank(), row.created_at);
        key(self).cmp(&key(other)).then_with(|| self.user.cmp(&other.user))
    }
}

/// A limit of requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitRow {
    /// Unique; given by the caller or a new UUID.
    pub id: String,
    /// The account.
    pub name: String,
    /// The service it is for, or empty for all.
    pub service: String,
    /// The method it is for, or empty for all.
    pub api: String,
    /// Requests in a period; 0 for no limit.
    pub capacity: i64,
    /// The period, at least a millisecond.
    pub period: Duration,
}

/// What of a list is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// How many to leave out.
    pub skip: u64,
    /// How many at most, up to 1000.
    pub limit: u32,
}

/// What keeps somebody out whatever their token says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ban {
    /// An account.
    Account(String),
    /// A token, by its id.
    Token(Uuid),
    /// A signer address or a miner.
    Address(Address),
    /// Where requests come from.
    Ip(std::net::IpAddr),
}

/// `account:alice`, `token:<id>`, `address:f01000`, `ip:192.0.2.1`.
impl fmt::Display for Ban {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(name) => write!(f, "account:{name}"),
            Self::Token(id) => write!(f, "token:{id}"),
            Self::Address(address) => write!(f, "address:{}", crate::text::address(address)),
            Self::Ip(ip) => write!(f, "ip:{ip}"),
        }
    }
}

/// A text that names nobody who could be kept out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("subject: write account:<name>, token:<id>, address:<f…> or ip:<address>")]
pub struct BanError;

impl std::str::FromStr for Ban {
    type Err = BanError;

    fn from_str(text: &str) -> Result<Self, BanError> {
        let (kind, what) = text.split_once(':').ok_or(BanError)?;
        let ban = match kind {
            "account" if !what.is_empty() => Some(Self::Account(what.to_owned())),
            "token" => Uuid::parse_str(what).ok().map(Self::Token),
            "address" => venus_core::types::address::parse(what).ok().map(Self::Address),
            "ip" => what.parse().ok().map(Self::Ip),
            _ => None,
        };
        ban.ok_or(BanError)
    }
}

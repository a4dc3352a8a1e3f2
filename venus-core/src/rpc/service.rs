//! Which methods there are, and who may call them.

use std::{borrow::Cow, collections::HashMap, fmt, net::SocketAddr, sync::Arc};

use http::{Extensions, HeaderMap};
use jsonrpsee::{MethodCallback, Methods};
use time::OffsetDateTime;

use super::{
    dialect::{Dialect, Fault},
    dispatch::{Answer, Prepared},
    limiter::{Limit, Limiter},
    params::{elements, join, zero_of},
    table::{MethodSpec, MethodTable, Permission, Permissions, Returns},
};
use crate::api::Principal;

/// Who calls, as the authentication of the server found out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The account, or empty if there is none.
    pub name: String,
    /// What the caller may do.
    pub permissions: Permissions,
    /// Names the token: SHA-256 of it, lower-case hex; empty if nobody computed it.
    pub token: String,
    /// When the token ends.
    pub expires_at: Option<OffsetDateTime>,
    /// What the token is narrowed to; empty for all that the permissions allow. See
    /// [`Principal`](crate::api::Principal).
    pub scopes: Vec<String>,
}

impl Identity {
    /// Somebody whose token is not narrowed, does not end and has no name.
    pub fn new(name: impl Into<String>, permissions: Permissions) -> Self {
        Self { name: name.into(), permissions, ..Self::default() }
    }

    /// Whether the token may be used for a method of this scope. A token without scopes is not narrowed; one with
    /// scopes is good for what it names and for nothing else. Names that begin with `support:` narrow nothing.
    pub fn within(&self, scope: &str) -> bool {
        let mut narrowing = self.scopes.iter().filter(|given| !given.starts_with(WIDENS)).peekable();
        narrowing.peek().is_none() || narrowing.any(|given| !scope.is_empty() && given == scope)
    }
}

/// How scopes begin that add to what a token may.
const WIDENS: &str = "support:";
/// What a narrowed token lacks where no scope would help.
const UNNARROWED: &str = "a token without scopes";

impl From<Principal> for Identity {
    fn from(caller: Principal) -> Self {
        let Principal { account, permissions, expires_at, token, scopes, audience: _ } = caller;
        Self { name: account.unwrap_or_default(), permissions, token, expires_at, scopes }
    }
}

/// How a call came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// One call, one answer. No channels, no reverse calls.
    Http,
    /// A session.
    WebSocket,
}

/// What a method may know about its caller. Methods declared `with_extensions` find an `Arc<Caller>` there, and
/// over WebSocket a [`Peer`](super::Peer) to call back.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who calls.
    pub identity: Identity,
    /// How.
    pub transport: Transport,
    /// From where, if the server was told.
    pub remote: Option<SocketAddr>,
    /// The headers of the request, or of the one that opened the session. The token is taken out.
    pub headers: HeaderMap,
    /// The number of the connection, unique in this process; 0 over HTTP.
    pub connection: u64,
    /// Whether the caller wants error kinds.
    pub(crate) kinds: bool,
}

impl Caller {
    /// Ourselves, calling ourselves: all rights.
    pub(crate) fn trusted(transport: Transport, connection: u64) -> Self {
        let identity = Identity::new("", Permissions::ALL);
        Self { identity, transport, remote: None, headers: HeaderMap::new(), connection, kinds: false }
    }
}

/// Why a table and methods do not fit together. A mistake of the programmer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The table lists what no module implements.
    #[error("no module implements {0}")]
    NotImplemented(&'static str),
    /// Two lines have one name or alias.
    #[error("{0} is listed twice")]
    Twice(&'static str),
    /// The table says channel and the module has an ordinary method, or the reverse.
    #[error("{0} is a channel in the table or in the module, but not in both")]
    NotAChannel(&'static str),
}

/// Methods, the table that guards them, and the dialect they answer in.
///
/// Of the methods, only those in a table can be called.
pub struct Service {
    entries: HashMap<&'static str, Entry>,
    aliases: HashMap<&'static str, &'static str>,
    dialect: Dialect,
    limiter: Option<Arc<dyn Limiter>>,
}

struct Entry {
    spec: MethodSpec,
    callback: MethodCallback,
    /// Whether Go would take null for a parameter that serde refuses.
    mends_null: bool,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("dialect", &self.dialect)
            .field("methods", &self.entries.len())
            .finish()
    }
}

impl Service {
    /// Binds `methods` (what `into_rpc()` of an `#[rpc]` trait gives) to their tables.
    ///
    /// # Errors
    /// [`ServiceError`] if a table does not fit.
    pub fn new(
        methods: impl Into<Methods>,
        tables: &[&MethodTable],
        dialect: Dialect,
    ) -> Result<Self, ServiceError> {
        let methods = methods.into();
        let mut service = Self { entries: HashMap::new(), aliases: HashMap::new(), dialect, limiter: None };
        for spec in tables.iter().flat_map(|table| table.iter()) {
            service.add(&methods, *spec)?;
        }
        Ok(service)
    }

    fn add(&mut self, methods: &Methods, spec: MethodSpec) -> Result<(), ServiceError> {
        let callback = methods.method(spec.name).cloned().ok_or(ServiceError::NotImplemented(spec.name))?;
        let is_channel = matches!(callback, MethodCallback::Subscription(_));
        if is_channel != (spec.returns == Returns::Channel) {
            return Err(ServiceError::NotAChannel(spec.name));
        }
        for alias in spec.aliases {
            if self.aliases.insert(alias, spec.name).is_some() {
                return Err(ServiceError::Twice(alias));
            }
        }
        let mends_null = spec.params.iter().any(|param| zero_of(param.go_type).is_some());
        match self.entries.insert(spec.name, Entry { spec, callback, mends_null }) {
            Some(_) => Err(ServiceError::Twice(spec.name)),
            None => Ok(()),
        }
    }

    /// The service with a limiter, which is asked about every call that may be made.
    #[must_use]
    pub fn limited(mut self, limiter: impl Limiter) -> Self {
        self.limiter = Some(Arc::new(limiter));
        self
    }

    /// The methods that can be called, in no order. For tests that try them all.
    pub fn methods(&self) -> impl Iterator<Item = &MethodSpec> {
        self.entries.values().map(|entry| &entry.spec)
    }

    /// The dialect of its answers.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    fn entry(&self, method: &str) -> Option<&Entry> {
        self.entries.get(method).or_else(|| self.entries.get(self.aliases.get(method)?))
    }

    /// Checks a call against the table, in Go's order: name, transport, parameters; then the caller's right. The limiter
    /// is asked when the call runs: never about a call that the caller may not make.
    pub(crate) fn prepare(
        &self,
        method: &str,
        params: Option<&str>,
        caller: &Arc<Caller>,
    ) -> Result<Prepared, Answer> {
        let Some(entry) = self.entry(method) else {
            return Err(Answer::Fault(Fault::MethodNotFound(method.to_owned())));
        };
        if entry.spec.returns == Returns::Channel && caller.transport == Transport::Http {
            return Err(Answer::Fault(Fault::NoChannels(method.to_owned())));
        }
        let params = entry.params(method, params.unwrap_or("[]"), self.dialect).map_err(Answer::Fault)?;
        if let Some(lacking) = lacking(&caller.identity, &entry.spec) {
            return Err(Answer::Error(self.dialect.missing_permission(method, lacking)));
        }
        let limit = self.limiter.clone().map(|limiter| Limit { limiter, caller: caller.clone() });
        let (spec, callback, called) = (entry.spec, entry.callback.clone(), method.to_owned());
        Ok(Prepared { spec, callback, params, called, limit })
    }
}

/// What a caller lacks for a method: the right, or the scope if its token is narrowed. What needs no right needs no
/// scope either.
fn lacking(caller: &Identity, spec: &MethodSpec) -> Option<&'static str> {
    if !caller.permissions.allow(spec.permission) {
        return Some(spec.permission.as_str());
    }
    if spec.permission == Permission::None || caller.within(spec.scope) {
        return None;
    }
    Some(if spec.scope.is_empty() { UNNARROWED } else { spec.scope })
}

impl Entry {
    fn params(&self, method: &str, json: &str, dialect: Dialect) -> Result<String, Fault> {
        let mut parts = elements(json).map_err(Fault::ParamsKind)?;
        if dialect == Dialect::Forest && parts.len() < self.spec.params.len() {
            parts.resize(self.spec.params.len(), "null");
            return Ok(self.mend(&parts));
        }
        if parts.len() != self.spec.params.len() {
            let (got, want) = (parts.len(), self.spec.params.len());
            return Err(Fault::WrongCount { method: method.to_owned(), got, want });
        }
        if parts.is_empty() {
            return Ok("[]".to_owned());
        }
        if self.mends_null && parts.contains(&"null") {
            return Ok(self.mend(&parts));
        }
        Ok(json.to_owned())
    }

    fn mend(&self, parts: &[&str]) -> String {
        let mended = parts.iter().zip(self.spec.params).map(|(part, param)| match zero_of(param.go_type) {
            Some(zero) if *part == "null" => Cow::Borrowed(zero),
            _ => Cow::Borrowed(*part),
        });
        join(&mended.collect::<Vec<_>>())
    }
}

/// What the methods of one connection find in their extensions.
pub(crate) fn extensions_for(caller: Caller) -> (Arc<Caller>, Extensions) {
    let caller = Arc::new(caller);
    let mut extensions = Extensions::new();
    extensions.insert(caller.clone());
    (caller, extensions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scoped(scopes: &[&str]) -> Identity {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        Identity { scopes, ..Identity::new("alice", Permissions::up_to("sign")) }
    }

    #[test]
    fn scopes_narrow_and_support_does_not() {
        for free in [scoped(&[]), scoped(&["support:bob"])] {
            assert!(free.within("wallet.sign") && free.within(""));
        }
        let narrow = scoped(&["support:bob", "wallet.sign"]);
        assert!(narrow.within("wallet.sign"));
        assert!(!narrow.within("proof.compute") && !narrow.within("") && !narrow.within("support:bob"));
        assert!(!scoped(&[""]).within(""), "an empty scope names no method");
    }

    #[test]
    fn what_is_lacking_is_told() {
        let spec = |permission, scope| MethodSpec::new("T.M", permission, &[]).scope(scope);
        let narrow = scoped(&["wallet.sign"]);
        assert_eq!(lacking(&narrow, &spec(Permission::Sign, "wallet.sign")), None);
        assert_eq!(lacking(&narrow, &spec(Permission::Read, "proof.compute")), Some("proof.compute"));
        assert_eq!(lacking(&narrow, &spec(Permission::Read, "")), Some(UNNARROWED));
        assert_eq!(lacking(&narrow, &spec(Permission::Admin, "wallet.sign")), Some("admin"));
        assert_eq!(lacking(&narrow, &spec(Permission::None, "")), None);
    }
}

//! Which routes there are.

use http::Method;

use crate::wire::SCOPE_VERIFY;

/// What a route does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Verify,
    GenToken,
    GetToken,
    ListTokens,
    RemoveToken,
    RecoverToken,
    NewUser,
    UpdateUser,
    ListUsers,
    GetUser,
    VerifyUsers,
    HasUser,
    DeleteUser,
    RecoverUser,
    PutLimit,
    RemoveLimit,
    GetLimits,
    UserOfMiner,
    BindMiner,
    UserHasMiner,
    MinersOfUser,
    UnbindMiner,
    HasMiner,
    UsersOfSigner,
    RegisterSigners,
    UserHasSigner,
    SignersOfUser,
    UnregisterSigners,
    HasSigner,
    RemoveSigner,
    GrantSigner,
    Revocations,
    Lapsed,
    Audit,
    Ban,
    Unban,
    Bans,
    BannedIps,
}

/// A route.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) call: Call,
}

const fn route(method: Method, path: &'static str, call: Call) -> Route {
    Route { method, path, call }
}

/// All routes that need a token. Those of one call after the first are the names of older clients.
static ROUTES: [Route; 43] = [
    route(Method::POST, "/verify", Call::Verify),
    route(Method::POST, "/genToken", Call::GenToken),
    route(Method::GET, "/token", Call::GetToken),
    route(Method::DELETE, "/token", Call::RemoveToken),
    route(Method::GET, "/tokens", Call::ListTokens),
    route(Method::POST, "/recoverToken", Call::RecoverToken),
    route(Method::PUT, "/user/new", Call::NewUser),
    route(Method::POST, "/user/update", Call::UpdateUser),
    route(Method::GET, "/user/list", Call::ListUsers),
    route(Method::GET, "/user", Call::GetUser),
    route(Method::POST, "/user/verify", Call::VerifyUsers),
    route(Method::GET, "/user/has", Call::HasUser),
    route(Method::POST, "/user/del", Call::DeleteUser),
    route(Method::POST, "/user/recover", Call::RecoverUser),
    route(Method::POST, "/user/ratelimit/upsert", Call::PutLimit),
    route(Method::POST, "/user/ratelimit/del", Call::RemoveLimit),
    route(Method::GET, "/user/ratelimit", Call::GetLimits),
    route(Method::GET, "/user/miner", Call::UserOfMiner),
    route(Method::GET, "/miner", Call::UserOfMiner),
    route(Method::POST, "/user/miner/add", Call::BindMiner),
    route(Method::POST, "/miner/add-miner", Call::BindMiner),
    route(Method::GET, "/user/miner/exist", Call::UserHasMiner),
    route(Method::GET, "/user/miner/list", Call::MinersOfUser),
    route(Method::GET, "/miner/list-by-user", Call::MinersOfUser),
    route(Method::POST, "/user/miner/del", Call::UnbindMiner),
    route(Method::POST, "/miner/del", Call::UnbindMiner),
    route(Method::GET, "/miner/has", Call::HasMiner),
    route(Method::GET, "/miner/has-miner", Call::HasMiner),
    route(Method::GET, "/user/signer", Call::UsersOfSigner),
    route(Method::POST, "/user/signer/register", Call::RegisterSigners),
    route(Method::GET, "/user/signer/exist", Call::UserHasSigner),
    route(Method::GET, "/user/signer/list", Call::SignersOfUser),
    route(Method::POST, "/user/signer/unregister", Call::UnregisterSigners),
    route(Method::GET, "/signer/has", Call::HasSigner),
    route(Method::POST, "/signer/del", Call::RemoveSigner),
    // Ours.
    route(Method::POST, "/signer/grant", Call::GrantSigner),
    route(Method::GET, "/revocations", Call::Revocations),
    route(Method::POST, "/revocations/lapsed", Call::Lapsed),
    route(Method::GET, "/audit", Call::Audit),
    route(Method::POST, "/ban", Call::Ban),
    route(Method::POST, "/unban", Call::Unban),
    route(Method::GET, "/bans", Call::Bans),
    route(Method::GET, "/bans/ips", Call::BannedIps),
];

/// The route of a request.
pub(super) fn find(method: &Method, path: &str) -> Option<&'static Route> {
    ROUTES.iter().find(|route| route.method == *method && route.path == path)
}

impl Route {
    /// Whether it may change anything.
    pub(super) fn changes(&self) -> bool {
        self.method != Method::GET && !matches!(self.call, Call::Verify | Call::VerifyUsers | Call::Lapsed)
    }

    /// The scope that lets a narrowed token in.
    pub(super) fn scope(&self) -> &'static str {
        match self.call {
            Call::Verify | Call::Revocations | Call::Lapsed | Call::BannedIps => SCOPE_VERIFY,
            _ if self.method == Method::GET => "auth.read",
            _ => "auth.write",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn routes_are_found_once() {
        let names: HashSet<_> = ROUTES.iter().map(|route| (route.method.clone(), route.path)).collect();
        assert_eq!(names.len(), ROUTES.len());
        assert_eq!(find(&Method::POST, "/verify").unwrap().scope(), SCOPE_VERIFY);
        assert!(find(&Method::GET, "/verify").is_none());
    }
}

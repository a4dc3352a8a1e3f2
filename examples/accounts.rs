#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! An account with a miner, a token that may do little, and what a revocation ends.

use std::sync::Arc;

use secrecy::ExposeSecret;
use venus_auth::{Actor, AuthService, MemoryStore, NewToken, NewUser, Rules, UserState};
use venus_core::api::{AccountDirectory, Authenticator};
use venus_core::clock::SystemClock;
use venus_core::types::Address;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let auth = AuthService::new(Arc::new(MemoryStore::default()), Arc::new(SystemClock), Rules::default());
    let (me, miner) = (Actor::system(), Address::new_id(1000));
    let user = NewUser { name: "alice".into(), state: UserState::Enabled, ..NewUser::default() };
    auth.create_user(&me, user).await?;
    auth.bind_miner(&me, "alice", miner, true).await?;
    println!("f01000 belongs to {:?}", auth.account_of_miner(&miner).await?);

    // A component that only signs: nothing else is open to its token, although signing needs an administrator's level.
    let scopes = vec!["wallet.sign".to_owned()];
    let new = NewToken { name: "alice".into(), perm: "admin".into(), scopes, ..NewToken::default() };
    let token = auth.create_token(&me, new).await?;
    let caller = auth.authenticate(token.expose_secret()).await?;
    println!("the token is {:?}'s, narrowed to {:?}", caller.account, caller.scopes);

    // Whoever keeps sockets or answers that rest on a token follows the stream, and ends them.
    let before = auth.effects().last();
    auth.revoke_token(&me, token.expose_secret()).await?;
    println!("{:?}", auth.effects().after(before).await);
    assert!(auth.authenticate(token.expose_secret()).await.is_err());
    Ok(())
}

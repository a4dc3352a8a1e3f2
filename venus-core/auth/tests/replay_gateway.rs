//! What a sophon-gateway asks, as recorded.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod replay;

use std::collections::BTreeSet;

use replay::{Intended, Line, Replay, lines, run};
use secrecy::ExposeSecret;
use venus_auth::{Actor, NewToken, NewUser, UserState, jwt};
use venus_core::types::Address;

const INTENDED: &[Intended] = &[Intended {
    lines: &[162],
    status: 401,
    body: "no token",
    why: "what the gateway forwards without a token reaches no handler",
}];

/// All tokens that the recording shows to count.
fn tokens(lines: &[Line]) -> BTreeSet<String> {
    let bearer = |line: &Line| {
        line.req.headers.get("Authorization").and_then(|v| v.strip_prefix("Bearer ")).map(str::to_owned)
    };
    let asked = |line: &Line| {
        let value: serde_json::Value = serde_json::from_str(&line.req.body).ok()?;
        Some(value.get("Token")?.as_str()?.to_owned()).filter(|_| line.res.status == 200)
    };
    lines.iter().flat_map(|line| [bearer(line), asked(line)]).flatten().collect()
}

/// The users and tokens that were there when the recording began.
async fn prepare(replay: &mut Replay, lines: &[Line]) {
    let (system, service) = (Actor::system(), replay.service.clone());
    for token in tokens(lines) {
        let claims = jwt::peek(&token).unwrap();
        let user = NewUser { name: claims.name.clone(), state: UserState::Enabled, ..NewUser::default() };
        // One user has several tokens.
        let _ = service.create_user(&system, user).await;
        let new = NewToken { name: claims.name, perm: claims.perm, extra: claims.ext, ..NewToken::default() };
        let ours = service.create_token(&system, new).await.unwrap();
        replay.name(&token, ours.expose_secret());
    }
    service.bind_miner(&system, "alice", Address::new_id(1000), true).await.unwrap();
}

#[tokio::test]
async fn a_gateway_as_recorded() {
    let lines = lines(include_str!("data/gateway-auth.jsonl"));
    assert_eq!(lines.len(), 163);
    let mut replay = Replay::new();
    prepare(&mut replay, &lines).await;
    run(&mut replay, &lines, INTENDED).await;
}

//! Every route of sophon-auth, as recorded: our service says the same bytes, or differs on purpose.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod replay;

use replay::{Intended, Replay, lines, run};
use secrecy::ExposeSecret;

const fn rule(lines: &'static [usize], status: u16, body: &'static str, why: &'static str) -> Intended {
    Intended { lines, status, body, why }
}

const INTENDED: &[Intended] = &[
    rule(
        &[6, 10, 31, 50, 75, 100, 109, 128, 166, 190, 197, 264, 310],
        401,
        "no token",
        "callers without a token reach no handler",
    ),
    rule(&[11, 12], 401, "must begin with Bearer", "nor do those with another scheme"),
    rule(&[13, 76, 297], 401, "token not accepted", "nor those with garbage or a revoked token"),
    rule(&[79], 401, "no token", "a token in a body is what is asked about, not who asks"),
    rule(&[90], 404, "404 page not found", "an unknown route is not found, with a query too"),
    rule(&[107], 200, "[{\"token\":", "pages without numbers are the first page, not a crash"),
    rule(&[117, 118], 200, "[{\"id\":", "the same for users"),
    rule(&[93, 94, 299], 200, "[{\"token\":", "tokens stand in order of creation, not of their random bytes"),
    rule(&[101, 102, 103, 104, 105], 200, "[{\"token\":", "and so do pages of them"),
    rule(&[249], 400, "unknown address network\"}", "a wrong address is told once"),
    rule(&[262, 292], 400, "invalid address length\"}", "a wrong address is told once"),
    rule(&[253], 200, "[]", "who unregistered a signer has it no longer"),
    rule(&[259], 200, "f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za", "a user gives up its own binding only"),
    rule(&[260], 200, "true", "so that one was left to give up"),
    rule(&[273], 200, "\"Id\":\"xx\"", "periods are a millisecond at least: shorter ones divide by zero"),
    rule(&[283], 400, "Key not found", "to delete a limit that is not there deletes no other"),
    rule(&[294, 298, 301, 304], 400, "token ", "errors quote eight characters of a hash, not the token"),
    rule(&[62, 63, 64, 65, 312], 400, "disabled", "a disabled user's tokens do not count"),
    rule(&[313, 314], 401, "token not accepted", "a disabled user is nobody"),
    rule(&[321], 400, "get token: Key not found", "a deleted user's tokens went with it"),
    rule(&[322, 332], 401, "token not accepted", "a deleted user is nobody"),
    rule(&[326, 327], 400, "not exist user:bob", "nothing is bound to a deleted user"),
    rule(&[328], 200, "[]", "so nobody has that signer"),
    rule(&[335], 200, "f02000", "a recovered user has what went with it"),
    rule(&[336], 200, "[]", "and nothing else"),
    rule(&[340], 400, "user already exists", "nobody inherits a deleted user's name"),
    rule(&[341], 400, "Key not found", "so it is still deleted"),
];

#[tokio::test]
async fn every_route_as_recorded() {
    let lines = lines(include_str!("data/auth.jsonl"));
    assert_eq!(lines.len(), 341);
    let mut replay = Replay::new();
    let local = replay.service.local_token(None).await.unwrap();
    let recorded = lines[1].req.headers["Authorization"].strip_prefix("Bearer ").unwrap();
    replay.name(recorded, local.expose_secret());
    run(&mut replay, &lines, INTENDED).await;
}

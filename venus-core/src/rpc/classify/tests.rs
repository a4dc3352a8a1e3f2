use std::time::Duration;

use super::*;

fn read(code: i64, message: &str) -> ChainError {
    chain_error("Filecoin.X", RpcError::new(code, message).into())
}

const WITNESS: &str = "bafy2bzacecnamqgqmifpluoeldx7zzglxcljo6oja4vrmtj7432rphldpdmm2";

type Check = fn(&ChainError) -> bool;

/// Literal texts of Lotus and of Venus, and what they become.
#[test]
fn texts_of_lotus_and_venus() {
    let cases: &[(&str, Check)] = &[
        (
            "missing permission to invoke 'MpoolPush' (need 'write')",
            |e| matches!(e, ChainError::PermissionDenied { need, .. } if need == "write"),
        ),
        (
            "missing permission to invoke 'MpoolPush'  (need 'sign')",
            |e| matches!(e, ChainError::PermissionDenied { need, .. } if need == "sign"),
        ),
        (
            "loading actor f01234: actor not found",
            |e| matches!(e, ChainError::ActorNotFound(a) if *a == Address::new_id(1234)),
        ),
        (
            "failed to get actor: resolution lookup failed (t0999): actor not found",
            |e| matches!(e, ChainError::ActorNotFound(a) if *a == Address::new_id(999)),
        ),
        ("requested epoch was a null round (77)", |e| matches!(e, ChainError::NullRound(77))),
        ("refusing explicit call due to state fork at epoch", |e| {
            matches!(e, ChainError::ExpensiveFork(None))
        }),
        ("minimum expected nonce is 42: message nonce too low", |e| {
            matches!(e, ChainError::Pool(PoolReject::NonceTooLow { expected: 42 }))
        }),
        ("message nonce too low", |e| matches!(e, ChainError::Pool(PoolReject::NonceTooLow { expected: 0 }))),
        ("message with nonce already exists", |e| matches!(e, ChainError::Pool(PoolReject::NonceTaken))),
        (
            "message from f01 with nonce 5 already in mpool, increase GasPremium to 126250 from 101000 to trigger \
             replace by fee: replace by fee has too low GasPremium",
            |e| matches!(e, ChainError::Pool(PoolReject::ReplacePremiumTooLow { min_premium }) if min_premium == "126250"),
        ),
        ("not enough funds to execute transaction", |e| {
            matches!(e, ChainError::Pool(PoolReject::InsufficientFunds))
        }),
        ("mpool push: not enough funds: not enough funds to execute transaction", |e| {
            e.kind() == ErrorKind::Transient
        }),
        ("message too big", |e| matches!(e, ChainError::Pool(PoolReject::TooBig))),
        ("gas fee cap too low", |e| matches!(e, ChainError::Pool(PoolReject::FeeCapTooLow))),
        ("unfulfilled nonce gap", |e| matches!(e, ChainError::Pool(PoolReject::NonceGap))),
        ("too many pending messages for actor f01", |e| {
            matches!(e, ChainError::Pool(PoolReject::TooManyPending))
        }),
        ("mpool is full, drop message", |e| e.kind() == ErrorKind::RateLimited),
        ("validation failure: message will not be included in a block", |e| {
            matches!(e, ChainError::Pool(PoolReject::Invalid(_)))
        }),
        ("found message with equal nonce and from address but different CID", |e| {
            e.kind() == ErrorKind::Conflict
        }),
        ("sync to submitted block failed: failed to validate blocks", |e| {
            matches!(e, ChainError::Block(BlockReject::Rule { .. }))
        }),
        ("estimating gas used: message execution failed: exit 7, reason: call ran out of gas", |e| {
            matches!(e, ChainError::ExecutionFailed { exit_code: 7, .. })
        }),
        ("f3 is not enabled", |e| e.kind() == ErrorKind::Unsupported),
        ("F3 is not ready", |e| e.kind() == ErrorKind::Transient),
        ("handler: websocket connection closed", |e| e.kind() == ErrorKind::Transient),
        ("something nobody has seen", |e| {
            matches!(e, ChainError::Rpc { kind: ErrorKind::Internal, code: 1, .. })
        }),
    ];
    for (text, is_right) in cases {
        let error = read(1, text);
        assert!(is_right(&error), "{text}: {error:?}");
        let shouted = read(1, &text.to_uppercase());
        assert_eq!(shouted.kind() == ErrorKind::Internal, error.kind() == ErrorKind::Internal, "{text}");
    }
}

#[test]
fn blocks_name_what_they_miss() {
    let slash = read(1, &format!("<!!> SLASH FILTER DETECTED FAULT due to witness {WITNESS}"));
    assert!(
        matches!(slash, ChainError::Block(BlockReject::SlashFilter { witness }) if witness.to_string() == WITNESS)
    );
    let missing = read(1, &format!("failed to load message {WITNESS} from store"));
    assert!(matches!(missing, ChainError::Block(BlockReject::MissingMessage(_))));
    assert_eq!(read(1, "failed to load message").kind(), ErrorKind::NotFound);
}

#[test]
fn typed_codes_come_before_texts() {
    let with = |code, message: &str, data: &serde_json::Value| {
        chain_error("Filecoin.X", RpcError::new(code, message).with_data(data).into())
    };
    assert!(matches!(read(-32601, "method 'X' not found"), ChainError::Unsupported(m) if m == "Filecoin.X"));
    assert!(matches!(read(2, "x"), ChainError::ExecutionFailed { exit_code: 7, .. }));
    assert!(matches!(
        with(3, "reverted", &"0x08c379a0".into()),
        ChainError::ExecutionFailed { exit_code: 33, .. }
    ));
    assert!(matches!(with(12, "requested epoch was a null round", &55.into()), ChainError::NullRound(55)));
    assert!(matches!(with(-32002, "expensive fork", &1000.into()), ChainError::ExpensiveFork(Some(1000))));
    assert!(matches!(read(11, "actor f0100 not found"), ChainError::ActorNotFound(_)));
    let kinds = [
        (4, ErrorKind::Unsupported),
        (5, ErrorKind::Invalid),
        (6, ErrorKind::Conflict),
        (10, ErrorKind::Transient),
        (12, ErrorKind::NotFound),
        (13, ErrorKind::Unsupported),
        (-32001, ErrorKind::Unsupported),
        (-32003, ErrorKind::Denied),
        (-32005, ErrorKind::Invalid),
        (-32602, ErrorKind::Invalid),
        (-32700, ErrorKind::Invalid),
        (-1_111_111, ErrorKind::Transient),
    ];
    for (code, kind) in kinds {
        assert_eq!(read(code, "x").kind(), kind, "{code}");
    }
}

#[test]
fn what_never_reached_the_method() {
    let read = |error| chain_error("Filecoin.X", error);
    let status = |status| CallError::Status { status, body: String::new() };
    assert!(matches!(read(status(401)), ChainError::Unauthorized));
    assert_eq!(read(status(403)).kind(), ErrorKind::Denied);
    assert_eq!(read(status(429)).kind(), ErrorKind::RateLimited);
    assert_eq!(read(status(502)).kind(), ErrorKind::Transient);
    assert_eq!(read(CallError::Disconnected).kind(), ErrorKind::Transient);
    let late = CallError::Timeout { method: "Filecoin.X".into(), after: Duration::from_secs(5) };
    assert!(matches!(read(late), ChainError::Timeout { method: "Filecoin.X", .. }));
    assert_eq!(read(CallError::TooMany(1)).kind(), ErrorKind::RateLimited);
}

#[test]
fn a_kind_from_the_server_wins_over_guessing() {
    let error = RpcError {
        retry_after: Some(Duration::from_secs(1)),
        ..RpcError::new(1, "try later").with_kind(ErrorKind::RateLimited)
    };
    let error = chain_error("Filecoin.X", error.into());
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(Duration::from_secs(1))));
}

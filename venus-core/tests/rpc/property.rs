//! Whatever comes in: no panic, no answer out of thin air, no memory beyond what came.

use std::time::Duration;

use proptest::{collection::vec, prelude::*};
use venus_core::rpc::{ApiInfo, Dialect, Frame, Id, RpcError};

use crate::support::{
    bare::{Bare, Got},
    server,
};

/// Text near a frame: fragments of one in any order.
fn near_frames() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\"jsonrpc\":\"2.0\"",
        "\"id\":",
        "\"method\":",
        "\"params\":",
        "\"result\":",
        "\"error\":",
        "\"xrpc.cancel\"",
        "\"xrpc.ch.val\"",
        "\"xrpc.ch.close\"",
        "\"T.Add\"",
        "\"T.Count\"",
        "1",
        "-1",
        "1e999",
        "null",
        "true",
        "[1,2]",
        "[]",
        "{}",
        "\"\\ud800\"",
        "é",
        "\u{2028}",
        "\u{0}",
        " ",
    ]);
    vec(part, 0..24).prop_map(|parts| parts.concat())
}

fn api_infos() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "/",
        "ip4",
        "ip6",
        "dns",
        "tcp",
        "http",
        "https",
        "ws",
        "wss",
        "tls",
        "version",
        "v1",
        "1.2.3.4",
        "::1",
        "80",
        "99999",
        ":",
        "://",
        "token",
        "eyJ.eyJ.x",
        ",",
        "?",
        "#",
        "é",
        "\u{0}",
        " ",
        "%",
        "@",
        "[",
        "]",
    ]);
    vec(part, 0..16).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn frames_from_garbage(text in prop_oneof![any::<String>(), near_frames()]) {
        if let Ok((frame, _)) = Frame::decode(&text) {
            let held = frame.method.len() + frame.params.map_or(0, |p| p.get().len()) + frame.result.map_or(0, |r| r.get().len());
            prop_assert!(held <= text.len());
        }
        let _ = Id::parse(&text).map(|id| id.to_string());
        let _ = serde_json::from_str::<RpcError>(&text);
    }

    #[test]
    fn ids_survive(n in any::<f64>().prop_filter("finite", |n| n.is_finite()), text in any::<String>()) {
        for id in [Id::Number(n), Id::Text(text)] {
            prop_assert_eq!(Id::parse(&id.to_string()), Some(id));
        }
    }

    #[test]
    fn api_infos_from_garbage(text in prop_oneof![any::<String>(), api_infos()]) {
        if let Ok(info) = text.parse::<ApiInfo>() {
            for url in [info.dial_url("v0"), info.endpoint_url(1), info.lotus_url("v1"), info.rest_url()].into_iter().flatten() {
                prop_assert!(url.contains("://") && !url.bytes().any(|b| b <= b' '));
                prop_assert!(url.len() <= 4 * text.len() + 64);
            }
        }
        let _ = ApiInfo::parse_list(&text);
    }

    #[test]
    fn a_server_survives_garbage(frames in vec(near_frames(), 1..8)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let server = server(Dialect::Upstream);
            let mut bare = Bare::client(&server).await;
            for frame in &frames {
                bare.send(frame).await;
            }
            bare.send(r#"{"id":"last","method":"T.Add","params":[40,2]}"#).await;
            let got = bare.all_within(Duration::from_secs(1)).await;
            let answered = got.iter().any(|got| matches!(got, Got::Text(text) if text.contains("\"last\"") && text.contains("42")));
            assert!(answered, "{frames:?}: {got:?}");
        });
    }
}

#[tokio::test(start_paused = true)]
async fn deep_and_long_garbage() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let frames = [
        deep.clone(),
        format!(r#"{{"id":1,"method":"T.Bytes","params":[{deep}]}}"#),
        format!(r#"{{"id":{deep},"method":"T.Void"}}"#),
        format!(r#"{{"id":1,"result":{deep}}}"#),
        "x".repeat(64 << 10),
        "{\"id\":1,".repeat(8 << 10),
        format!(r#"{{"method":"xrpc.ch.val","params":{deep}}}"#),
    ];
    let server = server(Dialect::Upstream);
    let mut bare = Bare::client(&server).await;
    for frame in &frames {
        bare.send(frame).await;
    }
    bare.send(r#"{"id":2,"method":"T.Add","params":[40,2]}"#).await;
    let got = bare.all_within(Duration::from_secs(1)).await;
    assert!(got.iter().any(|got| matches!(got, Got::Text(text) if text.contains("42"))), "{got:?}");
    assert!(
        got.iter()
            .any(|got| matches!(got, Got::Text(text) if text.contains("unmarshaling params for 'T.Bytes'")))
    );
}

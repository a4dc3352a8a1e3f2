//! The service of the Go programs, in Rust: `T`, and `Cli` that its clients serve.

use std::{sync::Arc, time::Duration};

use jsonrpsee::{
    Extensions, PendingSubscriptionSink,
    core::{RpcResult, SubscriptionResult, async_trait, to_json_raw_value},
    proc_macros::rpc,
    types::ErrorObjectOwned,
};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use venus_core::rpc::{CallError, Caller, Dialect, MethodSpec, Param, Peer, Permission, RpcError, Service};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Pt {
    pub a: i64,
    /// Bytes, which Go writes in base64 and nil bytes as null.
    pub b: Option<String>,
    pub c: Option<i64>,
}

#[rpc(client, server, namespace = "T", namespace_separator = ".")]
pub trait T {
    #[method(name = "Void")]
    async fn void(&self) -> RpcResult<()>;
    #[method(name = "VoidNoErr")]
    async fn void_no_err(&self) -> RpcResult<()>;
    #[method(name = "ValNoErr")]
    async fn val_no_err(&self) -> RpcResult<bool>;
    #[method(name = "Add")]
    async fn add(&self, a: i64, b: i64) -> RpcResult<i64>;
    #[method(name = "NilPtr")]
    async fn nil_ptr(&self) -> RpcResult<Option<Pt>>;
    #[method(name = "NilSlice")]
    async fn nil_slice(&self) -> RpcResult<Option<Vec<i64>>>;
    #[method(name = "Bytes")]
    async fn bytes(&self, pt: Pt) -> RpcResult<Pt>;
    #[method(name = "Repeat")]
    async fn repeat(&self, text: String, n: u64) -> RpcResult<String>;
    #[method(name = "Fail")]
    async fn fail(&self) -> RpcResult<()>;
    #[method(name = "FailVal")]
    async fn fail_val(&self) -> RpcResult<i64>;
    #[method(name = "Coded")]
    async fn coded(&self) -> RpcResult<()>;
    #[method(name = "WithData")]
    async fn with_data(&self) -> RpcResult<()>;
    #[method(name = "Panic")]
    async fn panic(&self) -> RpcResult<()>;
    #[method(name = "Sleep")]
    async fn sleep(&self, ms: u64) -> RpcResult<String>;
    #[method(name = "Reverse", with_extensions)]
    async fn reverse(&self, text: String) -> RpcResult<String>;
    #[method(name = "Note")]
    async fn note(&self, text: String) -> RpcResult<()>;
    #[method(name = "Notes")]
    async fn notes(&self, n: u64) -> RpcResult<u64>;
    #[method(name = "GivenUp")]
    async fn given_up(&self, n: u64) -> RpcResult<u64>;
    #[method(name = "Connection", with_extensions)]
    async fn connection(&self) -> RpcResult<u64>;
    #[subscription(name = "Count", unsubscribe = "CountEnd", item = i64)]
    async fn count(&self, n: i64, every_ms: u64) -> SubscriptionResult;
}

#[rpc(server, namespace = "Cli", namespace_separator = ".")]
pub trait Cli {
    #[method(name = "Echo")]
    async fn echo(&self, text: String) -> RpcResult<String>;
}

const INT: Param = Param::of::<i64>("int");
const STRING: Param = Param::of::<String>("string");

const TABLE: &[MethodSpec] = &[
    MethodSpec::new("T.Void", Permission::Read, &[]).void(),
    MethodSpec::new("T.VoidNoErr", Permission::Read, &[]).void(),
    MethodSpec::new("T.ValNoErr", Permission::Read, &[]),
    MethodSpec::new("T.Add", Permission::Read, &[INT, INT]).aliases(&["short"]),
    MethodSpec::new("T.NilPtr", Permission::Read, &[]),
    MethodSpec::new("T.NilSlice", Permission::Read, &[]),
    MethodSpec::new("T.Bytes", Permission::Write, &[Param::of::<Pt>("main.Pt")]),
    MethodSpec::new("T.Repeat", Permission::Read, &[STRING, INT]),
    MethodSpec::new("T.Fail", Permission::Read, &[]).void(),
    MethodSpec::new("T.FailVal", Permission::Read, &[]),
    MethodSpec::new("T.Coded", Permission::Read, &[]).void(),
    MethodSpec::new("T.WithData", Permission::Read, &[]).void(),
    MethodSpec::new("T.Panic", Permission::Read, &[]).void(),
    MethodSpec::new("T.Sleep", Permission::Read, &[INT]),
    MethodSpec::new("T.Reverse", Permission::Read, &[STRING]),
    MethodSpec::new("T.Note", Permission::Read, &[STRING]).void(),
    MethodSpec::new("T.Notes", Permission::Read, &[INT]),
    MethodSpec::new("T.GivenUp", Permission::Read, &[INT]),
    MethodSpec::new("T.Connection", Permission::Read, &[]),
    MethodSpec::new("T.Count", Permission::Read, &[INT, INT]).channel(),
];

const CLI_TABLE: &[MethodSpec] = &[MethodSpec::new("Cli.Echo", Permission::Read, &[STRING])];

struct Tiny {
    notes: watch::Sender<u64>,
    given_up: Arc<watch::Sender<u64>>,
}

/// Counts a call that is dropped before its end.
struct Unfinished(Arc<watch::Sender<u64>>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count += 1);
    }
}

fn boom(text: &str) -> ErrorObjectOwned {
    RpcError::new(1, text).into()
}

async fn at_least(count: &watch::Sender<u64>, n: u64) -> u64 {
    *count.subscribe().wait_for(|count| *count >= n).await.unwrap()
}

#[async_trait]
impl TServer for Tiny {
    async fn void(&self) -> RpcResult<()> {
        Ok(())
    }
    async fn void_no_err(&self) -> RpcResult<()> {
        Ok(())
    }
    async fn val_no_err(&self) -> RpcResult<bool> {
        Ok(false)
    }
    async fn add(&self, a: i64, b: i64) -> RpcResult<i64> {
        Ok(a + b)
    }
    async fn nil_ptr(&self) -> RpcResult<Option<Pt>> {
        Ok(None)
    }
    async fn nil_slice(&self) -> RpcResult<Option<Vec<i64>>> {
        Ok(None)
    }
    async fn bytes(&self, pt: Pt) -> RpcResult<Pt> {
        Ok(pt)
    }
    async fn repeat(&self, text: String, n: u64) -> RpcResult<String> {
        Ok(text.repeat(usize::try_from(n).unwrap()))
    }
    async fn fail(&self) -> RpcResult<()> {
        Err(boom("boom \"quoted\" <&> \u{2028} é"))
    }
    async fn fail_val(&self) -> RpcResult<i64> {
        Err(boom("boom"))
    }
    async fn coded(&self) -> RpcResult<()> {
        Err(RpcError::new(1001, "coded").with_meta(&serde_json::json!({"Message": "coded"})).into())
    }
    async fn with_data(&self) -> RpcResult<()> {
        Err(RpcError::new(1002, "with data").with_data(&serde_json::json!({"detail": 42})).into())
    }
    async fn panic(&self) -> RpcResult<()> {
        panic!("oh no")
    }
    async fn sleep(&self, ms: u64) -> RpcResult<String> {
        let unfinished = Unfinished(self.given_up.clone());
        tokio::time::sleep(Duration::from_millis(ms)).await;
        std::mem::forget(unfinished);
        Ok("slept".into())
    }
    async fn reverse(&self, ext: &Extensions, text: String) -> RpcResult<String> {
        let peer = ext.get::<Peer>().ok_or_else(|| boom("no reverse client"))?;
        let params = serde_json::to_string(&[text]).unwrap();
        match peer.call("Cli.Echo", Some(&params)).await {
            Ok(text) => Ok(text),
            Err(CallError::Rpc(error)) => Err((*error).into()),
            Err(other) => Err(boom(&other.to_string())),
        }
    }
    async fn note(&self, _: String) -> RpcResult<()> {
        self.notes.send_modify(|count| *count += 1);
        Ok(())
    }
    async fn notes(&self, n: u64) -> RpcResult<u64> {
        Ok(at_least(&self.notes, n).await)
    }
    async fn given_up(&self, n: u64) -> RpcResult<u64> {
        Ok(at_least(&self.given_up, n).await)
    }
    async fn connection(&self, ext: &Extensions) -> RpcResult<u64> {
        Ok(ext.get::<Arc<Caller>>().unwrap().connection)
    }
    async fn count(&self, pending: PendingSubscriptionSink, n: i64, every_ms: u64) -> SubscriptionResult {
        if n < 0 {
            pending.reject(boom("negative")).await;
            return Ok(());
        }
        let sink = pending.accept().await?;
        let unfinished = Unfinished(self.given_up.clone());
        for i in 0..n {
            sink.send(to_json_raw_value(&i)?).await?;
            if every_ms == 0 {
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(every_ms)) => {}
                () = sink.closed() => return Ok(()),
            }
        }
        std::mem::forget(unfinished);
        Ok(())
    }
}

struct Echo;

#[async_trait]
impl CliServer for Echo {
    async fn echo(&self, text: String) -> RpcResult<String> {
        if text == "fail" { Err(boom("client says no")) } else { Ok(format!("echo:{text}")) }
    }
}

pub fn service(dialect: Dialect) -> Service {
    let tiny = Tiny { notes: watch::Sender::new(0), given_up: Arc::new(watch::Sender::new(0)) };
    Service::new(tiny.into_rpc(), &[TABLE], dialect).unwrap()
}

pub fn reverse_service(dialect: Dialect) -> Service {
    Service::new(Echo.into_rpc(), &[CLI_TABLE], dialect).unwrap()
}

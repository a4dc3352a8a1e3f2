//! Serves a world as Lotus, Venus or Forest would.

use std::collections::HashSet;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use futures::StreamExt;
use jsonrpsee::core::{SubscriptionError, to_json_raw_value};
use jsonrpsee::types::ErrorObjectOwned;
use jsonrpsee::{PendingSubscriptionSink, RpcModule};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::{Notify, Semaphore};
use venus_core::api::{ChainError, HeadEvent, HeadFeed, Resume};
use venus_core::json::{self, Json};
use venus_core::rpc::{Dialect, MethodSpec, Param, Permission, Service};
use venus_core::types::{HeadChangeKind, HeadChangeStep, Network};

use super::World;
use super::methods::steps;
use super::texts::wire_error;

/// Whose habits a face has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Lotus,
    Venus,
    Forest,
}

pub const STYLES: [Style; 3] = [Style::Lotus, Style::Venus, Style::Forest];

impl Style {
    pub fn dialect(self) -> Dialect {
        match self {
            Self::Venus => Dialect::Fork,
            Self::Lotus | Self::Forest => Dialect::Upstream,
        }
    }

    fn json(self) -> json::Face {
        match self {
            Self::Venus => json::Face::Venus,
            Self::Lotus | Self::Forest => json::Face::Lotus,
        }
    }
}

/// A face on a world. Clones share counters and faults.
#[derive(Clone)]
pub struct Face {
    pub world: World,
    pub style: Style,
    pub name: Arc<str>,
    pub state: Arc<State>,
}

#[derive(Default)]
pub struct State {
    /// Methods that this node does not have.
    pub off: Mutex<HashSet<String>>,
    /// How often each method was called.
    pub calls: Mutex<std::collections::HashMap<String, u64>>,
    /// Answers `garbage` instead of the next so many results.
    pub garbage: AtomicU64,
    /// Blocks are made for somebody else.
    pub other_miner: AtomicBool,
    /// The node does not have the worker's key.
    pub no_key: AtomicBool,
    /// Ends one head channel each time.
    pub hang_up: Notify,
    /// Calls of these methods wait for a permit.
    pub gate: Mutex<Option<(HashSet<String>, Arc<Semaphore>)>>,
}

impl Face {
    pub fn new(world: World, style: Style) -> Self {
        let mut off: HashSet<String> = HashSet::new();
        if style != Style::Venus {
            off.extend(["MpoolSelects", "GasBatchEstimateMessageGas"].map(String::from));
        }
        let state = State { off: Mutex::new(off), ..State::default() };
        Self { world, style, name: "localnet-scripted".into(), state: Arc::new(state) }
    }

    pub fn named(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    pub fn without(self, methods: &[&str]) -> Self {
        self.state.off.lock().unwrap().extend(methods.iter().map(|m| m.to_string()));
        self
    }

    pub fn calls(&self, method: &str) -> u64 {
        self.state.calls.lock().unwrap().get(method).copied().unwrap_or_default()
    }

    /// Lets calls of `methods` wait until the semaphore gives permits.
    pub fn gate(&self, methods: &[&str]) -> Arc<Semaphore> {
        let gate = Arc::new(Semaphore::new(0));
        let methods = methods.iter().map(|m| m.to_string()).collect();
        *self.state.gate.lock().unwrap() = Some((methods, gate.clone()));
        gate
    }

    /// Methods of all kinds, in the node's dialect.
    pub fn service(&self) -> Service {
        let mut methods = Methods { module: RpcModule::new(()), table: Vec::new(), face: self.clone() };
        super::methods::register(&mut methods);
        let table = methods.table;
        Service::new(methods.module, &[&table], self.style.dialect()).unwrap()
    }

    pub fn write(&self, value: &impl Serialize) -> Value {
        json::with_face(self.style.json(), || {
            json::with_network(Network::Testnet, || serde_json::to_value(value).unwrap())
        })
    }

    /// What happens before any call is looked at.
    async fn before(&self, method: &str) {
        *self.state.calls.lock().unwrap().entry(method.to_owned()).or_default() += 1;
        let gate = self.state.gate.lock().unwrap().clone();
        if let Some((methods, gate)) = gate
            && methods.contains(method)
        {
            gate.acquire().await.unwrap().forget();
        }
    }

    fn spoil(&self, value: Value) -> Value {
        let spoil = |left: u64| left.checked_sub(1);
        match self.state.garbage.fetch_update(Ordering::SeqCst, Ordering::SeqCst, spoil) {
            Ok(_) => Value::from("garbage"),
            Err(_) => value,
        }
    }
}

pub struct Methods {
    pub module: RpcModule<()>,
    pub table: Vec<MethodSpec>,
    pub face: Face,
}

/// Parameters of one call.
pub struct Args(Vec<Value>);

impl Args {
    pub fn get<T: DeserializeOwned>(&self, index: usize) -> T {
        let value = self.0.get(index).cloned().unwrap_or_default();
        serde_json::from_value(value.clone()).unwrap_or_else(|e| panic!("parameter {index}: {e} in {value}"))
    }
}

const ANY: Param = Param::of::<Value>("any");
const PARAMS: [&[Param]; 5] = [&[], &[ANY], &[ANY, ANY], &[ANY, ANY, ANY], &[ANY, ANY, ANY, ANY]];

impl Methods {
    pub fn is_on(&self, name: &str) -> bool {
        !self.face.state.off.lock().unwrap().contains(name)
    }

    pub fn add<R, Fut>(&mut self, name: &str, params: usize, f: fn(Face, Args) -> Fut)
    where
        R: Serialize,
        Fut: Future<Output = Result<R, ChainError>> + Send + 'static,
    {
        if !self.is_on(name) {
            return;
        }
        let (face, short) = (self.face.clone(), name.to_owned());
        let full: &'static str = Box::leak(format!("Filecoin.{name}").into_boxed_str());
        let answer =
            move |params: jsonrpsee::types::Params<'static>, _: Arc<()>, _: jsonrpsee::Extensions| {
                let (face, short) = (face.clone(), short.clone());
                let args = Args(params.parse::<Vec<Value>>().unwrap_or_default());
                async move {
                    face.before(&short).await;
                    match f(face.clone(), args).await {
                        Ok(value) => Ok::<Value, ErrorObjectOwned>(face.spoil(face.write(&value))),
                        Err(e) => Err(wire_error(face.style, &e).into()),
                    }
                }
            };
        self.module.register_async_method(full, answer).unwrap();
        self.table.push(MethodSpec::new(full, Permission::Read, PARAMS[params]));
    }

    /// `ChainNotify`: where the head is, then how it moves.
    pub fn add_heads(&mut self) {
        if !self.is_on("ChainNotify") {
            return;
        }
        let (name, face) = ("Filecoin.ChainNotify", self.face.clone());
        let follow = move |_, pending: PendingSubscriptionSink, _, _| {
            let face = face.clone();
            async move {
                face.before("ChainNotify").await;
                let sink = pending.accept().await?;
                let mut events = face.world.chain.heads(Resume::Head);
                loop {
                    let event = tokio::select! {
                        event = events.next() => event,
                        () = sink.closed() => break,
                        () = face.state.hang_up.notified() => break,
                    };
                    let steps = match event {
                        Some(Ok(HeadEvent::Current(tipset))) => {
                            vec![HeadChangeStep { kind: HeadChangeKind::Current, tipset }]
                        }
                        Some(Ok(HeadEvent::Change(change))) => steps(change),
                        _ => break,
                    };
                    let value = face.spoil(face.write(&Json(steps)));
                    sink.send(to_json_raw_value(&value)?).await?;
                }
                Ok::<(), SubscriptionError>(())
            }
        };
        self.module.register_subscription(name, name, "Filecoin.ChainNotifyEnd", follow).unwrap();
        self.table.push(MethodSpec::new(name, Permission::Read, &[]).channel());
    }
}

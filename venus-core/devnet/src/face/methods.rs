//! Binding handlers to names: a method, its right, its parameters with their Go types, and what answers it stand in
//! one line.

use std::future::Future;
use std::sync::Arc;

use jsonrpsee::types::{ErrorObjectOwned, Params};
use jsonrpsee::{Extensions, RpcModule};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use venus_core::rpc::{Caller, MethodSpec, RpcError, Service, ServiceError, codes};

use super::error::{FaceError, wire_error};
use super::faults::suffer;
use super::{ApiVersion, Face, FaceKind};

/// What handlers return.
pub(crate) type Answer<T> = Result<T, FaceError>;

/// The methods of a face while they are put together.
pub(crate) struct Methods {
    pub(super) module: RpcModule<()>,
    pub(super) table: Vec<MethodSpec>,
    pub(super) face: Face,
    pub(super) version: ApiVersion,
}

impl Methods {
    pub(super) fn new(face: Face, version: ApiVersion) -> Self {
        Self { module: RpcModule::new(()), table: Vec::new(), face, version }
    }

    /// Whether they are those of a Venus node.
    pub(super) fn venus(&self) -> bool {
        self.face.kind == FaceKind::Venus
    }

    /// Whether they are those of the old version of the API.
    pub(super) fn v0(&self) -> bool {
        self.version == ApiVersion::V0
    }

    pub(super) fn into_service(self) -> Result<Service, ServiceError> {
        Service::new(self.module, &[&self.table], self.face.kind.dialect())
    }

    /// Adds a method; use [`method!`], which keeps `spec` and the type of the parameters together.
    pub(super) fn add<A, R, F, Fut>(&mut self, spec: MethodSpec, handler: F)
    where
        A: DeserializeOwned + Send + 'static,
        R: Serialize,
        F: Fn(Face, A) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Answer<R>> + Send + 'static,
    {
        let (face, name) = (self.face.clone(), spec.name);
        let callback = move |params: Params<'static>, _: Arc<()>, extensions: Extensions| {
            let (face, handler) = (face.clone(), handler.clone());
            async move {
                if let Some(kind) = face.faults.next(name, false) {
                    suffer(&face.faults, kind, extensions.get::<Arc<Caller>>().cloned()).await?;
                }
                answer(face, params, handler).await
            }
        };
        // A name that stands twice is found by `Service::new`.
        if self.module.register_async_method(spec.name, callback).is_ok() {
            self.table.push(spec);
        }
    }
}

async fn answer<A, R, F, Fut>(
    face: Face,
    params: Params<'static>,
    handler: F,
) -> Result<Box<RawValue>, ErrorObjectOwned>
where
    A: DeserializeOwned,
    R: Serialize,
    F: Fn(Face, A) -> Fut,
    Fut: Future<Output = Answer<R>>,
{
    // The table has seen to the number of parameters: none are the empty tuple, which serde knows as null.
    let params: A = match params.as_str() {
        None | Some("[]") => serde_json::from_str("null").map_err(|e| unreadable(&e))?,
        Some(_) => params.parse()?,
    };
    let result = handler(face.clone(), params).await.map_err(|e| wire_error(face.kind, &e))?;
    face.write(&result).map_err(|e| unreadable(&e))
}

fn unreadable(error: &serde_json::Error) -> ErrorObjectOwned {
    RpcError::new(codes::PARSE, error.to_string()).into()
}

/// `method!(methods, Read "Filecoin.ChainGetTipSet" (key: TipsetKey = "types.TipSetKey") => tipset)` binds the
/// function `async fn tipset(face: Face, key: TipsetKey) -> Answer<impl Serialize>`. Behind `=>` may stand further
/// words of the line as in `.idempotent()`: `method!(m, Read "…" () => f, .void())`.
macro_rules! method {
    ($methods:expr, $permission:ident $name:literal ($($arg:ident: $ty:ty = $go:literal),* $(,)?) => $handler:expr $(, $($more:tt)+)?) => {
        $methods.add(
            venus_core::rpc::MethodSpec::new(
                $name,
                venus_core::rpc::Permission::$permission,
                const { &[$(venus_core::rpc::Param::of::<$ty>($go)),*] },
            )$($($more)+)?,
            |face, ($($arg,)*): ($($ty,)*)| $handler(face $(, $arg)*),
        )
    };
}

pub(crate) use method;

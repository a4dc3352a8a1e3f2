//! Wallets behind real sockets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use jsonrpsee::core::{RpcResult, async_trait};
use jsonrpsee::proc_macros::rpc;
use jsonrpsee::types::ErrorObjectOwned;
use secrecy::ExposeSecret;
use serde_json::value::RawValue;
use venus_core::api::{ISigner, SignerError};
use venus_core::entropy::OsEntropy;
use venus_core::json::Json;
use venus_core::rpc::server::{AuthError, Authenticate, Listening, RpcServer};
use venus_core::rpc::{
    Dialect, Identity, MethodSpec, MethodTable, Param, Permission, Permissions, RpcError, Service,
};
use venus_core::types::{Address, MsgMeta, Signature};
use venus_signer::{KeyInfo, KeyType, LocalWallet};

/// The only token that is let in.
pub const TOKEN: &str = "a.good.token";

#[rpc(server, namespace = "Filecoin", namespace_separator = ".")]
pub trait Wallet {
    #[method(name = "WalletNew")]
    async fn wallet_new(&self, key_type: String) -> RpcResult<Json<Address>>;
    #[method(name = "WalletHas")]
    async fn wallet_has(&self, address: Json<Address>) -> RpcResult<bool>;
    #[method(name = "WalletList")]
    async fn wallet_list(&self) -> RpcResult<Option<Vec<Json<Address>>>>;
    #[method(name = "WalletSign")]
    async fn wallet_sign(&self, s: Json<Address>, b: Json<Vec<u8>>, m: MsgMeta) -> RpcResult<Signature>;
    #[method(name = "WalletExport")]
    async fn wallet_export(&self, address: Json<Address>) -> RpcResult<Box<RawValue>>;
    #[method(name = "WalletImport")]
    async fn wallet_import(&self, key: Box<RawValue>) -> RpcResult<Json<Address>>;
    #[method(name = "WalletDelete")]
    async fn wallet_delete(&self, address: Json<Address>) -> RpcResult<()>;
    #[method(name = "LockState")]
    async fn lock_state(&self) -> RpcResult<bool>;
    #[method(name = "Unlock")]
    async fn unlock(&self, password: String) -> RpcResult<()>;
}

#[rpc(server, namespace = "Filecoin", namespace_separator = ".")]
pub trait Node {
    #[method(name = "WalletHas")]
    async fn wallet_has(&self, address: Json<Address>) -> RpcResult<bool>;
    #[method(name = "WalletList")]
    async fn wallet_list(&self) -> RpcResult<Option<Vec<Json<Address>>>>;
    #[method(name = "WalletSign")]
    async fn wallet_sign(&self, s: Json<Address>, b: Json<Vec<u8>>) -> RpcResult<Signature>;
}

const ADDRESS: Param = Param::of::<Json<Address>>("address.Address");
const BYTES: Param = Param::of::<Json<Vec<u8>>>("[]uint8");
const META: Param = Param::of::<MsgMeta>("types.MsgMeta");
const STRING: Param = Param::of::<String>("string");
const RAW: Param = Param::of::<Box<RawValue>>("*types.KeyInfo");

const WALLET: &MethodTable = &[
    MethodSpec::new("Filecoin.WalletNew", Permission::Admin, &[STRING]),
    MethodSpec::new("Filecoin.WalletHas", Permission::Read, &[ADDRESS]),
    MethodSpec::new("Filecoin.WalletList", Permission::Read, &[]),
    MethodSpec::new("Filecoin.WalletSign", Permission::Sign, &[ADDRESS, BYTES, META]),
    MethodSpec::new("Filecoin.WalletExport", Permission::Admin, &[ADDRESS]),
    MethodSpec::new("Filecoin.WalletImport", Permission::Admin, &[RAW]),
    MethodSpec::new("Filecoin.WalletDelete", Permission::Admin, &[ADDRESS]).void(),
    MethodSpec::new("Filecoin.LockState", Permission::Admin, &[]),
    MethodSpec::new("Filecoin.Unlock", Permission::Admin, &[STRING]).void(),
];

const NODE: &MethodTable = &[
    MethodSpec::new("Filecoin.WalletHas", Permission::Write, &[ADDRESS]),
    MethodSpec::new("Filecoin.WalletList", Permission::Write, &[]),
    MethodSpec::new("Filecoin.WalletSign", Permission::Sign, &[ADDRESS, BYTES]),
];

/// What a served wallet does wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    #[default]
    None,
    /// Signs something else.
    OtherBytes,
    /// Signs with another key.
    OtherKey,
    /// Answers Go's texts, without kinds.
    GoTexts,
    /// Does not answer so many calls of `WalletSign`.
    Silent(u32),
    /// Answers this text to `WalletSign`.
    Says(&'static str),
}

/// A served wallet.
#[derive(Clone)]
pub struct Served {
    pub wallet: LocalWallet,
    pub fault: Fault,
    pub asked: Arc<AtomicU32>,
}

fn error(e: SignerError) -> ErrorObjectOwned {
    RpcError::of(&e).into()
}

fn said(text: &str) -> ErrorObjectOwned {
    RpcError::new(1, text).into()
}

impl Served {
    pub fn new(wallet: &LocalWallet, fault: Fault) -> Self {
        Self { wallet: wallet.clone(), fault, asked: Arc::default() }
    }

    async fn sign(&self, address: &Address, to_sign: &[u8], meta: &MsgMeta) -> RpcResult<Signature> {
        let before = self.asked.fetch_add(1, Ordering::SeqCst);
        match self.fault {
            Fault::Silent(calls) if before < calls => std::future::pending().await,
            Fault::None | Fault::GoTexts | Fault::Silent(_) => {}
            Fault::Says(text) => return Err(said(text)),
            Fault::OtherBytes => {
                let key = self.wallet.export(address).await.unwrap();
                return Ok(raw(&key, b"something else"));
            }
            Fault::OtherKey => {
                let key = KeyInfo::generate(KeyType::Secp256k1, &OsEntropy).unwrap();
                return Ok(raw(&key, to_sign));
            }
        }
        match self.wallet.sign(address, to_sign, meta).await {
            Err(SignerError::KeyNotFound(_)) if self.fault == Fault::GoTexts => Err(said("record not found")),
            answer => answer.map_err(error),
        }
    }
}

/// A signature over any bytes, which no wallet of ours makes: a secp256k1 key by hand.
pub fn raw(key: &KeyInfo, bytes: &[u8]) -> Signature {
    use k256::ecdsa::SigningKey;
    let json: serde_json::Value = serde_json::from_str(key.to_json().expose_secret()).unwrap();
    let secret: Json<Vec<u8>> = serde_json::from_value(json["PrivateKey"].clone()).unwrap();
    match key.key_type() {
        KeyType::Bls => {
            let mut secret = secret.0;
            secret.reverse();
            let key = blst::min_pk::SecretKey::from_bytes(&secret).unwrap();
            Signature::bls(key.sign(bytes, venus_core::crypto::bls::DST, &[]).compress())
        }
        _ => {
            let key = SigningKey::from_slice(&secret.0).unwrap();
            let digest = venus_core::crypto::hash::blake2b_256(bytes);
            let (signature, id) = key.sign_prehash_recoverable(&digest).unwrap();
            Signature::secp256k1([&signature.to_bytes()[..], &[id.to_byte()]].concat())
        }
    }
}

#[async_trait]
impl WalletServer for Served {
    async fn wallet_new(&self, key_type: String) -> RpcResult<Json<Address>> {
        let key_type = match &*key_type {
            "bls" => KeyType::Bls,
            "secp256k1" => KeyType::Secp256k1,
            _ => return Err(said("invalid signature type: 255")),
        };
        Ok(Json(self.wallet.generate(key_type, &OsEntropy).await.unwrap()))
    }
    async fn wallet_has(&self, address: Json<Address>) -> RpcResult<bool> {
        self.wallet.has(&address.0).await.map_err(error)
    }
    async fn wallet_list(&self) -> RpcResult<Option<Vec<Json<Address>>>> {
        Ok(Some(self.wallet.list().await.map_err(error)?.into_iter().map(Json).collect()))
    }
    async fn wallet_sign(&self, s: Json<Address>, b: Json<Vec<u8>>, m: MsgMeta) -> RpcResult<Signature> {
        self.sign(&s.0, &b.0, &m).await
    }
    async fn wallet_export(&self, address: Json<Address>) -> RpcResult<Box<RawValue>> {
        let key = self.wallet.export(&address.0).await.map_err(|_| said("record not found"))?;
        Ok(RawValue::from_string(key.to_json().expose_secret().to_owned()).unwrap())
    }
    async fn wallet_import(&self, key: Box<RawValue>) -> RpcResult<Json<Address>> {
        let key = KeyInfo::from_json(key.get()).map_err(|_| said("invalid key"))?;
        Ok(Json(self.wallet.import(key).await.unwrap()))
    }
    async fn wallet_delete(&self, address: Json<Address>) -> RpcResult<()> {
        self.wallet.remove(&address.0).await.unwrap();
        Ok(())
    }
    async fn lock_state(&self) -> RpcResult<bool> {
        Ok(false)
    }
    async fn unlock(&self, password: String) -> RpcResult<()> {
        if password == "right" { Ok(()) } else { Err(said("incorrect password")) }
    }
}

#[async_trait]
impl NodeServer for Served {
    async fn wallet_has(&self, address: Json<Address>) -> RpcResult<bool> {
        self.wallet.has(&address.0).await.map_err(error)
    }
    async fn wallet_list(&self) -> RpcResult<Option<Vec<Json<Address>>>> {
        let list: Vec<_> = self.wallet.list().await.map_err(error)?.into_iter().map(Json).collect();
        Ok(if list.is_empty() { None } else { Some(list) })
    }
    /// Signs what it is given, as nodes do.
    async fn wallet_sign(&self, s: Json<Address>, b: Json<Vec<u8>>) -> RpcResult<Signature> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        match self.wallet.export(&s.0).await {
            Ok(key) => Ok(raw(&key, &b.0)),
            Err(_) => Err(said(&format!("signing using key '{}': key info not found", s.0))),
        }
    }
}

struct OneToken;

#[async_trait]
impl Authenticate for OneToken {
    async fn authenticate(
        &self,
        token: Option<&str>,
        _: &http::request::Parts,
    ) -> Result<Identity, AuthError> {
        match token {
            Some(TOKEN) => Ok(Identity::new("test", Permissions::ALL)),
            Some("read.only.token") => Ok(Identity::new("test", Permissions::READ)),
            _ => Err(AuthError::Unauthenticated),
        }
    }
}

/// A port at which a wallet or a node is served.
pub struct Port {
    pub server: RpcServer,
    pub listening: Listening,
}

impl Port {
    pub async fn wallet(served: Served, dialect: Dialect, at: Option<SocketAddr>) -> Self {
        let service = Service::new(WalletServer::into_rpc(served), &[WALLET], dialect).unwrap();
        Self::open(RpcServer::new(service, OneToken), "/rpc/v0", at).await
    }

    pub async fn node(served: Served) -> Self {
        let service = Service::new(NodeServer::into_rpc(served), &[NODE], Dialect::Upstream).unwrap();
        Self::open(RpcServer::new(service, OneToken), "/rpc/v1", None).await
    }

    async fn open(server: RpcServer, path: &str, at: Option<SocketAddr>) -> Self {
        let at = at.unwrap_or_else(|| "127.0.0.1:0".parse().unwrap());
        let listening = server.listen(at, &[path]).await.unwrap();
        Self { server, listening }
    }

    pub fn addr(&self) -> SocketAddr {
        self.listening.local_addr()
    }

    /// The API info of a multiaddr: WebSocket, unless `scheme` says otherwise.
    pub fn info(&self, token: &str, scheme: &str) -> venus_core::rpc::ApiInfo {
        format!("{token}:/ip4/127.0.0.1/tcp/{}{scheme}", self.addr().port()).parse().unwrap()
    }
}

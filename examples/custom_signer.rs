#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! A signer of one's own: it borrows the keys of another signer and lets no message above a bound leave. The public
//! suite examines it like every other signer.

use async_trait::async_trait;
use venus_core::api::{MessageRequest, SignerError};
use venus_core::cbor::Decode;
use venus_core::entropy::OsEntropy;
use venus_core::prelude::*;
use venus_core::testing::suites::{self, SignerFixture};
use venus_core::types::{MsgMeta, MsgType, Signature, fil};
use venus_signer::{KeyType, LocalWallet};

/// Signs what the inner signer signs, but no message worth more than `most`.
struct Careful<S> {
    inner: S,
    most: TokenAmount,
}

#[async_trait]
impl<S: ISigner> ISigner for Careful<S> {
    async fn has(&self, address: &Address) -> Result<bool, SignerError> {
        self.inner.has(address).await
    }

    async fn list(&self) -> Result<Vec<Address>, SignerError> {
        self.inner.list().await
    }

    async fn sign(
        &self,
        address: &Address,
        to_sign: &[u8],
        meta: &MsgMeta,
    ) -> Result<Signature, SignerError> {
        // The inner signer refuses bytes that are not those of this message, so what is judged is what is signed.
        if meta.msg_type == MsgType::ChainMessage
            && let Ok(message) = Message::from_cbor(&meta.extra)
            && message.value > self.most
        {
            return Err(SignerError::Denied(format!("{} is above the bound", fil(&message.value))));
        }
        self.inner.sign(address, to_sign, meta).await
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let wallet = LocalWallet::in_memory();
    let secp = wallet.generate(KeyType::Secp256k1, &OsEntropy).await?;
    let bls = wallet.generate(KeyType::Bls, &OsEntropy).await?;
    let careful = Careful { inner: wallet, most: TokenAmount::from_whole(10) };

    suites::signer(&careful, &SignerFixture::new(vec![secp, bls])).await;
    println!("passes the suite");

    let message = MessageRequest::transfer(secp, bls, TokenAmount::from_whole(11)).message;
    let refused = careful.sign_message(&message).await.unwrap_err();
    println!("refuses more than it should sign: {refused}");
    Ok(())
}

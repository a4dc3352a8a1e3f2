//! Chain messages and the two forms they are signed in.

use std::ops::Deref;

use venus_core::api::SignerError;
use venus_core::crypto::{delegated, hash};
use venus_core::types::{Message, MessageExt, MsgType, Protocol};

use super::SigningNetwork;
use super::raw::CHAIN_CID;

/// A chain message and what its sender signs. Reads as a [`Message`].
#[derive(Clone, Debug, PartialEq)]
pub struct MessageToSign {
    message: Message,
    signing_bytes: Vec<u8>,
}

impl MessageToSign {
    /// Computes what the sender of `message` signs: the bytes of its CID, or for an `f4` sender its EIP-1559
    /// transaction (FIP-0055).
    ///
    /// # Errors
    /// [`SignerError::BadPayload`] for a message of an `f4` sender that no Ethereum transaction expresses, such as a
    /// plain transfer (method 0).
    pub fn new(message: Message, network: &SigningNetwork) -> Result<Self, SignerError> {
        let signing_bytes = match message.from.protocol() {
            Protocol::Delegated => {
                delegated::signing_bytes(&message, network.chain_id).map_err(|error| {
                    SignerError::BadPayload {
                        msg_type: MsgType::ChainMessage,
                        reason: format!(
                            "{error}: an f4 sender signs contract calls (InvokeEVM) and deployments (CreateExternal at \
                             f010) only; transfer by InvokeEVM without parameters"
                        ),
                    }
                })?
            }
            _ => message.cid().to_bytes(),
        };
        Ok(Self { message, signing_bytes })
    }

    /// [`MessageToSign::new`] of a message that was read from these bytes. They are the only ones that it is read from
    /// ([`venus_core::cbor`]), so the CID is theirs, and the message is not written again to find it.
    pub(super) fn read(message: Message, cbor: &[u8], network: &SigningNetwork) -> Result<Self, SignerError> {
        if message.from.protocol() == Protocol::Delegated {
            return Self::new(message, network);
        }
        let signing_bytes = [&CHAIN_CID[..], &hash::blake2b_256(cbor)].concat();
        debug_assert_eq!(signing_bytes, message.cid().to_bytes());
        Ok(Self { message, signing_bytes })
    }

    /// The form of compatibility: an `f4` sender signs the CID as any other.
    pub(super) fn by_cid(message: Message) -> Self {
        let signing_bytes = message.cid().to_bytes();
        Self { message, signing_bytes }
    }

    /// The message.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// What the sender signs.
    pub fn signing_bytes(&self) -> &[u8] {
        &self.signing_bytes
    }
}

impl Deref for MessageToSign {
    type Target = Message;

    fn deref(&self) -> &Message {
        &self.message
    }
}

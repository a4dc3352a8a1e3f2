//! The challenge by which a gateway finds out that a wallet owns a key.
//!
//! Go gateways ask for a signature over `sha256(gateway's bytes ‖ wallet's bytes)`, which names nobody: a hostile
//! gateway passes another one's question on, and the wallet's answer makes the attacker owner of the key there.
//! This challenge says who asks, of whom, on which channel and until when, so that an answer is worth something
//! in one place only.

use std::time::Duration;

use fvm_shared::address::Address;
use uuid::Uuid;

use crate::cbor::{CborError, CborErrorKind as Kind, Decode, Encode, FieldContext, Reader, Writer};
use crate::crypto::{self, CryptoError, hash::blake2b_256};
use crate::error::{Classify, ErrorKind};
use crate::types::{MsgMeta, MsgType, Signature};

/// Keeps the digest apart from everything else that keys sign.
const DOMAIN: &[u8] = b"venus gateway challenge v1\n";
/// Longest name of a hub or an account, in bytes.
const MAX_NAME: u64 = 256;

/// A question that only the owner of a key can answer, once, to one gateway.
///
/// It travels as a signing request of kind [`MsgType::VerifyAddress`]: the extra bytes are the challenge in CBOR (a
/// tuple in the order of the fields), the bytes to sign its [`digest`](Self::digest). Nonces are fresh for each
/// address and attempt; the gateway remembers none after [`expires`](Self::expires).
///
/// ```
/// use std::time::Duration;
/// use venus_core::types::{Address, ChallengeContext, GatewayChallenge};
///
/// let now = Duration::from_secs(1_700_000_000);
/// let challenge = GatewayChallenge {
///     hub: "eu-1".into(),
///     account: "alice".into(),
///     channel: uuid::Uuid::from_bytes([7; 16]),
///     address: Address::new_secp256k1(&[4; 65])?,
///     nonce: [9; 32],
///     expires: now.as_secs() + 60,
/// };
/// let context = ChallengeContext { hub: "eu-1", account: Some("alice"), channel: None, signer: challenge.address, now };
/// let read = context.read(&challenge.meta().extra, &challenge.digest())?;
/// assert_eq!(read, challenge);
/// assert!(ChallengeContext { hub: "us-1", ..context }.read(&challenge.meta().extra, &challenge.digest()).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayChallenge {
    /// The gateway's identity, as the wallet's operator knows it.
    pub hub: String,
    /// The account of the wallet's token.
    pub account: String,
    /// The channel that the wallet opened.
    pub channel: Uuid,
    /// The key that is asked for.
    pub address: Address,
    /// Fresh random bytes of the gateway.
    pub nonce: [u8; 32],
    /// Unix seconds after which no answer counts.
    pub expires: u64,
}

impl GatewayChallenge {
    /// How far the clocks of wallet and gateway may be apart.
    pub const CLOCK_SKEW: Duration = Duration::from_secs(30);
    /// The longest time from asking to [`expires`](Self::expires) that a wallet accepts.
    pub const MAX_LIFETIME: Duration = Duration::from_secs(300);

    /// The 32 bytes that the key signs.
    pub fn digest(&self) -> [u8; 32] {
        blake2b_256(&[DOMAIN, &self.to_cbor()].concat())
    }

    /// The metadata of the signing request.
    pub fn meta(&self) -> MsgMeta {
        MsgMeta { msg_type: MsgType::VerifyAddress, extra: self.to_cbor() }
    }

    /// The gateway's side: whether `signature` answers the challenge, which has to be one that it remembers.
    ///
    /// # Errors
    /// [`ChallengeError::Expired`], [`ChallengeError::Signature`].
    pub fn verify(&self, signature: &Signature, now: Duration) -> Result<(), ChallengeError> {
        if now.as_secs() > self.expires {
            return Err(ChallengeError::Expired);
        }
        Ok(crypto::verify(signature, &self.address, &self.digest())?)
    }
}

/// What the wallet knows when a challenge arrives.
#[derive(Clone, Copy, Debug)]
pub struct ChallengeContext<'a> {
    /// The identity that the hub is configured under.
    pub hub: &'a str,
    /// The account of the token that the wallet presented there, if it can be told from the token.
    pub account: Option<&'a str>,
    /// The channel, once the hub named it.
    pub channel: Option<Uuid>,
    /// The key that the request is for.
    pub signer: Address,
    /// The time since the Unix epoch.
    pub now: Duration,
}

impl ChallengeContext<'_> {
    /// Reads a challenge and checks that this hub may ask it of this wallet, here and now.
    ///
    /// # Errors
    /// [`ChallengeError`]: nothing may be signed then.
    pub fn read(&self, extra: &[u8], to_sign: &[u8]) -> Result<GatewayChallenge, ChallengeError> {
        let challenge = GatewayChallenge::from_cbor(extra)?;
        let now = self.now.as_secs();
        let (skew, life) = (GatewayChallenge::CLOCK_SKEW.as_secs(), GatewayChallenge::MAX_LIFETIME.as_secs());
        let same = |is: bool, field| if is { Ok(()) } else { Err(ChallengeError::Other(field)) };
        same(challenge.hub == self.hub, "gateway")?;
        same(self.account.is_none_or(|account| challenge.account == account), "account")?;
        same(self.channel.is_none_or(|channel| challenge.channel == channel), "channel")?;
        same(challenge.address == self.signer, "address")?;
        if challenge.expires.saturating_add(skew) < now {
            return Err(ChallengeError::Expired);
        }
        if challenge.expires > now.saturating_add(life + skew) {
            return Err(ChallengeError::TooLong);
        }
        if challenge.digest() == to_sign { Ok(challenge) } else { Err(ChallengeError::Digest) }
    }
}

/// Why a challenge is not answered, or an answer does not count. Retrying the same cannot help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChallengeError {
    /// It is no challenge at all.
    #[error("no gateway challenge: {0}")]
    Malformed(#[from] CborError),
    /// It was made for another gateway, account, channel or address: somebody passes it on.
    #[error("the challenge names another {0}")]
    Other(&'static str),
    /// It is too old. If it is not, a clock is wrong.
    #[error("the challenge has expired; check the clocks of wallet and gateway")]
    Expired,
    /// It would be valid for longer than 5 minutes.
    #[error("the challenge is valid for too long; check the clocks of wallet and gateway")]
    TooLong,
    /// The bytes to sign are not its digest.
    #[error("bytes to sign are not the digest of the challenge")]
    Digest,
    /// The answer was not made by the key.
    #[error(transparent)]
    Signature(#[from] CryptoError),
}

impl Classify for ChallengeError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Malformed(_) | Self::Digest | Self::Signature(_) => ErrorKind::Invalid,
            Self::Other(_) | Self::Expired | Self::TooLong => ErrorKind::Denied,
        }
    }
}

impl Encode for GatewayChallenge {
    fn encode(&self, w: &mut Writer) {
        w.array(6);
        w.text(&self.hub);
        w.text(&self.account);
        w.bytes(self.channel.as_bytes());
        self.address.encode(w);
        w.bytes(&self.nonce);
        w.uint(self.expires);
    }
}

impl Decode for GatewayChallenge {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CborError> {
        decode(r).in_field("GatewayChallenge")
    }
}

fn decode(r: &mut Reader<'_>) -> Result<GatewayChallenge, CborError> {
    r.tuple(6)?;
    Ok(GatewayChallenge {
        hub: r.text(MAX_NAME).in_field("hub")?.to_owned(),
        account: r.text(MAX_NAME).in_field("account")?.to_owned(),
        channel: Uuid::from_bytes(exactly(r).in_field("channel")?),
        address: Address::decode(r).in_field("address")?,
        nonce: exactly(r).in_field("nonce")?,
        expires: r.uint().in_field("expires")?,
    })
}

fn exactly<const N: usize>(r: &mut Reader<'_>) -> Result<[u8; N], CborError> {
    let start = r.offset();
    let bytes = r.bytes_up_to(64)?;
    bytes.try_into().map_err(|_| CborError::new(start, Kind::Invalid("wrong number of bytes")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::api::ISigner;
    use crate::testing::doubles::TestSigner;

    const NOW: Duration = Duration::from_secs(1_700_000_000);

    fn challenge(address: Address) -> GatewayChallenge {
        GatewayChallenge {
            hub: "eu-1".into(),
            account: "alice".into(),
            channel: Uuid::from_bytes([7; 16]),
            address,
            nonce: [9; 32],
            expires: NOW.as_secs() + 60,
        }
    }

    fn context(signer: Address) -> ChallengeContext<'static> {
        let channel = Some(Uuid::from_bytes([7; 16]));
        ChallengeContext { hub: "eu-1", account: Some("alice"), channel, signer, now: NOW }
    }

    #[test]
    fn the_encoding_is_fixed() {
        let challenge = challenge(Address::new_id(1000));
        let parts = ["86", "6465752d31", "65616c696365", "50", &"07".repeat(16), "4300e807", "5820"];
        let expected = [&parts.concat(), &*"09".repeat(32), "1a6553f13c"].concat();
        assert_eq!(data_encoding::HEXLOWER.encode(&challenge.to_cbor()), expected);
        let digest = blake2b_256(&[DOMAIN, &challenge.to_cbor()].concat());
        assert_eq!(challenge.digest(), digest);
        assert_eq!(challenge.meta().msg_type, MsgType::VerifyAddress);
    }

    #[test]
    fn whatever_is_changed_is_refused() {
        let (address, other) = (Address::new_id(1000), Address::new_id(1001));
        let good = challenge(address);
        let read = |c: &GatewayChallenge| context(address).read(&c.to_cbor(), &c.digest());
        assert_eq!(read(&good).unwrap(), good);
        let cases = [
            (GatewayChallenge { hub: "eu-2".into(), ..good.clone() }, ChallengeError::Other("gateway")),
            (GatewayChallenge { account: "bob".into(), ..good.clone() }, ChallengeError::Other("account")),
            (GatewayChallenge { channel: Uuid::nil(), ..good.clone() }, ChallengeError::Other("channel")),
            (GatewayChallenge { address: other, ..good.clone() }, ChallengeError::Other("address")),
            (GatewayChallenge { expires: NOW.as_secs() - 31, ..good.clone() }, ChallengeError::Expired),
            (GatewayChallenge { expires: NOW.as_secs() + 331, ..good.clone() }, ChallengeError::TooLong),
            (GatewayChallenge { expires: u64::MAX, ..good.clone() }, ChallengeError::TooLong),
        ];
        for (changed, error) in cases {
            assert_eq!(read(&changed).unwrap_err(), error);
        }
        let nonce = GatewayChallenge { nonce: [8; 32], ..good.clone() };
        let swapped = context(address).read(&nonce.to_cbor(), &good.digest());
        assert_eq!(swapped.unwrap_err(), ChallengeError::Digest);
        let trailing = [&good.to_cbor()[..], &[0]].concat();
        let error = context(address).read(&trailing, &good.digest()).unwrap_err();
        assert!(matches!(error, ChallengeError::Malformed(_)));
    }

    #[test]
    fn clocks_may_be_apart_a_little() {
        let address = Address::new_id(1000);
        for expires in [NOW.as_secs() - 30, NOW.as_secs() + 330] {
            let challenge = GatewayChallenge { expires, ..challenge(address) };
            assert!(context(address).read(&challenge.to_cbor(), &challenge.digest()).is_ok());
        }
    }

    #[tokio::test]
    async fn the_gateway_verifies_the_answer() {
        let signer = TestSigner::new(1);
        for address in [signer.new_bls(), signer.new_secp()] {
            let challenge = challenge(address);
            // A test signer signs no challenges; any other signature must not do.
            let message = crate::api::MessageRequest::transfer(address, address, Default::default()).message;
            let to_sign = crate::types::MessageExt::cid(&message).to_bytes();
            let signed = signer.sign(&address, &to_sign, &MsgMeta::chain_message(&message)).await.unwrap();
            assert!(matches!(challenge.verify(&signed, NOW), Err(ChallengeError::Signature(_))));
            let late = challenge.verify(&signed, NOW + Duration::from_secs(61));
            assert_eq!(late, Err(ChallengeError::Expired));
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_back(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(challenge) = GatewayChallenge::from_cbor(&bytes) {
                prop_assert_eq!(challenge.to_cbor(), bytes);
            }
        }

        #[test]
        fn every_challenge_survives_and_a_flipped_bit_is_refused(
            hub in "[a-z0-9-]{0,40}", account in "\\PC{0,40}", nonce: [u8; 32], expires: u64, bit in 0usize..2400,
        ) {
            let address = Address::new_id(1000);
            let challenge = GatewayChallenge { hub, account, nonce, expires, ..challenge(address) };
            let mut bytes = challenge.to_cbor();
            prop_assert_eq!(&GatewayChallenge::from_cbor(&bytes).unwrap(), &challenge);
            let at = bit / 8 % bytes.len();
            bytes[at] ^= 1 << (bit % 8);
            prop_assert!(context(address).read(&bytes, &challenge.digest()).is_err());
        }
    }
}

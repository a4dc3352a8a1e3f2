//! Vouchers of payment channels.

use fvm_shared::MethodNum;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;

use super::Signature;
use crate::cbor::{Encode, cbor_tuple};
use crate::json::lotus_json;

/// A promise to pay out of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SignedVoucher {
    /// The channel's actor.
    pub channel: Address,
    /// First epoch at which it may be submitted; 0 is no bound.
    pub time_lock_min: ChainEpoch,
    /// Last epoch at which it may be submitted; 0 is no bound.
    pub time_lock_max: ChainEpoch,
    /// Hash of a secret that the receiver has to show; empty if there is none.
    pub secret_hash: Vec<u8>,
    /// An actor that has to agree.
    pub extra: Option<VoucherExtra>,
    /// The lane.
    pub lane: u64,
    /// Larger than that of the vouchers before it on this lane.
    pub nonce: u64,
    /// What the lane has paid in all, attoFIL.
    pub amount: TokenAmount,
    /// First epoch at which the channel may settle.
    pub min_settle_height: ChainEpoch,
    /// Lanes that this voucher takes over.
    pub merges: Vec<VoucherMerge>,
    /// The sender's signature over [`SignedVoucher::signing_bytes`].
    pub signature: Option<Signature>,
}

cbor_tuple!(SignedVoucher {
    channel: "ChannelAddr",
    time_lock_min: "TimeLockMin",
    time_lock_max: "TimeLockMax",
    secret_hash: "SecretHash",
    extra: "Extra",
    lane: "Lane",
    nonce: "Nonce",
    amount: "Amount",
    min_settle_height: "MinSettleHeight",
    merges: "Merges",
    signature: "Signature",
});
lotus_json!(SignedVoucher {
    channel: "ChannelAddr",
    time_lock_min: "TimeLockMin",
    time_lock_max: "TimeLockMax",
    secret_hash: "SecretHash",
    extra: "Extra",
    lane: "Lane",
    nonce: "Nonce",
    amount: "Amount",
    min_settle_height: "MinSettleHeight",
    merges: "Merges" null,
    signature: "Signature",
});

impl SignedVoucher {
    /// What the sender signs: the CBOR with a null signature.
    pub fn signing_bytes(&self) -> Vec<u8> {
        Self { signature: None, ..self.clone() }.to_cbor()
    }
}

/// A call that has to succeed before a voucher pays.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VoucherExtra {
    /// Who is called.
    pub actor: Address,
    /// The method.
    pub method: MethodNum,
    /// Its parameters.
    pub data: Vec<u8>,
}

cbor_tuple!(VoucherExtra { actor: "Actor", method: "Method", data: "Data" });
lotus_json!(VoucherExtra { actor: "Actor", method: "Method", data: "Data" });

/// A lane that a voucher takes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VoucherMerge {
    /// The lane.
    pub lane: u64,
    /// The nonce that it has from then on.
    pub nonce: u64,
}

cbor_tuple!(VoucherMerge { lane: "Lane", nonce: "Nonce" });
lotus_json!(VoucherMerge { lane: "Lane", nonce: "Nonce" });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cbor::Decode;

    /// Recorded from venus-wallet v1.20.0.
    const VOUCHER: &str = "8b4300f8060102420102834200630341040506430002bc0881820102f6";

    #[test]
    fn a_voucher_is_signed_without_its_signature() {
        let bytes = data_encoding::HEXLOWER.decode(VOUCHER.as_bytes()).unwrap();
        let unsigned = SignedVoucher::from_cbor(&bytes).unwrap();
        let signed = SignedVoucher { signature: Some(Signature::secp256k1([5; 65])), ..unsigned.clone() };
        assert_eq!((unsigned.to_cbor(), signed.signing_bytes()), (bytes.clone(), bytes));
        assert_eq!(SignedVoucher::from_cbor(&signed.to_cbor()).unwrap(), signed);
        assert_eq!(
            serde_json::to_string(&unsigned).unwrap(),
            r#"{"ChannelAddr":"f0888","TimeLockMin":1,"TimeLockMax":2,"SecretHash":"AQI=","Extra":{"Actor":"f099","Method":3,"Data":"BA=="},"Lane":5,"Nonce":6,"Amount":"700","MinSettleHeight":8,"Merges":[{"Lane":1,"Nonce":2}],"Signature":null}"#
        );
    }
}

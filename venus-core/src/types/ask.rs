//! What a provider asks for storage, as it is signed and answered to clients.

use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::econ::TokenAmount;

use super::Signature;
use crate::cbor::{CborError, Decode, Encode, FieldContext, Reader, Writer, cbor_map};
use crate::json::lotus_json;

/// A provider's conditions.
///
/// CBOR is a map; [`StorageAsk::to_tuple`] is the form of protocol 1.0.1, which answers to ask queries are signed in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StorageAsk {
    /// attoFIL a GiB and epoch.
    pub price: TokenAmount,
    /// The same for verified deals.
    pub verified_price: TokenAmount,
    /// Smallest padded piece, bytes.
    pub min_piece_size: u64,
    /// Largest padded piece, bytes.
    pub max_piece_size: u64,
    /// The provider.
    pub miner: Address,
    /// From which epoch it holds.
    pub timestamp: ChainEpoch,
    /// Until which epoch it holds.
    pub expiry: ChainEpoch,
    /// Counts the provider's asks.
    pub seq_no: u64,
}

cbor_map!(StorageAsk {
    miner: "Miner",
    price: "Price",
    seq_no: "SeqNo",
    expiry: "Expiry",
    timestamp: "Timestamp",
    max_piece_size: "MaxPieceSize",
    min_piece_size: "MinPieceSize",
    verified_price: "VerifiedPrice",
});
lotus_json!(StorageAsk {
    price: "Price",
    verified_price: "VerifiedPrice",
    min_piece_size: "MinPieceSize",
    max_piece_size: "MaxPieceSize",
    miner: "Miner",
    timestamp: "Timestamp",
    expiry: "Expiry",
    seq_no: "SeqNo",
});

impl StorageAsk {
    /// The CBOR list of protocol 1.0.1: what the signature of an [`AskResponse`] is made over.
    pub fn to_tuple(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.array(8);
        self.price.encode(&mut w);
        self.verified_price.encode(&mut w);
        w.uint(self.min_piece_size);
        w.uint(self.max_piece_size);
        self.miner.encode(&mut w);
        w.int(self.timestamp);
        w.int(self.expiry);
        w.uint(self.seq_no);
        w.into_vec()
    }

    /// Reads [`StorageAsk::to_tuple`].
    ///
    /// # Errors
    /// As [`Decode::from_cbor`].
    pub fn from_tuple(bytes: &[u8]) -> Result<Self, CborError> {
        let mut r = Reader::new(bytes);
        let ask = read_tuple(&mut r).in_field("StorageAsk")?;
        r.finish()?;
        Ok(ask)
    }
}

fn read_tuple(r: &mut Reader<'_>) -> Result<StorageAsk, CborError> {
    r.tuple(8)?;
    Ok(StorageAsk {
        price: Decode::decode(r).in_field("Price")?,
        verified_price: Decode::decode(r).in_field("VerifiedPrice")?,
        min_piece_size: r.uint().in_field("MinPieceSize")?,
        max_piece_size: r.uint().in_field("MaxPieceSize")?,
        miner: Decode::decode(r).in_field("Miner")?,
        timestamp: r.int().in_field("Timestamp")?,
        expiry: r.int().in_field("Expiry")?,
        seq_no: r.uint().in_field("SeqNo")?,
    })
}

/// An ask and its signature by the provider's worker; none while it is being signed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SignedStorageAsk {
    /// The conditions.
    pub ask: StorageAsk,
    /// The worker's signature.
    pub signature: Option<Signature>,
}

cbor_map!(SignedStorageAsk { ask: "Ask", signature: "Signature" });
lotus_json!(SignedStorageAsk { ask: "Ask", signature: "Signature" });

/// The answer to an ask query. Go lets the ask be null and then fails on it; here it is an error.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AskResponse {
    /// The ask.
    pub ask: SignedStorageAsk,
}

cbor_map!(AskResponse { ask: "Ask" });
lotus_json!(AskResponse { ask: "Ask" });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cbor::CborErrorKind;

    const MAP: &str = "a8654d696e65724300e80765507269636545001dcd6500655365714e6f07664578706972791a001e84806954696d657374616d701a000f42406c4d6178506965636553697a651b00000008000000006c4d696e506965636553697a651910006d56657269666965645072696365450002faf080";
    const TUPLE: &str = "8845001dcd6500450002faf0801910001b00000008000000004300e8071a000f42401a001e848007";

    fn ask() -> StorageAsk {
        StorageAsk {
            price: TokenAmount::from_atto(500_000_000),
            verified_price: TokenAmount::from_atto(50_000_000),
            min_piece_size: 4096,
            max_piece_size: 34_359_738_368,
            miner: Address::new_id(1000),
            timestamp: 1_000_000,
            expiry: 2_000_000,
            seq_no: 7,
        }
    }

    fn hex(bytes: &[u8]) -> String {
        data_encoding::HEXLOWER.encode(bytes)
    }

    #[test]
    fn golden_forms_of_an_ask() {
        assert_eq!(hex(&ask().to_cbor()), MAP);
        assert_eq!(hex(&ask().to_tuple()), TUPLE);
        assert_eq!(StorageAsk::from_cbor(&ask().to_cbor()).unwrap(), ask());
        assert_eq!(StorageAsk::from_tuple(&ask().to_tuple()).unwrap(), ask());
        let json = serde_json::to_string(&ask()).unwrap();
        assert_eq!(
            json,
            r#"{"Price":"500000000","VerifiedPrice":"50000000","MinPieceSize":4096,"MaxPieceSize":34359738368,"Miner":"f01000","Timestamp":1000000,"Expiry":2000000,"SeqNo":7}"#
        );
        assert_eq!(serde_json::from_str::<StorageAsk>(&json).unwrap(), ask());
    }

    #[test]
    fn keys_stand_in_one_order_and_the_ask_is_there() {
        let mut swapped = ask().to_cbor();
        swapped[2..7].copy_from_slice(b"Price");
        let error = StorageAsk::from_cbor(&swapped).unwrap_err();
        assert_eq!(error.kind, CborErrorKind::Invalid("another key stands here"));
        assert_eq!((error.path.as_str(), error.offset), ("StorageAsk.Miner", 1));
        let error = AskResponse::from_cbor(b"\xa1\x63Ask\xf6").unwrap_err();
        assert_eq!(error.path, "AskResponse.Ask.SignedStorageAsk");
        let short = SignedStorageAsk::from_cbor(&[0xa1]).unwrap_err();
        assert_eq!(short.kind, CborErrorKind::WrongLength { expected: 2, found: 1 });
        let signed = AskResponse { ask: SignedStorageAsk { ask: ask(), signature: None } };
        assert_eq!(AskResponse::from_cbor(&signed.to_cbor()).unwrap(), signed);
    }
}

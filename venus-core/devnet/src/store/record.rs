//! What the log holds: blocks with the bodies of their messages, and what the admin changed between them.

use fvm_shared::clock::ChainEpoch;
use venus_core::cbor::{CborError, CborErrorKind, Decode, Encode, FieldContext, Reader, Writer};
use venus_core::types::{BlockHeader, SignedMessage};

use crate::chain::StoredBlock;
use crate::vm::StateChange;

/// One entry of the log. A block is a list of three, a change of the admin a list of two, `[epoch, change]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Block(Box<Record>),
    /// At the end of which epoch what is changed.
    Change(ChainEpoch, StateChange),
}

impl Entry {
    /// The epoch of the block, or of the change.
    pub(crate) fn epoch(&self) -> ChainEpoch {
        match self {
            Self::Block(record) => record.header.height,
            Self::Change(epoch, _) => *epoch,
        }
    }
}

impl Encode for Entry {
    fn encode(&self, w: &mut Writer) {
        match self {
            Self::Block(record) => record.encode(w),
            Self::Change(epoch, change) => {
                w.array(2);
                w.int(*epoch);
                change.encode(w);
            }
        }
    }
}

impl Decode for Entry {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CborError> {
        let start = r.offset();
        match r.array(3)? {
            2 => Ok(Self::Change(r.int().in_field("Epoch")?, Decode::decode(r).in_field("Change")?)),
            3 => Record::fields(r).in_field("Record").map(|record| Self::Block(Box::new(record))),
            found => Err(CborError::new(start, CborErrorKind::WrongLength { expected: 3, found })),
        }
    }
}

/// `[header, [BLS messages], [other messages]]`. BLS messages keep their own signatures, which the block itself
/// holds only as a sum: after a restart a reverted message can still go back to the pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) header: BlockHeader,
    pub(crate) bls: Vec<SignedMessage>,
    pub(crate) secp: Vec<SignedMessage>,
}

impl Record {
    pub(crate) fn of(block: &StoredBlock) -> Self {
        let (bls, secp) = block
            .messages
            .iter()
            .map(|m| m.signed.clone())
            .partition(|m| m.signature.sig_type == venus_core::types::SignatureType::Bls);
        Self { header: block.header.clone(), bls, secp }
    }

    fn fields(r: &mut Reader<'_>) -> Result<Self, CborError> {
        Ok(Self {
            header: Decode::decode(r).in_field("Header")?,
            bls: Decode::decode(r).in_field("BlsMessages")?,
            secp: Decode::decode(r).in_field("SecpkMessages")?,
        })
    }
}

impl Encode for Record {
    fn encode(&self, w: &mut Writer) {
        w.array(3);
        self.header.encode(w);
        self.bls.encode(w);
        self.secp.encode(w);
    }
}

#[cfg(test)]
mod tests {
    use fvm_shared::address::Address;
    use fvm_shared::econ::TokenAmount;
    use proptest::prelude::*;
    use venus_core::types::BitField;

    use super::*;

    #[test]
    fn changes_are_read_as_they_were_written() {
        let (miner, address) = (Address::new_id(1000), Address::new_bls(&[7; 48]).unwrap());
        let sectors = BitField::try_from_bits([1, 5]).unwrap();
        let amount = TokenAmount::from_whole(-3);
        let changes = [
            StateChange::SetBalance { address, balance: TokenAmount::from_whole(3) },
            StateChange::AddBalance { address, amount },
            StateChange::GrantPower { miner, raw: (-4).into(), quality_adjusted: 5.into() },
            StateChange::FaultSectors { miner, sectors: sectors.clone() },
            StateChange::RecoverSectors { miner, sectors },
            StateChange::SetBaseFee { base_fee: TokenAmount::from_atto(100) },
        ];
        for change in changes {
            let entry = Entry::Change(7, change);
            let bytes = entry.to_cbor();
            assert_eq!(Entry::from_cbor(&bytes).unwrap(), entry);
            for end in 0..bytes.len() {
                assert!(Entry::from_cbor(&bytes[..end]).is_err());
            }
        }
        assert!(Entry::from_cbor(&[0x81, 0]).is_err());
        assert!(Entry::from_cbor(&[0x82, 0, 0x82, 9, 0]).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_entry_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let bytes = [&[0x82], bytes.as_slice()].concat();
            if let Ok(entry) = Entry::from_cbor(&bytes) {
                prop_assert_eq!(entry.to_cbor(), bytes);
            }
        }
    }
}

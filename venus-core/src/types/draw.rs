//! Parameters of a VRF draw, as they travel to a wallet.

use crate::cbor::{CborError, CborErrorKind as Kind, Decode, Encode, FieldContext, Reader, Writer};
use crate::consensus::draw;
use crate::json::lotus_json;

/// What a wallet needs to compute the digest of a VRF itself, instead of trusting one.
///
/// CBOR is a map with text keys, because the Go miner writes it with a general-purpose encoder: keys in
/// declaration order, empty bytes as null. Read in any order and case, as the Go wallet does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawRandomParams {
    /// The beacon entry's data.
    pub rbase: Vec<u8>,
    /// Domain separation tag.
    pub pers: i64,
    /// The round of the draw; the epoch, or the one before it for tickets.
    pub round: i64,
    /// CBOR of the miner's address, for tickets followed by the parents' smallest VRF proof.
    pub entropy: Vec<u8>,
}

lotus_json!(DrawRandomParams { rbase: "Rbase", pers: "Pers", round: "Round", entropy: "Entropy" });

impl DrawRandomParams {
    /// The 32 bytes that the VRF signs.
    pub fn digest(&self) -> [u8; 32] {
        draw::draw_randomness_raw(&self.rbase, self.pers, self.round, &self.entropy)
    }
}

impl Encode for DrawRandomParams {
    fn encode(&self, w: &mut Writer) {
        w.map(4);
        w.text("Rbase");
        nullable(w, &self.rbase);
        w.text("Pers");
        w.int(self.pers);
        w.text("Round");
        w.int(self.round);
        w.text("Entropy");
        nullable(w, &self.entropy);
    }
}

fn nullable(w: &mut Writer, bytes: &[u8]) {
    if bytes.is_empty() { w.null() } else { w.bytes(bytes) }
}

impl Decode for DrawRandomParams {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CborError> {
        decode(r).in_field("DrawRandomParams")
    }
}

fn decode(r: &mut Reader<'_>) -> Result<DrawRandomParams, CborError> {
    let start = r.offset();
    let (mut rbase, mut pers, mut round, mut entropy) = (None, None, None, None);
    for _ in 0..r.map(4)? {
        let at = r.offset();
        let key = r.text(16)?;
        let fresh = match key.to_ascii_lowercase().as_str() {
            "rbase" => rbase.replace(nullable_bytes(r).in_field("Rbase")?).is_none(),
            "pers" => pers.replace(r.int().in_field("Pers")?).is_none(),
            "round" => round.replace(r.int().in_field("Round")?).is_none(),
            "entropy" => entropy.replace(nullable_bytes(r).in_field("Entropy")?).is_none(),
            _ => return Err(CborError::new(at, Kind::Invalid("unknown key"))),
        };
        if !fresh {
            return Err(CborError::new(at, Kind::Invalid("key stands twice")));
        }
    }
    let missing = |name| CborError::new(start, Kind::Invalid(name));
    Ok(DrawRandomParams {
        rbase: rbase.ok_or_else(|| missing("Rbase is missing"))?,
        pers: pers.ok_or_else(|| missing("Pers is missing"))?,
        round: round.ok_or_else(|| missing("Round is missing"))?,
        entropy: entropy.ok_or_else(|| missing("Entropy is missing"))?,
    })
}

fn nullable_bytes(r: &mut Reader<'_>) -> Result<Vec<u8>, CborError> {
    if r.try_null() { Ok(Vec::new()) } else { Vec::decode(r) }
}

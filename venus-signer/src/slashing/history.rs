//! Histories as JSON lines, so that a key can move to another wallet together with what it has signed.
//!
//! ```text
//! {"metadata":{"format":"venus-slashing-history","version":1,"network":"mainnet"}}
//! {"block":{"miner":"f01000","height":100,"parents":"<hex>","header_hash":"<hex>"}}
//! {"vote":{"signer":"f3…","network":"filecoin","instance":7,"round":0,"phase":1,"payload_hash":"<hex>"}}
//! {"miner":{"miner":"f01000","low_watermark":90}}
//! {"voter":{"signer":"f3…","network":"filecoin","low_watermark":6}}
//! {"end":{"entries":4}}
//! ```
//!
//! Hashes are blake2b-256, as [`super::BlockSlot`] tells. Reading and writing take the memory of some hundred lines,
//! however long the history is.

use data_encoding::HEXLOWER_PERMISSIVE as HEX;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use venus_core::error::{BoxError, Classify, ErrorKind};
use venus_core::types::address;
use venus_core::types::{Network, Payload as AddressPayload};

use super::{BlockSlot, Entry, Merged, SlashingStore, VoteSlot};

const FORMAT: &str = "venus-slashing-history";
const VERSION: u32 = 1;
/// Longest line, bytes. What we write has less than 500.
const MAX_LINE: u64 = 4096;
/// Longest name of a network, bytes.
const MAX_NAME: usize = 256;
/// Entries that are read or written at a time.
const BATCH: u32 = 500;

/// Why a history was not, or not wholly, written or taken over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// It is of another network, where the same ID is another miner. Nothing was taken over.
    #[error("this is the history of network {found}, not of {expected}")]
    ForeignNetwork {
        /// The network it names.
        found: String,
        /// The store's.
        expected: String,
    },
    /// A line is not what it should be. The lines before it are taken over; doing that again is harmless.
    #[error("line {line}: {reason}; mend it and import the whole file again")]
    Malformed {
        /// Counted from 1.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// The last line is missing or counts other lines. All lines are taken over, but there were more.
    #[error("the history is cut off after {entries} entries; export it again, and import it before signing")]
    Truncated {
        /// Entries that were there.
        entries: u64,
    },
    /// The store failed. Repeat the import.
    #[error("slashing store: {0}")]
    Store(#[source] BoxError),
    /// The file failed.
    #[error("history: {0}")]
    Io(#[from] std::io::Error),
}

impl Classify for HistoryError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::ForeignNetwork { .. } | Self::Malformed { .. } | Self::Truncated { .. } => {
                ErrorKind::Invalid
            }
            Self::Store(_) | Self::Io(_) => ErrorKind::Transient,
        }
    }
}

/// What an import did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Entries in the file.
    pub entries: u64,
    /// What they changed.
    pub merged: Merged,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Metadata(Metadata),
    Block(BlockLine),
    Vote(VoteLine),
    Miner(MinerLine),
    Voter(VoterLine),
    End(EndLine),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    format: String,
    version: u32,
    network: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BlockLine {
    miner: String,
    height: i64,
    parents: String,
    header_hash: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct VoteLine {
    signer: String,
    network: String,
    instance: u64,
    round: u64,
    phase: u8,
    payload_hash: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MinerLine {
    miner: String,
    low_watermark: i64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct VoterLine {
    signer: String,
    network: String,
    low_watermark: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EndLine {
    entries: u64,
}

/// Writes the whole history, and tells how many entries it has. Stop the wallet before the key moves: what it signs
/// afterwards is not in the file.
///
/// # Errors
/// [`HistoryError::Store`], [`HistoryError::Io`]; what was written lacks its last line then, and importing it fails.
pub async fn export<W: AsyncWrite + Unpin>(
    store: &dyn SlashingStore,
    out: &mut W,
) -> Result<u64, HistoryError> {
    let network = store.network().to_owned();
    write(out, &Line::Metadata(Metadata { format: FORMAT.into(), version: VERSION, network })).await?;
    let mut last: Option<Entry> = None;
    let mut entries = 0_u64;
    loop {
        let page = store.page(last.as_ref(), BATCH).await.map_err(HistoryError::Store)?;
        for entry in &page {
            write(out, &Line::of(entry)).await?;
            entries = entries.saturating_add(1);
        }
        match page.into_iter().next_back() {
            Some(entry) => last = Some(entry),
            None => break,
        }
    }
    write(out, &Line::End(EndLine { entries })).await?;
    out.flush().await?;
    Ok(entries)
}

/// Takes a history over. What the store knows stays, what it does not know is added, and at or below what the
/// history reached nothing new is signed: the wallet that wrote it may have signed more. The same history again
/// changes nothing.
///
/// # Errors
/// [`HistoryError`]. Entries before an error are taken over, which can only forbid more.
pub async fn import<R: AsyncBufRead + Unpin>(
    store: &dyn SlashingStore,
    input: &mut R,
) -> Result<Imported, HistoryError> {
    let network = import_header(input).await?;
    if network != store.network() {
        return Err(HistoryError::ForeignNetwork { found: network, expected: store.network().into() });
    }
    let mut done = Imported::default();
    let mut batch = Vec::new();
    let ended = loop {
        let number = done.entries.saturating_add(2);
        match read(input, number).await? {
            None => break None,
            Some(Line::End(end)) => break Some(end.entries),
            Some(line) => {
                batch.push(line.entry().map_err(|reason| HistoryError::Malformed { line: number, reason })?)
            }
        }
        done.entries = done.entries.saturating_add(1);
        if batch.len() >= BATCH as usize {
            take_over(store, &mut batch, &mut done.merged).await?;
        }
    };
    take_over(store, &mut batch, &mut done.merged).await?;
    if ended == Some(done.entries) {
        Ok(done)
    } else {
        Err(HistoryError::Truncated { entries: done.entries })
    }
}

/// Reads the first line of a history, and tells its network. [`import`] does that itself.
///
/// # Errors
/// [`HistoryError::Malformed`] if it is no history, or one of a newer program; [`HistoryError::Io`].
pub async fn import_header<R: AsyncBufRead + Unpin>(input: &mut R) -> Result<String, HistoryError> {
    let malformed = |reason: &str| Err(HistoryError::Malformed { line: 1, reason: reason.into() });
    match read(input, 1).await? {
        Some(Line::Metadata(Metadata { format, version, network })) if format == FORMAT => {
            if version == VERSION { Ok(network) } else { malformed("a newer program wrote this history") }
        }
        _ => {
            malformed("this is no history of signed blocks; the first line must tell its format and network")
        }
    }
}

async fn take_over(
    store: &dyn SlashingStore,
    batch: &mut Vec<Entry>,
    sum: &mut Merged,
) -> Result<(), HistoryError> {
    let merged = store.merge(batch).await.map_err(HistoryError::Store)?;
    batch.clear();
    sum.added = sum.added.saturating_add(merged.added);
    sum.known = sum.known.saturating_add(merged.known);
    sum.conflicting = sum.conflicting.saturating_add(merged.conflicting);
    Ok(())
}

async fn write<W: AsyncWrite + Unpin>(out: &mut W, line: &Line) -> Result<(), HistoryError> {
    let mut text = serde_json::to_vec(line).map_err(std::io::Error::from)?;
    text.push(b'\n');
    Ok(out.write_all(&text).await?)
}

async fn read<R: AsyncBufRead + Unpin>(input: &mut R, line: u64) -> Result<Option<Line>, HistoryError> {
    let mut text = Vec::new();
    let taken = input.take(MAX_LINE).read_until(b'\n', &mut text).await?;
    if taken == 0 {
        return Ok(None);
    }
    let malformed = |reason: String| HistoryError::Malformed { line, reason };
    if text.last() != Some(&b'\n') && taken as u64 == MAX_LINE {
        return Err(malformed(format!("longer than {MAX_LINE} bytes")));
    }
    serde_json::from_slice(&text).map(Some).map_err(|error| malformed(error.to_string()))
}

impl Line {
    fn of(entry: &Entry) -> Self {
        match entry.clone() {
            Entry::Block(slot) => Self::Block(BlockLine {
                miner: format!("f0{}", slot.miner),
                height: slot.height,
                parents: HEX.encode(&slot.parents),
                header_hash: HEX.encode(&slot.header),
            }),
            Entry::Vote(slot) => Self::Vote(VoteLine {
                signer: slot.signer,
                network: slot.network,
                instance: slot.instance,
                round: slot.round,
                phase: slot.phase,
                payload_hash: HEX.encode(&slot.payload),
            }),
            Entry::MinerFloor { miner, height } => {
                Self::Miner(MinerLine { miner: format!("f0{miner}"), low_watermark: height })
            }
            Entry::VoterFloor { signer, network, instance } => {
                Self::Voter(VoterLine { signer, network, low_watermark: instance })
            }
        }
    }

    fn entry(self) -> Result<Entry, String> {
        match self {
            Self::Block(line) => Ok(Entry::Block(BlockSlot {
                miner: miner(&line.miner)?,
                height: height(line.height)?,
                parents: hash("parents", &line.parents)?,
                header: hash("header_hash", &line.header_hash)?,
            })),
            Self::Vote(line) => Ok(Entry::Vote(VoteSlot {
                signer: signer(&line.signer)?,
                network: name(line.network)?,
                instance: fits("instance", line.instance)?,
                round: fits("round", line.round)?,
                phase: line.phase,
                payload: hash("payload_hash", &line.payload_hash)?,
            })),
            Self::Miner(line) => {
                Ok(Entry::MinerFloor { miner: miner(&line.miner)?, height: height(line.low_watermark)? })
            }
            Self::Voter(line) => Ok(Entry::VoterFloor {
                signer: signer(&line.signer)?,
                network: name(line.network)?,
                instance: fits("low_watermark", line.low_watermark)?,
            }),
            Self::Metadata(_) => Err("a second history begins here; import one file at a time".into()),
            Self::End(_) => Err("the end stands twice".into()),
        }
    }
}

fn miner(text: &str) -> Result<u64, String> {
    match address::parse(text).map_err(|error| format!("miner: {error}"))?.payload() {
        AddressPayload::ID(id) => fits("miner", *id),
        _ => Err("miner: must be an ID address, f0…".into()),
    }
}

fn signer(text: &str) -> Result<String, String> {
    let address = address::parse(text).map_err(|error| format!("signer: {error}"))?;
    // One key has one name, whatever the prefix was.
    Ok(address::format(&address, Network::Mainnet))
}

fn name(text: String) -> Result<String, String> {
    if text.len() <= MAX_NAME { Ok(text) } else { Err(format!("network: longer than {MAX_NAME} bytes")) }
}

fn height(height: i64) -> Result<i64, String> {
    if height >= 0 { Ok(height) } else { Err(format!("height {height} is negative")) }
}

fn fits(name: &str, number: u64) -> Result<u64, String> {
    i64::try_from(number).map(|_| number).map_err(|_| format!("{name}: {number} has more than 63 bits"))
}

fn hash(name: &str, text: &str) -> Result<[u8; 32], String> {
    let bytes = HEX.decode(text.as_bytes()).map_err(|_| format!("{name}: no hexadecimal digits"))?;
    bytes.try_into().map_err(|_| format!("{name}: must have 32 bytes"))
}

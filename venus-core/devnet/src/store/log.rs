//! The block log: one file, only ever appended to.
//!
//! ```text
//! file   = magic (8 bytes), CID of the genesis (38 bytes), record*
//! record = length (u32), check of the length (u32), check of the payload (16 bytes), payload
//! ```
//!
//! Integers are little endian. Checks are the first bytes of BLAKE2b-256 over the offset of the record and what
//! they check. A record is synced before its block counts, so a crash can only damage the last one: that one is cut
//! off at the next start. Damage anywhere else is an error and changes nothing.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use cid::Cid;
use venus_core::api::ChainError;
use venus_core::cbor::{Decode, Encode};
use venus_core::crypto::hash::blake2b_256;

use super::{Entry, Store};
use crate::error::DevnetError;

const FILE_NAME: &str = "blocks.log";
const MAGIC: &[u8; 8] = b"VDEVLOG1";
/// Bytes of a CID as Filecoin makes them.
const CID_LEN: usize = 38;
const FILE_HEAD: usize = MAGIC.len() + CID_LEN;
const RECORD_HEAD: usize = 24;

/// An open block log. The file is locked until this is dropped, or the process ends in whatever way.
#[derive(Debug)]
pub(crate) struct LogStore {
    file: File,
    path: PathBuf,
    /// Bytes of complete records.
    len: u64,
    failed: bool,
}

impl LogStore {
    /// Opens or creates the log in `dir` and hands every entry of it to `replay`, in order.
    pub(crate) fn open(
        dir: &Path,
        genesis: &Cid,
        mut replay: impl FnMut(Entry) -> Result<(), ChainError>,
    ) -> Result<Self, DevnetError> {
        let path = dir.join(FILE_NAME);
        let at = |source| DevnetError::Io { path: path.clone(), source };
        std::fs::create_dir_all(dir).map_err(|source| DevnetError::Io { path: dir.into(), source })?;
        let mut options = OpenOptions::new();
        // Like everything in the directory of a devnet, for its owner alone.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.read(true).write(true).create(true).truncate(false).open(&path).map_err(at)?;
        file.try_lock().map_err(|e| match e {
            TryLockError::WouldBlock => DevnetError::InUse(dir.into()),
            TryLockError::Error(e) => at(e),
        })?;
        let size = file.metadata().map_err(at)?.len();
        let mut log = Self { file, path: path.clone(), len: FILE_HEAD as u64, failed: false };
        if size < FILE_HEAD as u64 {
            log.check_beginning(genesis)?;
            log.begin(dir, genesis).map_err(at)?;
            return Ok(log);
        }
        log.len = log.read(size, genesis, &mut replay)?;
        if log.len < size {
            tracing::warn!(path = %path.display(), bytes = size - log.len, "cut off a torn record");
            log.file.set_len(log.len).and_then(|()| log.file.sync_all()).map_err(at)?;
        }
        Ok(log)
    }

    /// What is shorter than the head of a file was left by a crash while the file was made, or is none of ours: then it
    /// stays.
    fn check_beginning(&self, genesis: &Cid) -> Result<(), DevnetError> {
        let mut found = Vec::new();
        let mut input = (&self.file).take(FILE_HEAD as u64);
        input.read_to_end(&mut found).map_err(|e| self.error(e))?;
        let is_ours = file_head(genesis).starts_with(&found) || found.iter().all(|byte| *byte == 0);
        if is_ours { Ok(()) } else { Err(corrupt(&self.path, 0, "not a block log of this version")) }
    }

    /// Starts a new file. A crash here leaves fewer bytes than a file begins with, which is a new file again.
    fn begin(&mut self, dir: &Path, genesis: &Cid) -> std::io::Result<()> {
        let head = file_head(genesis);
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&head)?;
        self.file.sync_all()?;
        // Without this the file's name may be lost.
        File::open(dir)?.sync_all()
    }

    /// Reads all records and answers where the last complete one ends.
    fn read(
        &self,
        size: u64,
        genesis: &Cid,
        replay: &mut impl FnMut(Entry) -> Result<(), ChainError>,
    ) -> Result<u64, DevnetError> {
        let at = |source| DevnetError::Io { path: self.path.clone(), source };
        let mut input = BufReader::new(&self.file);
        input.seek(SeekFrom::Start(0)).map_err(at)?;
        let mut head = [0; FILE_HEAD];
        input.read_exact(&mut head).map_err(at)?;
        check_file_head(&self.path, &head, genesis)?;
        let mut offset = FILE_HEAD as u64;
        while let Some(payload) =
            read_record(&mut input, offset, size).map_err(|e| e.at(offset, &self.path))?
        {
            let corrupt = |e: &dyn std::error::Error| corrupt(&self.path, offset, e.to_string());
            let entry = Entry::from_cbor(&payload).map_err(|e| corrupt(&e))?;
            replay(entry).map_err(|e| corrupt(&e))?;
            offset += (RECORD_HEAD + payload.len()) as u64;
        }
        Ok(offset)
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.file.seek(SeekFrom::Start(self.len))?;
        self.file.write_all(bytes)
    }

    fn error(&self, source: std::io::Error) -> DevnetError {
        DevnetError::Io { path: self.path.clone(), source }
    }
}

impl Store for LogStore {
    fn append(&mut self, entry: &Entry) -> Result<(), DevnetError> {
        if self.failed {
            return Err(DevnetError::LogFailed);
        }
        let payload = entry.to_cbor();
        let bytes = encode_record(self.len, &payload).map_err(|e| self.error(e))?;
        if let Err(e) = self.write(&bytes) {
            // A full disk may have taken a part of it.
            self.failed = self.file.set_len(self.len).is_err();
            return Err(self.error(e));
        }
        if let Err(e) = self.file.sync_data() {
            // After a failed sync nobody knows what is on disk, not even a later sync that succeeds.
            self.failed = true;
            return Err(self.error(e));
        }
        self.len += bytes.len() as u64;
        Ok(())
    }
}

fn file_head(genesis: &Cid) -> Vec<u8> {
    [MAGIC.as_slice(), &genesis.to_bytes()].concat()
}

fn corrupt(path: &Path, offset: u64, reason: impl Into<String>) -> DevnetError {
    DevnetError::Corrupt { path: path.into(), offset, reason: reason.into() }
}

fn check_file_head(path: &Path, head: &[u8; FILE_HEAD], genesis: &Cid) -> Result<(), DevnetError> {
    let Some(found) = head.strip_prefix(MAGIC) else {
        return Err(corrupt(path, 0, "not a block log of this version"));
    };
    if found == genesis.to_bytes() {
        return Ok(());
    }
    let found = Cid::try_from(found).map_or_else(|e| e.to_string(), |cid| cid.to_string());
    Err(DevnetError::WrongGenesis { path: path.into(), expected: genesis.to_string(), found })
}

fn encode_record(offset: u64, payload: &[u8]) -> std::io::Result<Vec<u8>> {
    let len = u32::try_from(payload.len()).map_err(|_| std::io::ErrorKind::FileTooLarge)?.to_le_bytes();
    let mut bytes = Vec::with_capacity(RECORD_HEAD + payload.len());
    bytes.extend_from_slice(&len);
    bytes.extend_from_slice(&check::<4>(offset, &len));
    bytes.extend_from_slice(&check::<16>(offset, payload));
    bytes.extend_from_slice(payload);
    Ok(bytes)
}

enum ReadError {
    Io(std::io::Error),
    Corrupt(&'static str),
}

impl ReadError {
    fn at(self, offset: u64, path: &Path) -> DevnetError {
        match self {
            Self::Io(source) => DevnetError::Io { path: path.into(), source },
            Self::Corrupt(reason) => corrupt(path, offset, reason),
        }
    }
}

impl From<std::io::Error> for ReadError {
    fn from(e: std::io::Error) -> Self {
        Self::Io(e)
    }
}

/// The payload of the record at `offset`; `None` at the end of the file and for a torn last record.
fn read_record(input: &mut impl Read, offset: u64, size: u64) -> Result<Option<Vec<u8>>, ReadError> {
    let left = size.saturating_sub(offset);
    if left < RECORD_HEAD as u64 {
        return Ok(None);
    }
    let (mut len, mut len_check, mut payload_check) = ([0; 4], [0; 4], [0; 16]);
    input.read_exact(&mut len)?;
    input.read_exact(&mut len_check)?;
    input.read_exact(&mut payload_check)?;
    if len_check != check::<4>(offset, &len) {
        // The file may have grown on disk before its bytes were written: such bytes are zeros up to the end.
        if payload_check == [0; 16] && only_zeros(input)? {
            return Ok(None);
        }
        return Err(ReadError::Corrupt("length does not match its check"));
    }
    let len = u64::from(u32::from_le_bytes(len));
    let end = RECORD_HEAD as u64 + len;
    if end > left {
        return Ok(None);
    }
    let mut payload = vec![0; len as usize];
    input.read_exact(&mut payload)?;
    match payload_check == check::<16>(offset, &payload) {
        true => Ok(Some(payload)),
        false if end == left => Ok(None),
        false => Err(ReadError::Corrupt("payload does not match its check")),
    }
}

fn only_zeros(input: &mut impl Read) -> std::io::Result<bool> {
    let mut buffer = [0; 4096];
    loop {
        match input.read(&mut buffer)? {
            0 => return Ok(true),
            n if buffer.iter().take(n).any(|byte| *byte != 0) => return Ok(false),
            _ => {}
        }
    }
}

fn check<const N: usize>(offset: u64, bytes: &[u8]) -> [u8; N] {
    let digest = blake2b_256(&[offset.to_le_bytes().as_slice(), bytes].concat());
    let mut check = [0; N];
    check.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    check
}

#[cfg(test)]
mod tests;

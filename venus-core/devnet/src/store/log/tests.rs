use std::fs;

use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use tempfile::TempDir;
use venus_core::types::{BlockHeader, SignedMessage, blake2b_cid};
use venus_core::types::{Message, Signature};

use super::super::Record;
use super::*;

fn genesis() -> Cid {
    blake2b_cid(b"genesis")
}

fn record(height: i64) -> Entry {
    let cid = blake2b_cid(b"anything");
    let header = BlockHeader {
        miner: Address::new_id(1000),
        ticket: None,
        election_proof: None,
        beacon_entries: vec![],
        win_post_proof: vec![],
        parents: vec![cid],
        parent_weight: 7.into(),
        height,
        parent_state_root: cid,
        parent_message_receipts: cid,
        messages: cid,
        bls_aggregate: None,
        timestamp: 3,
        block_sig: None,
        fork_signaling: 1,
        parent_base_fee: TokenAmount::from_atto(100),
    };
    let message = Message {
        version: 0,
        from: Address::new_id(1),
        to: Address::new_id(2),
        sequence: 0,
        value: TokenAmount::from_atto(1),
        method_num: 0,
        params: vec![].into(),
        gas_limit: 1,
        gas_fee_cap: TokenAmount::from_atto(1),
        gas_premium: TokenAmount::from_atto(1),
    };
    let signed = |signature| SignedMessage { message: message.clone(), signature };
    Entry::Block(Box::new(Record {
        header,
        bls: vec![signed(Signature::bls([1; 96]))],
        secp: vec![signed(Signature::secp256k1([2; 65]))],
    }))
}

/// Opens the log and answers the heights it replays.
fn open(dir: &Path) -> Result<(LogStore, Vec<i64>), DevnetError> {
    let mut heights = Vec::new();
    let log = LogStore::open(dir, &genesis(), |record| {
        heights.push(record.epoch());
        Ok(())
    })?;
    Ok((log, heights))
}

fn written(heights: &[i64]) -> (TempDir, PathBuf) {
    let dir = TempDir::new().unwrap();
    let (mut log, _) = open(dir.path()).unwrap();
    heights.iter().for_each(|height| log.append(&record(*height)).unwrap());
    let path = dir.path().join(FILE_NAME);
    (dir, path)
}

#[test]
fn records_come_back_in_order_and_more_can_follow() {
    let (dir, _) = written(&[1, 2, 3]);
    let mut records = Vec::new();
    let log = LogStore::open(dir.path(), &genesis(), |r| {
        records.push(r);
        Ok(())
    });
    assert_eq!(records, [record(1), record(2), record(3)]);
    log.unwrap().append(&record(4)).unwrap();
    assert_eq!(open(dir.path()).unwrap().1, [1, 2, 3, 4]);
}

#[test]
fn a_last_record_torn_at_any_byte_is_cut_off() {
    let (dir, path) = written(&[1, 2]);
    let whole = fs::read(&path).unwrap();
    let first_end = FILE_HEAD + RECORD_HEAD + record(1).to_cbor().len();
    for len in first_end..whole.len() {
        fs::write(&path, &whole[..len]).unwrap();
        let (mut log, heights) = open(dir.path()).unwrap();
        assert_eq!(heights, [1], "torn at {len}");
        log.append(&record(3)).unwrap();
        drop(log);
        assert_eq!(open(dir.path()).unwrap().1, [1, 3], "torn at {len}");
        // The file had its full length, but the end of it never reached the disk.
        let mut zeroed = whole.clone();
        zeroed[len..].fill(0);
        fs::write(&path, &zeroed).unwrap();
        assert_eq!(open(dir.path()).unwrap().1, [1], "zeroed from {len}");
    }
}

#[test]
fn a_file_torn_at_its_head_begins_anew() {
    let (dir, path) = written(&[]);
    let whole = fs::read(&path).unwrap();
    for len in 0..whole.len() {
        fs::write(&path, &whole[..len]).unwrap();
        assert_eq!(open(dir.path()).unwrap().1, Vec::<i64>::new());
        assert_eq!(fs::read(&path).unwrap(), whole);
    }
}

#[test]
fn a_short_file_of_somebody_else_stays() {
    let (dir, path) = written(&[]);
    for foreign in [b"hello".as_slice(), &[0, 0, 1], b"VDEVLOG2"] {
        fs::write(&path, foreign).unwrap();
        let error = open(dir.path()).unwrap_err();
        assert!(matches!(&error, DevnetError::Corrupt { offset: 0, .. }), "{error}");
        assert_eq!(fs::read(&path).unwrap(), foreign);
    }
    fs::write(&path, [0; 20]).unwrap();
    open(dir.path()).unwrap();
}

#[cfg(unix)]
#[test]
fn the_log_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (_dir, path) = written(&[1]);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn damage_before_the_end_is_an_error_and_changes_nothing() {
    let (dir, path) = written(&[1, 2, 3]);
    let whole = fs::read(&path).unwrap();
    let first_end = FILE_HEAD + RECORD_HEAD + record(1).to_cbor().len();
    for at in (0..first_end).step_by(7) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x40;
        fs::write(&path, &damaged).unwrap();
        let error = open(dir.path()).unwrap_err();
        assert!(
            matches!(error, DevnetError::Corrupt { .. } | DevnetError::WrongGenesis { .. }),
            "byte {at}: {error:?}"
        );
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
        assert_eq!(fs::read(&path).unwrap(), damaged);
    }
}

#[test]
fn another_genesis_and_another_process_are_refused() {
    let (dir, _) = written(&[1]);
    let other = blake2b_cid(b"other");
    let wrong = LogStore::open(dir.path(), &other, |_| Ok(()));
    assert!(matches!(wrong, Err(DevnetError::WrongGenesis { .. })));
    let held = open(dir.path()).unwrap();
    assert!(matches!(open(dir.path()), Err(DevnetError::InUse(_))));
    drop(held);
    open(dir.path()).unwrap();
}

#[test]
fn a_record_that_does_not_fit_the_chain_is_damage() {
    let (dir, _) = written(&[1]);
    let refused = LogStore::open(dir.path(), &genesis(), |_| Err(ChainError::Invalid("no".into())));
    assert!(matches!(refused, Err(DevnetError::Corrupt { offset: 46, .. })));
}

#[test]
fn an_unwritable_place_is_an_io_error() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, b"").unwrap();
    assert!(matches!(open(&file), Err(DevnetError::Io { .. })));
}

#[test]
fn a_log_that_cannot_be_written_takes_nothing_more() {
    let (dir, path) = written(&[1]);
    let (mut log, _) = open(dir.path()).unwrap();
    let writable = std::mem::replace(&mut log.file, File::open(&path).unwrap());
    assert!(matches!(log.append(&record(2)), Err(DevnetError::Io { .. })));
    assert!(matches!(log.append(&record(2)), Err(DevnetError::LogFailed)));
    drop((log, writable));
    assert_eq!(open(dir.path()).unwrap().1, [1]);
}

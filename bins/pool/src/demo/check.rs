//! Whether the parts of a directory belong together, found out before anything is changed or continued.
//!
//! The parts are written in a fixed order: a message is stored before it is sent, a block is reserved before it is
//! signed and signed before the chain takes it, and only then is it noted as taken. So a kill leaves parts that know
//! more than the later ones, never less. A part that knows less was deleted, emptied, cut or put back from a copy:
//! going on would send or sign twice, or count wrongly.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use venus_core::api::{ChainError, ChainReader, StateReader};
use venus_core::sqlite;
use venus_core::types::{Address, BlockHeader, ChainEpoch, Cid, Tipset, TipsetKey};
use venus_devnet::Devnet;
use venus_messager::store::{MessageStore, StoreError as MessageStoreError};
use venus_miner::{MinerError, ReservationState, ReservationStore, Round};

use super::error::DemoError;
use super::plan::{Cast, Transfer};
use super::state::{CHAIN_LOG, MESSAGER, MINER};

/// All parts, in the order in which a first start makes them: one is whole before the next exists.
const PARTS: [&str; 3] = [CHAIN_LOG, MESSAGER, MINER];

/// Checks that no part is missing or empty which was there before: if `all`, every one, else those that were made
/// before one that exists.
///
/// # Errors
/// [`DemoError::Damaged`] naming the part; [`DemoError::File`].
pub(crate) fn presence(dir: &Path, all: bool) -> Result<(), DemoError> {
    let mut needed = all;
    for part in PARTS.iter().rev() {
        let path = dir.join(part);
        let len = match fs::metadata(&path) {
            Ok(metadata) => Some(metadata.len()),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => None,
            Err(source) => return Err(DemoError::File { path, source }),
        };
        if needed && len.unwrap_or_default() == 0 {
            let what = if len.is_some() { "empty" } else { "missing" };
            return Err(DemoError::Damaged { path, reason: format!("it is {what}, and the run had begun") });
        }
        needed |= len.is_some();
    }
    Ok(())
}

/// Has SQLite look through the databases that exist. A page that is gone shows here and not in the middle of a run.
///
/// # Errors
/// [`DemoError::Damaged`] naming the file; [`DemoError::Database`] if it cannot be read.
pub(crate) async fn databases(dir: &Path) -> Result<(), DemoError> {
    for path in [dir.join(MESSAGER), dir.join(MINER)] {
        if fs::metadata(&path).is_ok_and(|file| file.len() > 0) {
            if let Err(error) = sqlite::inspect(&path) {
                return Err(match error.kind() {
                    ErrorKind::InvalidData => DemoError::Damaged { path, reason: error.to_string() },
                    _ => DemoError::File { path, source: error },
                });
            }
            let found = quick_check(&path).await.map_err(|e| DemoError::database(&path, e))?;
            if found != "ok" {
                return Err(DemoError::Damaged { path, reason: found });
            }
        }
    }
    Ok(())
}

async fn quick_check(path: &Path) -> Result<String, sqlx::Error> {
    let mut database =
        SqliteConnectOptions::new().filename(path).disable_statement_logging().connect().await?;
    let found = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut database).await?;
    sqlx::Connection::close(database).await?;
    Ok(found)
}

/// The parts of a directory, open.
pub(crate) struct Parts<'a> {
    pub(crate) dir: &'a Path,
    pub(crate) devnet: &'a Devnet,
    pub(crate) messages: &'a dyn MessageStore,
    pub(crate) blocks: &'a dyn ReservationStore,
    /// The pool's miners.
    pub(crate) miners: &'a [Address],
}

impl Parts<'_> {
    /// Checks that no part knows less than it must by what another one says.
    ///
    /// # Errors
    /// [`DemoError::Damaged`] naming the part that lacks something.
    pub(crate) async fn agree(&self, cast: &Cast, plan: &[Transfer]) -> Result<(), DemoError> {
        let round = self.blocks.last_round().await.map_err(MinerError::from)?;
        if let Some(round) = &round {
            self.round_is_known(round).await?;
            self.was_handed_over(plan, round.epoch).await?;
        }
        self.cursor_is_known().await?;
        self.nonces_are_known(&cast.senders).await?;
        self.blocks_are_reserved().await
    }

    fn lacks(&self, part: &str, what: String) -> DemoError {
        DemoError::Damaged { path: self.dir.join(part), reason: format!("it lacks {what}") }
    }

    async fn knows_tipset(&self, key: &TipsetKey) -> Result<bool, DemoError> {
        match self.devnet.tipset(key).await {
            Ok(_) => Ok(true),
            Err(ChainError::TipsetNotFound(_) | ChainError::BlockNotFound(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn knows_block(&self, cid: &Cid) -> Result<bool, DemoError> {
        match self.devnet.block(cid).await {
            Ok(_) => Ok(true),
            Err(ChainError::BlockNotFound(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The chain has what the last round built on, which has all before it, and the blocks that it took in it.
    async fn round_is_known(&self, round: &Round) -> Result<(), DemoError> {
        let Round { epoch, base, .. } = round;
        if !self.knows_tipset(base).await? {
            return Err(self.lacks(CHAIN_LOG, format!("tipset {base}, on which {MINER} began round {epoch}")));
        }
        for miner in self.miners {
            let own = self.blocks.at_height(miner, *epoch).await.map_err(MinerError::from)?;
            let Some(own) = own.filter(|own| own.state == ReservationState::Submitted) else { continue };
            if !self.knows_block(&own.cid()).await? {
                let cid = own.cid();
                return Err(self.lacks(CHAIN_LOG, format!("block {cid}, which {MINER} says that it took")));
            }
        }
        Ok(())
    }

    /// The messager has what was due when the last round began. The last of it stands for all: transfers are
    /// accepted one after the other, and a database that lost its end lost the newest.
    async fn was_handed_over(&self, plan: &[Transfer], epoch: ChainEpoch) -> Result<(), DemoError> {
        let due = plan.iter().rev().find(|transfer| transfer.due <= epoch);
        let Some(last) = due else { return Ok(()) };
        match self.messages.get(&last.id).await.map_err(messages)? {
            Some(_) => Ok(()),
            None => Err(self.lacks(MESSAGER, format!("message {:?}, due in epoch {}", last.id, last.due))),
        }
    }

    /// The chain has the tipset up to which the messager followed it. That tipset may lie above the head: a heavier
    /// branch can be the shorter one.
    async fn cursor_is_known(&self) -> Result<(), DemoError> {
        match self.messages.cursor().await.map_err(messages)? {
            Some(cursor) if self.knows_tipset(&cursor.tipset).await? => Ok(()),
            Some(cursor) => {
                let what = format!("tipset {}, up to which {MESSAGER} followed it", cursor.tipset);
                Err(self.lacks(CHAIN_LOG, what))
            }
            None if self.devnet.stats().blocks == 0 => Ok(()),
            None => Err(self.lacks(MESSAGER, "the tipset up to which it followed the chain".into())),
        }
    }

    /// The messager assigned every nonce that the chain saw.
    async fn nonces_are_known(&self, senders: &[Address]) -> Result<(), DemoError> {
        for sender in senders {
            let actor = self.devnet.actor(sender, &TipsetKey::default()).await?;
            let used = actor.map_or(0, |actor| actor.nonce);
            let assigned = self.messages.next_nonce(sender).await.map_err(messages)?;
            if assigned < used {
                let what = format!("messages of {sender} from nonce {assigned} on; the chain has {used}");
                return Err(self.lacks(MESSAGER, what));
            }
        }
        Ok(())
    }

    /// The miner reserved every block that the pool has on the chain.
    async fn blocks_are_reserved(&self) -> Result<(), DemoError> {
        let mut tipset = self.devnet.head().await?;
        while tipset.height() > 0 {
            self.tipset_is_reserved(&tipset).await?;
            tipset = self.devnet.tipset(&tipset.parents()).await?;
        }
        Ok(())
    }

    async fn tipset_is_reserved(&self, tipset: &Tipset) -> Result<(), DemoError> {
        for block in tipset.blocks().iter().filter(|block| self.miners.contains(&block.miner)) {
            let BlockHeader { miner, height, .. } = block;
            let own = self.blocks.at_height(miner, *height).await.map_err(MinerError::from)?;
            let cid = block.cid();
            if own.is_none_or(|own| own.cid() != cid) {
                return Err(self.lacks(MINER, format!("block {cid} of {miner} at height {height}")));
            }
        }
        Ok(())
    }
}

fn messages(error: MessageStoreError) -> DemoError {
    DemoError::Messager(error.into())
}
